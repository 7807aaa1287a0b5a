"""A table of photographs, row by row: any length, never held in memory.

A CSV in UTF-8 with a header, separated by commas, semicolons or tabs. Column `photograph` (or
`path`, `image`, `file`); optional `age`, `sex`, `site`; further columns are somebody else's.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from melanoscope.errors import DataError, nearest

PHOTOGRAPH_NAMES = ("photograph", "path", "image", "file")
PERSON_NAMES = ("age", "sex", "site")
_DELIMITERS = (",", ";", "\t")

Row = list[str]


@dataclass(frozen=True)
class Table:
    """A table that was read through once.

    Attributes:
        path: The CSV.
        delimiter: Between its fields.
        header: Names of its columns, as they stand there.
        photograph: Index of the column that names photographs.
        person: Index of each of `PERSON_NAMES` that is there.
        rows: How many rows follow the header; empty lines are none.
        sha256: Of the file.
    """

    path: Path
    delimiter: str
    header: tuple[str, ...]
    photograph: int
    person: dict[str, int]
    rows: int
    sha256: str

    def read(self, skip: int = 0) -> Iterator[Row]:
        """Go through the rows, from the one after `skip` rows on."""
        for number, row in enumerate(_lines(self.path, self.delimiter), -1):
            if number >= skip:
                yield row

    def is_unchanged(self) -> bool:
        """Say whether the file still is the one that was read through."""
        return self.path.is_file() and _sha256(self.path) == self.sha256


def read_through(path: Path) -> Table:
    """Find out all that is asked of a table before its first photograph is opened.

    Raises:
        DataError: No CSV in UTF-8, no column that names photographs, or no rows.
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing there"
        raise DataError(f"a CSV table at '{path}'", found, "check the path")
    sha256 = _sha256(path)
    delimiter, header = _header(path)
    rows = sum(1 for _ in _lines(path, delimiter)) - 1
    if rows == 0:
        raise DataError(f"photographs in '{path}'", "a header without rows", "add rows")
    columns = {name: _index(header, (name,), path) for name in PERSON_NAMES}
    photograph = _index(header, PHOTOGRAPH_NAMES, path)
    if photograph is None:
        shown = [name for name in header if name.strip()][:12]
        raise DataError(
            f"a column 'photograph' (or 'path', 'image', 'file') in '{path}'",
            f"none so named ({nearest('photograph', shown)})",
            "rename the column that names the files",
        )
    person = {name: index for name, index in columns.items() if index is not None}
    return Table(path, delimiter, header, photograph, person, rows, sha256)


def _header(path: Path) -> tuple[str, tuple[str, ...]]:
    """Return delimiter and header: that reading in which a column names photographs."""
    headers, refusals = {}, []
    for delimiter in _DELIMITERS:
        try:
            with contextlib.closing(_lines(path, delimiter)) as lines:
                headers[delimiter] = tuple(next(lines, ()))
        except DataError as error:
            # Quoted names between semicolons are no CSV with commas.
            refusals.append(error)
    if not headers:
        raise refusals[0]

    def fit(delimiter: str) -> tuple[bool, int]:
        header = headers[delimiter]
        return any(_plain(name) in PHOTOGRAPH_NAMES for name in header), len(header)

    best = max(headers, key=fit)
    if not headers[best]:
        raise DataError(f"a CSV table at '{path}'", "an empty file", "check the file")
    return best, headers[best]


def _index(header: Sequence[str], names: Sequence[str], path: Path) -> int | None:
    """Return the place of the first of these names that is there."""
    for name in names:
        places = [place for place, found in enumerate(header) if _plain(found) == name]
        if len(places) > 1:
            raise DataError(f"one column '{name}' in '{path}'", f"{len(places)}", "rename others")
        if places:
            return places[0]
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(name: str) -> str:
    return name.strip().casefold()


def _lines(path: Path, delimiter: str) -> Generator[Row]:
    """Go through header and rows, without empty lines.

    Raises:
        DataError: A line that is not UTF-8, or not CSV: a quote that is never closed would
            swallow all rows after it.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            yield from (row for row in reader if row)
        except UnicodeDecodeError:
            line, byte = _not_utf8(path)
            raise DataError(
                f"a CSV in UTF-8 at '{path}'",
                f"byte 0x{byte:02x} in line {line}",
                "save it as 'CSV UTF-8'",
            ) from None
        except csv.Error as error:
            raise DataError(
                f"a CSV at '{path}'", f"{error} in line {reader.line_num}", "mend the quotes there"
            ) from None


def _not_utf8(path: Path) -> tuple[int, int]:
    """Find the first byte that is not UTF-8, and its line."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, line[error.start]
    return 1, 0
