"""A multipart form parsed into memory, under limits that hold while its body arrives.

Starlette's parser writes files above a megabyte to disk, and a photograph of somebody's skin has
no business there; its subclass here keeps every file in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from melanoscope.service.http.problems import Problem, busy, quoted

if TYPE_CHECKING:
    from starlette.requests import Request

    from melanoscope.service.settings import Settings

_PHOTOGRAPH = "photograph"  # the one field that is a file
_MAX_FIELD_BYTES = 100  # of every other field; the longest word that means something has 15
_MAX_BOUNDARY = 70  # RFC 2046, section 5.1.1


class BodyBudget:
    """Limit how many bytes of request bodies are in memory at once, within one event loop."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0

    @contextmanager
    def reserve(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that counts bytes of one request, and raises "busy" beyond the limit."""
        reserved = 0

        def add(size: int) -> None:
            nonlocal reserved
            if self.used + size > self.limit:
                raise busy("room for another photograph", "too many on their way", 2)
            self.used += size
            reserved += size

        try:
            yield add
        finally:
            self.used -= reserved


async def read_form(
    request: Request, names: Collection[str], settings: Settings, reserve: Callable[[int], None]
) -> FormData:
    """Parse a form of a photograph and fields of known `names`; `reserve` counts its bytes."""
    _check_content_type(request)
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > settings.request_bytes:
        raise _too_large(settings)
    parser = _FormParser(request.headers, _limited_body(request, settings, reserve), names)
    try:
        form = await parser.parse()
    # Not every Starlette turns the parser's errors into its own; the last is of a charset that a
    # client names.
    except (MultiPartException, FormParserError, UnicodeError):
        raise _broken_form("one that breaks the rules of RFC 7578") from None
    if not parser.complete:
        raise _broken_form("a truncated one")
    if _PHOTOGRAPH not in form:
        raise Problem(
            "invalid-field",
            "a file in the field 'photograph'",
            "none",
            "send the photograph",
            field=_PHOTOGRAPH,
        )
    return form


def _broken_form(found: str) -> Problem:
    return Problem("broken-request", "a whole multipart form", found, "send it again")


def _too_large(settings: Settings) -> Problem:
    return Problem(
        "too-large",
        f"a request of at most {settings.request_bytes / 1e6:g} MB",
        "a larger one",
        "send a smaller photograph, as JPEG for example",
        most_bytes=settings.request_bytes,
    )


class _FormParser(MultiPartParser):
    """Starlette's parser for known fields, all of which stay in memory.

    What is wrong with a field is said as soon as its head has arrived, not after the whole body.
    """

    # `SpooledTemporaryFile` takes 0 for a file that never goes to disk, however large it is.
    spool_max_size = 0

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], names: Collection[str]
    ) -> None:
        super().__init__(headers, stream)
        self._names = names
        self._found: set[str] = set()
        self.complete = False

    def on_headers_finished(self) -> None:
        part = self._current_part
        kind, options = parse_options_header(part.content_disposition)
        if kind != b"form-data" or b"name" not in options:
            raise _broken_form("a part without a name")
        name = options[b"name"].decode("latin-1")
        if name not in self._names or name in self._found:
            raise Problem(
                "invalid-field",
                f"the fields {', '.join(self._names)}, each at most once",
                f"{'another' if name in self._found else 'a field'} {quoted(name)}",
                "leave it out",
            )
        self._found.add(name)
        # The field's name alone says what is a file. The file's own name, which may be missing and
        # may name a person, is replaced.
        file = f'; filename="{_PHOTOGRAPH}"' if name == _PHOTOGRAPH else ""
        part.content_disposition = f'form-data; name="{name}"{file}'.encode()
        super().on_headers_finished()

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > _MAX_FIELD_BYTES:
            raise Problem(
                "invalid-field",
                f"a {part.field_name} of at most {_MAX_FIELD_BYTES} bytes",
                "more",
                "say it in fewer words",
                field=part.field_name,
            )
        super().on_part_data(data, start, end)

    def on_end(self) -> None:
        self.complete = True


def _check_content_type(request: Request) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity" or kind != b"multipart/form-data":
        found = quoted(kind.decode("latin-1")) if kind else "no content type"
        raise Problem(
            "not-multipart",
            "multipart/form-data, not encoded",
            found if encoding == "identity" else f"content encoding {quoted(encoding)}",
            "send a form with the file in the field 'photograph'",
            headers={"Accept": "multipart/form-data"},
        )
    if not 1 <= len(options.get(b"boundary", b"")) <= _MAX_BOUNDARY:
        raise _broken_form(f"one without a boundary of 1 to {_MAX_BOUNDARY} characters")


async def _limited_body(
    request: Request, settings: Settings, reserve: Callable[[int], None]
) -> AsyncGenerator[bytes, None]:
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.upload_seconds
    stream, size = request.stream(), 0
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
        size += len(chunk)
        if size > settings.request_bytes:
            raise _too_large(settings)
        reserve(len(chunk))
        yield chunk
