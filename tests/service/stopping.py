"""Clients of a service that is told to stop, and what became of all that they sent."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx

from .conftest import eventually, form, head, photograph, process

CLIENTS = 32
BODY = form(photograph())
REQUEST = head(len(BODY)) + BODY


class Client:
    """Sends one request after another, over one connection or each over its own."""

    def __init__(self, port: int, *, keeps_connection: bool, found: Counter[str]) -> None:
        self.port, self.keeps_connection, self.found = port, keeps_connection, found

    async def run(self) -> None:
        """Go on until nobody listens any more."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except ConnectionRefusedError:
                return
            except OSError as error:
                self.found[f"not connected: {error!r}"] += 1
                return
            try:
                while await self.ask(reader, writer):
                    pass
            except (OSError, EOFError) as error:
                self.found[f"sent and not answered: {error!r}"] += 1
            finally:
                writer.transport.abort()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send a request and read the answer; return whether to send another one."""
        writer.write(REQUEST)
        await writer.drain()
        top = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = top.partition(b"content-length: ")[2].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        closes = b"connection: close" in top
        self.found[f"{top.split()[1].decode()}{', the last' if closes else ''}"] += 1
        return self.keeps_connection and not closes


def stopped_under_load(
    folder: Path,
    seconds: float,
    prepare: Callable[[int], Callable[[], None]] = lambda _: lambda: None,
    **how: object,
) -> Counter[str]:
    """Stop a process of its own while `CLIENTS` ask it; return what they got.

    `prepare` is called with its port before, and what that returns right after the signal.
    """
    found: Counter[str] = Counter()
    lines: list[bytes] = []
    with process(folder, delay=0.005, **how) as (one, url):
        log = threading.Thread(target=lambda: lines.extend(one.stdout))  # or its pipe is full
        log.start()
        eventually(lambda: httpx.get(f"{url}/readyz").is_success)
        port = int(url.rpartition(":")[2])
        then = prepare(port)

        async def run() -> None:
            clients = [
                Client(port, keeps_connection=n % 2 == 0, found=found) for n in range(CLIENTS)
            ]
            tasks = [asyncio.create_task(client.run()) for client in clients]
            await asyncio.sleep(seconds)
            one.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                await asyncio.gather(asyncio.to_thread(then), *tasks)

        asyncio.run(run())
        started = time.monotonic()
        assert one.wait(20) == 0
        assert time.monotonic() - started < 5
        log.join()
    assert b"stopped" in lines[-1]
    return found


def check(found: Counter[str]) -> None:
    assert set(found) <= {"200", "200, the last"}, found
    assert found["200"] >= CLIENTS
    assert found["200, the last"] >= CLIENTS // 2  # who keeps a connection is told to leave it
