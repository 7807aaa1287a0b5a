"""A multipart form read into memory, under limits that hold while it arrives.

Starlette's own reader writes files above a megabyte to disk, and a photograph of somebody's skin
has no business there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from melanoscope.service.http.parts import PHOTOGRAPH, Parts, broken
from melanoscope.service.http.problems import Problem, shown

if TYPE_CHECKING:
    from melanoscope.service.settings import Settings


@dataclass(frozen=True, eq=False, slots=True)
class Form:
    """What a request holds.

    Attributes:
        photograph: The file's content.
        fields: The others, by name.
    """

    photograph: bytes
    fields: dict[str, str]


class Held:
    """How many bytes of bodies are in memory; of one event loop.

    Args:
        most: Beyond which there is no room.
    """

    def __init__(self, most: int) -> None:
        self.most, self.now = most, 0

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Count what a request holds, until its end."""
        one = Lease(self)
        try:
            yield one
        finally:
            self.now -= one.size


class Lease:
    """What one request holds of `Held`."""

    def __init__(self, held: Held) -> None:
        self.held, self.size = held, 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            Problem: No room.
        """
        if self.held.now + size > self.held.most:
            raise Problem(
                "busy",
                "room for another photograph",
                "too many on their way",
                "try again in a moment",
                headers={"Retry-After": "2"},
                retry_after=2,
            )
        self.held.now += size
        self.size += size


async def read_form(
    request: Request, names: Collection[str], settings: Settings, lease: Lease
) -> Form:
    """Read a form of a photograph and fields of known names.

    Raises:
        Problem: No multipart form, a broken or truncated one, too large, too slow, or with fields
            that are unknown, twice there or too long.
        starlette.requests.ClientDisconnect: The client hung up.
    """
    parts = Parts(names)
    parser = MultipartParser(_boundary(request), parts.callbacks())
    _check_length(request, settings)
    size = 0
    async for chunk in _chunks(request, settings):
        size += len(chunk)
        if size > settings.request_bytes:
            raise _too_large(settings)
        lease.grow(len(chunk))
        try:
            parser.write(chunk)
        except FormParserError:
            raise broken("one that breaks the rules of RFC 7578") from None
    if not parts.whole:
        raise broken("a truncated one")
    photograph = parts.found.pop(PHOTOGRAPH, None)
    if photograph is None:
        raise Problem(
            "invalid-field",
            "a file in the field 'photograph'",
            "none",
            "send the photograph",
            field=PHOTOGRAPH,
        )
    return Form(photograph, {name: _text(name, data) for name, data in parts.found.items()})


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    encoding = request.headers.get("content-encoding", "identity").lower()
    if kind != b"multipart/form-data" or encoding != "identity":
        found = shown(kind.decode("latin-1")) if kind else "no content type"
        raise Problem(
            "not-multipart",
            "multipart/form-data, not encoded",
            found if encoding == "identity" else f"content encoding {shown(encoding)}",
            "send a form with the file in the field 'photograph'",
            headers={"Accept": "multipart/form-data"},
        )
    boundary = options.get(b"boundary", b"")
    # RFC 2046, section 5.1.1: 1 to 70 characters.
    if not 1 <= len(boundary) <= 70:
        raise broken("one without a boundary of 1 to 70 characters")
    return boundary


def _check_length(request: Request, settings: Settings) -> None:
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal() or int(stated) > settings.request_bytes:
        raise _too_large(settings)


async def _chunks(request: Request, settings: Settings) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.upload_seconds
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(min(settings.idle_seconds, end - loop.time())):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Problem(
                "slow-upload",
                f"the photograph within {settings.upload_seconds:g} seconds, without pauses of "
                f"more than {settings.idle_seconds:g}",
                "a part of it",
                "try again with a better connection, or send a smaller photograph",
            ) from None
        yield chunk


def _text(name: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Problem(
            "invalid-field", f"a {name} in UTF-8", shown(data), "send text", field=name
        ) from None


def _too_large(settings: Settings) -> Problem:
    most = settings.request_bytes
    return Problem(
        "too-large",
        f"a request of at most {most / 1e6:g} MB",
        "a larger one",
        "send a smaller photograph, as JPEG for example",
        most_bytes=most,
    )
