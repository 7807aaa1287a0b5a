"""The limits of a service: what it accepts, and how much of the machine it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

from melanoscope.errors import MelanoscopeError
from melanoscope.hardware import available_cores

_MAX_WORKERS = 256  # the machine may refuse so many threads, and later than at the start


@dataclass(frozen=True, slots=True)
class Settings:
    """Limits of a service; each number is above 0.

    Attributes:
        request_bytes: Largest body of one request.
        held_bytes: Largest sum of all bodies in memory; beyond it further ones are refused.
        pixels: Largest photograph, in pixels.
        heavy_pixels: Photographs of more pixels wait in the slow lane, as explanations do, so that
            huge ones keep no other client waiting.
        idle_seconds: Longest pause within a request, and longest time for its head.
        upload_seconds: Longest time in which a body may arrive.
        answer_seconds: Longest time from the whole body to the answer, waiting included.
        drain_seconds: Longest time in which a stopping service finishes what it has accepted.
        queue: Requests that may wait; beyond them further ones are refused.
        batch: Photographs that one run of the network may answer.
        workers: Threads that decode and run the network.
        steps: Most steps of Integrated Gradients, asked for or taken in search of completeness.
        connections: Connections that may be open at once.
        reserved_connections: Further ones that are let in for a moment, and are told only how the
            service is (`/healthz`, `/readyz`, `/metrics`) or that it is busy; any more are turned
            away.
        allowed_hosts: Names under which the service is reached, beside this machine's own name and
            addresses; "*" for every name.
        log_clients: Whether addresses of clients, which are personal data, are logged.

    Raises:
        MelanoscopeError: A limit of 0 or less, one that is infinite, too many workers.

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
    workers: int = field(default_factory=available_cores)
    steps: int = 256
    connections: int = 512
    reserved_connections: int = 64
    allowed_hosts: tuple[str, ...] = ()
    log_clients: bool = False

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            name = limit.name.replace("_", " ")
            if not value > 0:
                raise MelanoscopeError(f"a {name} above 0", f"{value!r}", "give another limit")
            if math.isinf(value):
                raise MelanoscopeError(f"a finite {name}", f"{value!r}", "give another limit")
        if self.workers > _MAX_WORKERS:
            raise MelanoscopeError(
                f"at most {_MAX_WORKERS} workers", f"{self.workers}", "one a core is best"
            )
