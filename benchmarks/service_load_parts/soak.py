"""Twice as many requests as a service can answer: what it sheds, and whether it comes back."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .clients import Outcome, Sending, ask_in_turn, ask_often, ping

SHED = 503


@dataclass(frozen=True)
class Size:
    """What a process holds: resident megabytes, threads, open files and sockets."""

    megabytes: float
    threads: int
    files: int


@dataclass(frozen=True)
class Soak:
    """What a soak found; seconds are those of clients.

    Attributes:
        capacity: Answers per second of clients that wait for their answers.
        outcomes: What became of what was offered at twice that.
        health: Seconds of each /healthz meanwhile.
        before: Seconds of answers in turn, before.
        after: The same, right after the last answer of the flood.
        warm: Size of the process after the capacity was measured.
        end: Size at the end.
    """

    capacity: float
    outcomes: list[Outcome]
    health: list[float]
    before: list[float]
    after: list[float]
    warm: Size
    end: Size

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered; 0 for none."""
        return Counter(one.status for one in self.outcomes if one.kind != "aborted")

    @property
    def accepted(self) -> list[float]:
        """Seconds of the requests that were not shed, slow senders aside."""
        return [
            one.seconds
            for one in self.outcomes
            if one.status not in (0, SHED) and one.kind != "slow"
        ]

    def longest_wait(self, places: int) -> float:
        """Return the seconds that `places` requests, waiting and running, take to answer."""
        return places / self.capacity

    def summary(self) -> dict[str, object]:
        """Return the figures for people."""
        return {
            "offered": len(self.outcomes),
            "capacity_per_second": round(self.capacity, 1),
            "statuses": dict(sorted(self.statuses.items())),
            "accepted_p50_s": round(float(np.quantile(self.accepted, 0.5)), 3),
            "accepted_p99_s": round(float(np.quantile(self.accepted, 0.99)), 3),
            "health_p99_s": round(float(np.quantile(self.health, 0.99)), 3),
            "before_p50_s": round(float(np.median(self.before)), 3),
            "after_p50_s": round(float(np.median(self.after)), 3),
            "memory_mb": [round(self.warm.megabytes, 1), round(self.end.megabytes, 1)],
            "threads": [self.warm.threads, self.end.threads],
            "files": [self.warm.files, self.end.files],
        }


def size_of(pid: int) -> Size:
    """Return the size of a process, as Linux tells it."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in lines)
    megabytes = int(facts["VmRSS"].split()[0]) / 1024
    return Size(megabytes, int(facts["Threads"]), len(os.listdir(f"/proc/{pid}/fd")))  # noqa: PTH208


def soak(
    pid: int, port: int, some: Sequence[Sending], *, clients: int, seconds: float, measured: float
) -> Soak:
    """Measure the capacity of a service, offer twice as much, and look at it afterwards.

    Args:
        pid: Process of the service.
        port: Its port on this machine.
        some: Requests, which are repeated as needed.
        clients: As many as the service works for at once, to measure its capacity.
        seconds: Length of the flood.
        measured: Length of each measurement before and after.

    Returns:
        What was found.
    """
    whole = [one for one in some if one.share == 1 and one.pieces == 1]
    plain = [one for one in some if one.kind == "diagnosis"]

    async def run() -> Soak:
        await ask_in_turn(port, whole, clients, measured / 2)  # what is loaded late is loaded then
        found = await ask_in_turn(port, whole, clients, measured)
        capacity = len(found) / max(one.at + one.seconds - found[0].at for one in found)
        before = [one.seconds for one in await ask_in_turn(port, plain, 1, measured / 2)]
        warm, health = size_of(pid), []
        pinging = asyncio.create_task(ping(port, health))
        offered = [some[turn % len(some)] for turn in range(round(2 * capacity * seconds))]
        outcomes = await ask_often(port, offered, 2 * capacity)
        pinging.cancel()
        after = [one.seconds for one in await ask_in_turn(port, plain, 1, measured / 2)]
        return Soak(capacity, outcomes, health, before, after, warm, size_of(pid))

    return asyncio.run(run())
