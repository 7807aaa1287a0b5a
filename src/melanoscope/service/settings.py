"""What a service lets in, and how much of the machine it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields

from melanoscope.errors import MelanoscopeError


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of a service; each is above 0.

    Attributes:
        request_bytes: Most of one request's body.
        held_bytes: Most of all bodies that are held at once; beyond it new ones are shed.
        pixels: Most of one photograph.
        heavy_pixels: A photograph of more waits in the slow lane, as explanations do, so that
            whoever sends huge ones keeps nobody else waiting.
        idle_seconds: Longest pause within a request, and time to state one.
        upload_seconds: Longest that a body may take to arrive.
        answer_seconds: Longest from the whole body to the answer, waiting included.
        drain_seconds: Longest that a stopping service takes to finish what it took.
        queue: Requests that may wait; beyond them they are shed.
        batch: Photographs that one run of the network may answer.
        workers: Threads that decode and ask the network.
        steps: Most of Integrated Gradients, asked for or taken in search of completeness.
        connections: Open at once; beyond them they are turned away.
        log_clients: Whether addresses of clients are logged, which are personal data.

    Raises:
        MelanoscopeError: A limit of 0 or less.

    >>> Settings(queue=0)
    Traceback (most recent call last):
        ...
    melanoscope.errors.MelanoscopeError: expected a queue above 0; found 0; give another limit
    """

    request_bytes: int = 25_000_000
    held_bytes: int = 250_000_000
    pixels: int = 64_000_000
    heavy_pixels: int = 16_000_000
    idle_seconds: float = 10.0
    upload_seconds: float = 60.0
    answer_seconds: float = 30.0
    drain_seconds: float = 30.0
    queue: int = 128
    batch: int = 8
    workers: int = field(default_factory=cores)
    steps: int = 256
    connections: int = 512
    log_clients: bool = False

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if not isinstance(value, bool) and not value > 0:
                name = one.name.replace("_", " ")
                raise MelanoscopeError(f"a {name} above 0", f"{value!r}", "give another limit")
