"""Clients of a service on this machine, well-behaved or not, in one event loop."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
BOUNDARY = "photograph-and-person"
SECONDS = 60.0  # longest that one answer is waited for


@dataclass(frozen=True)
class Sending:
    """A request of a `kind`: its bytes, in how many `pieces`, and which `share` is ever sent."""

    kind: str
    content: bytes
    pieces: int = 1
    share: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """What became of a request; a `status` of 0 is none, and `error` says why."""

    kind: str
    at: float
    seconds: float
    status: int = 0
    retry_after: str = ""
    error: str = ""


def encode_request(photograph: bytes, fields: dict[str, str], path: str = "diagnoses") -> bytes:
    """Write a whole request with a form."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photograph"; filename="p.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = "".join(parts).encode() + photograph + f"\r\n--{BOUNDARY}--\r\n".encode()
    head = (
        f"POST /v1/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
    return head.encode() + body


def mixed_requests(photographs: Sequence[bytes], huge: bytes, count: int) -> list[Sending]:
    """Mix what a service gets: mostly photographs, and of everything else a little."""
    fields = {"force": "true"}
    good = itertools.cycle([encode_request(one, fields) for one in photographs])
    why = itertools.cycle([encode_request(one, fields, "explanations") for one in photographs])
    broken = [encode_request(one[: len(one) // 2], fields) for one in photographs[:4]]
    large = encode_request(huge, fields)
    draw, found = random.Random(0), []
    for _ in range(count):
        kind = draw.choices(
            ("diagnosis", "explanation", "huge", "broken", "slow", "aborted"), (60, 12, 4, 10, 7, 7)
        )[0]
        found.append(
            {
                "diagnosis": lambda: Sending("diagnosis", next(good)),
                "explanation": lambda: Sending("explanation", next(why)),
                "huge": lambda: Sending("huge", large),
                "broken": lambda: Sending("broken", draw.choice(broken)),
                "slow": lambda: Sending("slow", next(good), pieces=8),
                "aborted": lambda: Sending("aborted", next(good), share=0.5),
            }[kind]()
        )
    return found


async def ask(port: int, one: Sending) -> Outcome:
    """Send one request over a connection of its own and read the answer."""
    at = time.perf_counter()
    try:
        async with asyncio.timeout(SECONDS):
            status, retry_after = await _exchange(port, one)
        error = ""
    except (OSError, EOFError, TimeoutError) as problem:
        status, retry_after, error = 0, "", repr(problem)
    return Outcome(one.kind, at, time.perf_counter() - at, status, retry_after, error)


async def ask_often(port: int, some: Sequence[Sending], rate: float) -> list[Outcome]:
    """Send requests at a `rate` per second, whether those before are answered or not."""
    start, tasks = time.perf_counter(), []
    for turn, one in enumerate(some):
        await asyncio.sleep(max(0.0, start + turn / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(port, one)))
    return list(await asyncio.gather(*tasks))


async def ask_in_turn(
    port: int, some: Sequence[Sending], clients: int, seconds: float
) -> list[Outcome]:
    """Be `clients` that send their next request once they have their answer."""
    end, found, turns = time.perf_counter() + seconds, [], itertools.cycle(some)

    async def client() -> None:
        while time.perf_counter() < end:
            found.append(await ask(port, next(turns)))

    await asyncio.gather(*(client() for _ in range(clients)))
    return found


async def ping(port: int, found: list[float], path: str = "healthz", pause: float = 0.1) -> None:
    """Ask how the service is, again and again until cancelled; append the seconds."""
    request = Sending("health", f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    while True:
        outcome = await ask(port, request)
        found.append(outcome.seconds if outcome.status == 200 else float("inf"))
        await asyncio.sleep(pause)


async def _exchange(port: int, one: Sending) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        content = one.content[: round(len(one.content) * one.share)]
        step = -(-len(content) // one.pieces)
        for place in range(0, len(content), step):
            writer.write(content[place : place + step])
            await writer.drain()
            if one.pieces > 1:
                await asyncio.sleep(0.05)
        if one.share < 1:
            return 0, ""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
        await reader.readexactly(int(headers["content-length"]))
        return int(head.split()[1]), headers.get("retry-after", "")
    finally:
        writer.transport.abort()
