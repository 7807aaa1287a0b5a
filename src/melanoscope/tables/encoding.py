"""In which encoding a table's text is: found by reading it through once, in flat memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO

from melanoscope.errors import DataError

Open = Callable[[], AbstractContextManager[IO[bytes]]]

_CHUNK = 1 << 18
_HEAD = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# No text of any encoding that is guessed has these; tabs, line ends and the end mark of DOS it may.
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x19\x1b-\x1f]")
_NAMES = {"cp1252": "Windows-1252", "latin-1": "Latin-1", "utf-16": "UTF-16", "utf-32": "UTF-32"}


@dataclass(frozen=True)
class TextFacts:
    """A text's encoding as Python names it, whether it was guessed, and how the text ends."""

    encoding: str
    is_guess: bool
    has_final_newline: bool

    @property
    def name(self) -> str:
        """The encoding's name for people."""
        return _NAMES.get(self.encoding, "UTF-8")


@dataclass(frozen=True)
class _Fault:
    """The first place where a text does not decode: its line, its byte, and what came before."""

    line: int
    byte: int
    was_ascii: bool


def find_encoding(open_file: Open, where: str) -> TextFacts:
    """Read a text through and find its encoding.

    A byte order mark decides, else the pattern of NUL bytes that UTF-16 makes, else UTF-8 if all of
    it is that. A text with bytes that are not, and with no letters of UTF-8 before them, is taken
    as Windows-1252, or Latin-1 where it has bytes that Windows-1252 leaves undefined.

    Args:
        open_file: Opens the text as bytes, each time anew.
        where: The file as error texts name it.

    Returns:
        The encoding and how the text ends.

    Raises:
        DataError: NUL bytes, or a text that begins in one encoding and goes on in another.
    """
    with open_file() as file:
        head = file.read(_HEAD)
    marked = _marked(head)
    found = _read_through(open_file, marked or "utf-8", where)
    if not isinstance(found, _Fault):
        return found
    if marked or not found.was_ascii:
        name = _NAMES.get(marked or "", "UTF-8")
        raise DataError(
            f"a text in one encoding in {where}",
            f"{name} up to line {found.line}, and there byte 0x{found.byte:02x}",
            "fetch it again, or save it as 'CSV UTF-8'",
        )
    if control := _CONTROL.search(head):
        raise DataError(
            f"text in {where}",
            f"a control character, byte 0x{control[0][0]:02x}, as in a file of another kind",
            "name the table itself",
        )
    for legacy in ("cp1252", "latin-1"):
        guessed = _read_through(open_file, legacy, where)
        if not isinstance(guessed, _Fault):
            break
    assert not isinstance(guessed, _Fault)  # noqa: S101 - every byte is one of Latin-1
    return TextFacts(guessed.encoding, is_guess=True, has_final_newline=guessed.has_final_newline)


def _marked(head: bytes) -> str | None:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    # Letters of western languages in UTF-16 have every other byte zero.
    for odd, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = head[odd::2], head[1 - odd :: 2]
        if zeros and zeros.count(0) > 0.5 * len(zeros) and others.count(0) < 0.1 * len(others):
            return name
    return None


def _read_through(open_file: Open, encoding: str, where: str) -> TextFacts | _Fault:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, last, was_ascii = 1, "", True
    with open_file() as file:
        for chunk, is_last in _chunks(file):
            try:
                text = decoder.decode(chunk, final=is_last)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(encoding, "replace")
                was_ascii = was_ascii and good.isascii()
                line += _line_ends(last, good)
                return _Fault(line, error.object[error.start], was_ascii)
            if "\0" in text:
                line += _line_ends(last, text[: text.index("\0")])
                raise DataError(
                    f"text in {where}",
                    f"NUL bytes in line {line}, as of a file that was not written to its end",
                    "fetch or save it again",
                )
            was_ascii = was_ascii and text.isascii()
            line += _line_ends(last, text)
            last = text[-1:] or last
    return TextFacts(encoding, is_guess=False, has_final_newline=last in "\r\n")


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    while chunk := file.read(_CHUNK):
        yield chunk, False
    yield b"", True


def _line_ends(last: str, text: str) -> int:
    """Count line ends of all three kinds; `last` is the character before `text`."""
    split = last == "\r" and text.startswith("\n")
    return text.count("\n") + text.count("\r") - text.count("\r\n") - split
