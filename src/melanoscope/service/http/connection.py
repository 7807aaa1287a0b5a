"""HTTP/1.1 connections of uvicorn, limited for clients that are slow, many or speak no HTTP.

uvicorn waits for ever for the head of a request and for a client that does not read, and says in
plain text what is no HTTP. Which clients are kept how long is decided here.
"""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, cast

import h11
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

from melanoscope.service.http.lingering import LingeringTransport
from melanoscope.service.http.middleware import crowded
from melanoscope.service.http.problems import busy, status_response

if TYPE_CHECKING:
    from starlette.responses import Response

    from melanoscope.service.settings import Settings


_READ_BYTES = 16_384
_SEND_BYTES = 131_072
# A stopping service waits so long for a request that a client sent before it could know.
_LAST_REQUEST_SECONDS = 0.5
# Longest pause of a client above the limit of connections.
_OVER_SECONDS = 1.0


class _IdleTimeout:
    """Abort the connection `transport` in `seconds` from `start`, unless stopped in time."""

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport, self._seconds = transport, seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the timer; one that runs already goes on from before."""
        if self._timer is None:
            # Not close(): that would wait until everything is written.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._seconds, self._transport.abort)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _LimitedConnection(H11Protocol):
    """One connection under the limits of `settings`; see `limited_connection`."""

    settings: ClassVar[Settings]

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        """Let a client in through `transport`, unless there are too many."""
        self._lingering = LingeringTransport(transport, self.settings.idle_seconds)
        self._is_last = False
        super().connection_made(cast("asyncio.Transport", self._lingering))
        # What one reading brings is parsed in one go, during which no other client is served.
        transport.max_size = _READ_BYTES  # type: ignore[attr-defined]
        # The kernel says that there is room again once a third of its buffer is free: of megabytes
        # that takes a slow client longer than it may pause.
        transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES
        )
        over = len(self.connections) - self.settings.connections
        idle_seconds = self.settings.idle_seconds
        if over > 0:
            # Whoever asks whether the service is well is answered; nobody else, and quickly.
            self._is_last, idle_seconds = True, min(_OVER_SECONDS, idle_seconds)
            self.app = crowded(self.app)
        self._reading = _IdleTimeout(transport, idle_seconds)
        self._writing = _IdleTimeout(transport, self.settings.idle_seconds)
        if over > self.settings.reserved_connections:
            expected = f"at most {self.settings.connections} connections"
            self._end_with(busy(expected, "more", 2).response(""))
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers of a connection that ended with `exc` or, without one, as it should."""
        self._reading.stop()
        self._writing.stop()
        self._lingering.lost()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse `data` unless the connection is being closed."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._is_last and self._is_answering():
            self._answer_last()
        self._watch()

    def shutdown(self) -> None:
        """Answer what has been asked, or is asked in a moment, as the last of the connection."""
        self._is_last = True
        if self._is_answering():
            self._answer_last()
        else:
            self._unset_keepalive_if_required()
            asyncio.get_running_loop().call_later(_LAST_REQUEST_SECONDS, self._close_idle)

    def pause_writing(self) -> None:
        """Give a client that does not read its response a limited time to go on."""
        super().pause_writing()
        self._writing.start()

    def resume_writing(self) -> None:
        """Note that the client reads its response again."""
        self._writing.stop()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem document; `msg`, which may quote it, is dropped."""
        del msg
        self._end_with(status_response(400, ""))

    def on_response_complete(self) -> None:
        """Go on with the connection's next request, or wait for it."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        """Give a client time to state a request, or to end one that is answered already."""
        # Idle connections between requests are uvicorn's to close; while an answer is being made,
        # its own time limits hold.
        unfinished = self.conn.their_state is h11.SEND_BODY
        idle = self.timeout_keep_alive_task is not None and not unfinished
        if self._is_answering() or idle or self.transport.is_closing():
            self._reading.stop()
        else:
            self._reading.start()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _answer_last(self) -> None:
        # Told so, a client sends its next request elsewhere instead of into a closing connection.
        if self.cycle.keep_alive and not self.cycle.response_started:
            self.cycle.default_headers = [*self.cycle.default_headers, CLOSE_HEADER]
        self.cycle.keep_alive = False

    def _close_idle(self) -> None:
        if not self._is_answering():
            self.transport.close()

    def _end_with(self, response: Response) -> None:
        """Write a response past uvicorn, which knows of no request here, and close."""
        lines = [f"HTTP/1.1 {response.status_code} {HTTPStatus(response.status_code).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        head = "\r\n".join([*lines, "x-content-type-options: nosniff", "connection: close", "", ""])
        self.transport.write(head.encode("latin-1") + bytes(response.body))
        self.transport.close()


def limited_connection(settings: Settings) -> type[H11Protocol]:
    """Return the class of connections under the limits of `settings`, for uvicorn's `http`."""
    return type("LimitedConnection", (_LimitedConnection,), {"settings": settings})
