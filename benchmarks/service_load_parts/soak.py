"""Twice as many requests as a service can answer: what it sheds, and whether it comes back."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from .clients import Outcome, Sending, ask_in_turn, ask_often, ping
from .process import Size, size_of

SHED = 503
SLOW_LANE = ("explanation", "huge")  # kinds whose lane takes turns with the others


@dataclass(frozen=True)
class Soak:
    """What a soak found; seconds are those of clients.

    Attributes:
        capacity: Answers per second of clients that wait for their answers.
        outcomes: What became of what was offered at twice that.
        health: Seconds of each /healthz meanwhile.
        ready: Seconds of each /readyz meanwhile.
        before: Seconds of answers in turn, before.
        after: The same, right after the last answer of the flood.
        idle: Size of the process before the flood.
        sizes: Its size every tenth of the flood.
        end: Size at the end.
        began_at: Seconds since 1970 at which the flood began.
    """

    capacity: float
    outcomes: list[Outcome]
    health: list[float]
    ready: list[float]
    before: list[float]
    after: list[float]
    idle: Size
    sizes: list[Size]
    end: Size
    began_at: float

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was answered; 0 for none."""
        return Counter(one.status for one in self.outcomes if one.kind != "aborted")

    def accepted(self, *, slow_lane: bool) -> list[float]:
        """Return the seconds of requests that were not shed, of one lane; slow senders aside."""
        return [
            one.seconds
            for one in self.outcomes
            if one.status not in (0, SHED)
            and one.kind != "slow"
            and (one.kind in SLOW_LANE) == slow_lane
        ]

    @property
    def warm(self) -> float:
        """Most megabytes of the first half of the flood, when the queue has been full."""
        return max(one.megabytes for one in self.sizes[: max(1, len(self.sizes) // 2)])

    @property
    def late(self) -> float:
        """Most megabytes of the second half."""
        return max(one.megabytes for one in self.sizes[len(self.sizes) // 2 :])

    def longest_wait(self, places: int) -> float:
        """Return the seconds that `places` requests, waiting and running, take to answer."""
        return places / self.capacity

    def summary(self, places: int) -> dict[str, object]:
        """Return the figures for people; the service has so many `places`."""
        shed = [one for one in self.outcomes if one.status == SHED]
        return {
            "offered": len(self.outcomes),
            "capacity_per_second": round(self.capacity, 1),
            "queue_s": round(self.longest_wait(places), 3),
            "statuses": {str(key): n for key, n in sorted(self.statuses.items())},
            "accepted_s": _quantiles(self.accepted(slow_lane=False)),
            "accepted_slow_lane_s": _quantiles(self.accepted(slow_lane=True)),
            "shed_s": _quantiles([one.seconds for one in shed]),
            "retry_after_s": dict(sorted(Counter(int(one.retry_after) for one in shed).items())),
            "healthz_s": _quantiles(self.health),
            "readyz_s": _quantiles(self.ready),
            "before_p50_s": round(float(np.median(self.before)), 3),
            "after_p50_s": round(float(np.median(self.after)), 3),
            "memory_mb": {
                "idle": round(self.idle.megabytes, 1),
                "first_half_of_flood": round(self.warm, 1),
                "second_half": round(self.late, 1),
                "end": round(self.end.megabytes, 1),
            },
            "threads": [self.idle.threads, self.end.threads],
            "files": [self.idle.files, self.end.files],
        }


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {"n": 0}
    # Not interpolated: one that failed took for ever.
    found = np.quantile(seconds, (0.5, 0.99, 1.0), method="higher")
    names = ("p50", "p99", "max")
    return {"n": len(seconds)} | {
        name: round(float(one), 3) for name, one in zip(names, found, strict=True)
    }


def told_by(log: Sequence[str], found: Soak) -> dict[str, object]:
    """Return what the service's own log says of the flood: seconds from whole body to answer."""
    lines = [json.loads(line) for line in log]
    end = found.began_at + max(o.at + o.seconds for o in found.outcomes) - found.outcomes[0].at
    requests = [
        line
        for line in lines
        if line["event"] == "request"
        and found.began_at <= datetime.fromisoformat(line["time"]).timestamp() <= end
    ]
    routes = sorted({line["route"] for line in requests})
    answered = [line for line in requests if "answer_ms" in line and line["status"] != SHED]
    shed = [line for line in requests if line["status"] == SHED]
    return {
        "from_body_to_answer_s": {
            route: _quantiles(
                [one["answer_ms"] / 1000 for one in answered if one["route"] == route]
            )
            for route in routes
            if any(one["route"] == route for one in answered)
        },
        "from_head_to_body_s": _quantiles([(o["ms"] - o["answer_ms"]) / 1000 for o in answered]),
        "shed": len(shed),
        "shed_before_the_body": sum("answer_ms" not in one for one in shed),
    }


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

    async def watch(sizes: list[Size]) -> None:
        while True:
            await asyncio.sleep(seconds / 10)
            sizes.append(size_of(pid))

    async def run() -> Soak:
        await ask_in_turn(port, whole, clients, measured / 2)  # what is loaded late is loaded then
        found = await ask_in_turn(port, whole, clients, measured)
        capacity = len(found) / max(one.at + one.seconds - found[0].at for one in found)
        before = [one.seconds for one in await ask_in_turn(port, plain, 1, measured / 2)]
        idle = size_of(pid)
        sizes: list[Size] = []
        health: list[float] = []
        ready: list[float] = []
        beside = [
            asyncio.create_task(one)
            for one in (ping(port, health), ping(port, ready, "readyz"), watch(sizes))
        ]
        offered = [some[turn % len(some)] for turn in range(round(2 * capacity * seconds))]
        began_at = time.time()
        outcomes = await ask_often(port, offered, 2 * capacity)
        for one in beside:
            one.cancel()
        after = [one.seconds for one in await ask_in_turn(port, plain, 1, measured / 2)]
        return Soak(
            capacity, outcomes, health, ready, before, after, idle, sizes, size_of(pid), began_at
        )

    return asyncio.run(run())
