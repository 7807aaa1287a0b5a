"""A text that holds a table: its encoding and dialect, found once, and its rows, read anew."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from melanoscope.tables.content import open_bytes
from melanoscope.tables.dialect import HEAD, Dialect, find_dialect, plain
from melanoscope.tables.encoding import find_encoding
from melanoscope.tables.records import Numbered, read_records


@dataclass(frozen=True)
class TextFile:
    """A text of known encoding and dialect; `notes` say what a person should know of them."""

    path: Path
    content: Literal["text", "gzip"]
    encoding: str
    dialect: Dialect
    notes: tuple[str, ...]

    def numbered(self) -> Iterator[Numbered]:
        """Iterate over the rows, header included, with the lines in which they begin."""
        with _open_text(self.path, self.content, self.encoding) as text:
            yield from read_records(text, self.dialect, f"'{self.path}'")


def open_text(path: Path, content: Literal["text", "gzip"], known: Collection[str]) -> TextFile:
    """Find encoding and dialect of the text at `path`.

    Args:
        path: Text, packed with gzip if `content` says so.
        content: As `detect_content` returns it.
        known: Names of columns that are looked for.

    Returns:
        The text.

    Raises:
        DataError: NUL bytes, a torn .gz, or an encoding that changes within the file.
    """
    facts = find_encoding(lambda: open_bytes(path, content), f"'{path}'")
    with _open_text(path, content, facts.encoding) as text:
        head = text.read(HEAD)
    notes = []
    if facts.is_guess:
        notes.append(f"'{path.name}' is not in UTF-8; it is read as {facts.name}")
    if not facts.has_final_newline:
        notes.append(
            f"the last line of '{path.name}' has no line break; if the file was not fetched whole, "
            "its last cell is cut off"
        )
    dialect = find_dialect(head, {plain(name) for name in known})
    return TextFile(path, content, facts.encoding, dialect, tuple(notes))


@contextlib.contextmanager
def _open_text(path: Path, content: Literal["text", "gzip"], encoding: str) -> Iterator[TextIO]:
    with (
        open_bytes(path, content) as file,
        io.TextIOWrapper(file, encoding, newline="") as text,
    ):
        yield text
