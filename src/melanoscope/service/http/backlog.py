"""Connections that wait to be accepted when a service stops.

The kernel connects clients before the service accepts them, and resets those that still wait when
the listening socket is closed, with the requests that they have sent. So first no more are let in,
then all that wait are accepted, and then the socket is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import selectors
import socket
import struct
import sys
from collections.abc import Sequence

HANDSHAKE_SECONDS = 0.2
"""How long clients that are just connecting are waited for."""

_SO_ATTACH_FILTER = 26
# Of a packet to a listening socket, byte 13 of the TCP header holds the flags; drop what has SYN.
_DROP_SYN = (
    (0x30, 0, 0, 13),  # load the byte
    (0x45, 0, 1, 0x02),  # is the bit of SYN set?
    (0x06, 0, 0, 0),  # yes: keep 0 bytes of the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # no: keep all of it
)


async def accept_waiting(listeners: Sequence[socket.socket]) -> None:
    """Let no more clients connect to `listeners`, and wait until the loop has accepted the others.

    Where the kernel cannot be told to let none in (not Linux), one that connects between the last
    look and the closing of the socket is reset.
    """
    for listener in listeners:
        _refuse_handshakes(listener)
    await asyncio.sleep(HANDSHAKE_SECONDS)
    end = asyncio.get_running_loop().time() + HANDSHAKE_SECONDS
    while _are_waiting(listeners) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0)
    for _ in range(4):  # the loop takes some turns from an accepted socket to its connection
        await asyncio.sleep(0)


def _refuse_handshakes(listener: socket.socket) -> None:
    """Have new clients go unheard; they try again in a second, and are refused then."""
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *line) for line in _DROP_SYN)
    kept = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(kept))
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)


def _are_waiting(listeners: Sequence[socket.socket]) -> bool:
    with selectors.DefaultSelector() as selector:
        for listener in listeners:
            selector.register(listener, selectors.EVENT_READ)
        return bool(selector.select(0))
