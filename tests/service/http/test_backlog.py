"""Who has connected is accepted, and nobody connects any more, before a service stops."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys

import pytest

from melanoscope.service.http.backlog import accept_waiting
from melanoscope.service.server import open_socket

WAITING = 40


class Greeting(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"hello")
        transport.close()


def test_those_who_wait_are_accepted_and_no_others():
    async def stop() -> list[socket.socket]:
        listener = open_socket("127.0.0.1", 0)
        address = listener.getsockname()
        server = await asyncio.get_running_loop().create_server(Greeting, sock=listener)
        # The loop stands still meanwhile, so that the kernel alone has connected them.
        waiting = [socket.create_connection(address, timeout=5) for _ in range(WAITING)]
        await accept_waiting([listener])
        if sys.platform == "linux":
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.1)
        server.close()
        listener.close()
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
        return waiting

    for one in asyncio.run(stop()):
        with contextlib.closing(one):
            assert one.recv(100) == b"hello"
