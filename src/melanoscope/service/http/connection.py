"""HTTP/1.1 as uvicorn speaks it, for clients that are slow, many or talk something else.

uvicorn waits for ever for the head of a request and for a client that does not read, and says in
plain text what is no HTTP. Which clients are kept how long is decided here.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from melanoscope.service.http.problems import Problem, plain

if TYPE_CHECKING:
    from starlette.responses import Response

    from melanoscope.service.settings import Settings


_READ_BYTES = 16_384
_SEND_BYTES = 131_072


class IdleTimeout:
    """Ends a connection unless it is stopped in time; started again, it goes on from before."""

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport, self._seconds = transport, seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin the time, or go on with the one that runs."""
        if self._timer is None:
            # Not close(): that would wait until everything is written.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._transport.abort)

    def stop(self) -> None:
        """Stop the time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Protocol(H11Protocol):
    """One connection; `bound` gives a class of it its limits."""

    settings: ClassVar[Settings]

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Let a client in, unless there are too many."""
        super().connection_made(transport)
        # What one reading brings is parsed in one go, during which nobody else is attended to.
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        # The kernel says that there is room again once a third of its buffer is free: of megabytes
        # that takes a slow client longer than it may pause.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES
        )
        self._reading = IdleTimeout(transport, self.settings.idle_seconds)
        self._writing = IdleTimeout(transport, self.settings.idle_seconds)
        if len(self.connections) > self.settings.connections:
            problem = Problem(
                "busy",
                f"at most {self.settings.connections} connections",
                "more",
                "try again in 2 s",
                headers={"Retry-After": "2"},
                retry_after=2,
            )
            transport.write(_written(problem.response("")))
            transport.close()
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a client."""
        self._reading.stop()
        self._writing.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """Note that a client does not read what it asked for."""
        super().pause_writing()
        self._writing.start()

    def resume_writing(self) -> None:
        """Note that it does."""
        self._writing.stop()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Say that this is no HTTP."""
        del msg
        self.transport.write(_written(plain(400, "")))
        self.transport.close()

    def on_response_complete(self) -> None:
        """Go on with the next request of a connection, or wait for it."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """Give a client time to state a request, or to end one that is answered already.

        Idle connections between requests are uvicorn's to close; while an answer is being made,
        its own time limits hold.
        """
        answering = self.cycle is not None and not self.cycle.response_complete
        unfinished = self.conn.their_state is h11.SEND_BODY
        idle = self.timeout_keep_alive_task is not None and not unfinished
        if answering or idle or self.transport.is_closing():
            self._reading.stop()
        else:
            self._reading.start()


def bound(settings: Settings) -> type[Protocol]:
    """Return the protocol under these limits."""
    return cast("type[Protocol]", type("BoundProtocol", (Protocol,), {"settings": settings}))


def _written(response: Response) -> bytes:
    """Write a response without uvicorn, and say that it is the last one."""
    lines = [f"HTTP/1.1 {response.status_code} {_phrase(response.status_code)}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    head = "\r\n".join([*lines, "x-content-type-options: nosniff", "connection: close", "", ""])
    return head.encode("latin-1") + bytes(response.body)


def _phrase(status: int) -> str:
    return {400: "Bad Request", 503: "Service Unavailable"}[status]
