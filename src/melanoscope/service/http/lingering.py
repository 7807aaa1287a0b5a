"""A connection that is closed without losing what it was told last.

Closing a socket while bytes of the client are unread resets the connection, and with it goes an
answer that the client has not read yet: "too large" for example, while the photograph is still on
its way. So the sending half is closed first, and what still arrives is dropped for a moment (RFC
9112, section 9.6).
"""

from __future__ import annotations

import asyncio
from typing import Any

LINGER_SECONDS = 0.5
"""How long a client that has been told goodbye may go on sending."""


class LingeringTransport:
    """The `transport` of a connection, with a `close` that lets the client read to the end.

    Args:
        transport: Transport of a socket.
        idle_seconds: Longest time in which a client that is behind reads nothing.
    """

    def __init__(self, transport: asyncio.Transport, idle_seconds: float) -> None:
        self._transport, self._idle_seconds = transport, idle_seconds
        self._timer: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send `data`, unless the end has been sent."""
        if not self.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send what is written and the end; then wait for the client's, for some time only."""
        if self.is_closing():
            return
        self._transport.write_eof()
        self._transport.resume_reading()
        self._wait()

    def is_closing(self) -> bool:
        """Return whether what still arrives is to be dropped."""
        return self._timer is not None or self._transport.is_closing()

    def lost(self) -> None:
        """Note that the connection has ended."""
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        seconds = self._idle_seconds if unsent else LINGER_SECONDS
        self._timer = asyncio.get_running_loop().call_later(seconds, self._end, unsent)

    def _end(self, unsent: int) -> None:
        if self._transport.get_write_buffer_size() < unsent:
            self._wait()  # a slow client that reads
        else:
            self._transport.abort()
