"""A table of photographs, read row by row: any length, never held in memory.

The table is a CSV in UTF-8 with a header, separated by commas, semicolons or tabs. The column
`photograph` (or `path`, `image`, `file`) names the files; `age`, `sex` and `site` are optional;
further columns pass unchanged.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from melanoscope.errors import DataError, nearest
from melanoscope.inference.bundle import file_sha256

_IMAGE_NAMES = ("photograph", "path", "image", "file")
_PATIENT_NAMES = ("age", "sex", "site")
_DELIMITERS = (",", ";", "\t")

Row = list[str]


@dataclass(frozen=True)
class InputTable:
    """A table whose rows were counted and whose columns were found.

    Attributes:
        image_column: Index of the column that names photographs.
        patient_columns: "age", "sex" and "site" -> index of the column, for those that are there.
        rows: Number of rows after the header, without empty lines.
    """

    path: Path
    delimiter: str
    header: Row
    image_column: int
    patient_columns: dict[str, int]
    rows: int
    sha256: str

    def iter_rows(self, start: int = 0) -> Iterator[Row]:
        """Iterate over the rows, without the first `start` ones."""
        return islice(_lines(self.path, self.delimiter), start + 1, None)

    def is_unchanged(self) -> bool:
        """Return whether the file still is the one whose rows were counted."""
        return self.path.is_file() and file_sha256(self.path) == self.sha256


def scan_table(path: Path) -> InputTable:
    """Read a table through once, before its first photograph is opened."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing there"
        raise DataError(f"a CSV table at '{path}'", found, "check the path")
    sha256 = file_sha256(path)
    delimiter, header = _header(path)
    rows = sum(1 for _ in _lines(path, delimiter)) - 1
    if rows == 0:
        raise DataError(f"photographs in '{path}'", "a header without rows", "add rows")
    patient_columns = {name: _index(header, name, path) for name in _PATIENT_NAMES}
    image_columns = (_index(header, name, path) for name in _IMAGE_NAMES)
    image_column = next((index for index in image_columns if index is not None), None)
    if image_column is None:
        names = [name for name in header if name.strip()][:12]
        raise DataError(
            f"a column 'photograph' (or 'path', 'image', 'file') in '{path}'",
            f"none so named ({nearest('photograph', names)})",
            "rename the column that names the files",
        )
    return InputTable(
        path=path,
        delimiter=delimiter,
        header=header,
        image_column=image_column,
        patient_columns={k: index for k, index in patient_columns.items() if index is not None},
        rows=rows,
        sha256=sha256,
    )


def _header(path: Path) -> tuple[str, Row]:
    """Return delimiter and header; preferred is the delimiter by which a column names files."""
    headers, errors = {}, []
    for delimiter in _DELIMITERS:
        try:
            headers[delimiter] = next(_lines(path, delimiter), [])
        except DataError as error:
            # Quoted names between semicolons are no CSV with commas.
            errors.append(error)
    if not headers:
        raise errors[0]

    def fit(delimiter: str) -> tuple[bool, int]:
        header = headers[delimiter]
        return any(_plain(name) in _IMAGE_NAMES for name in header), len(header)

    best = max(headers, key=fit)
    if not headers[best]:
        raise DataError(f"a CSV table at '{path}'", "an empty file", "check the file")
    return best, headers[best]


def _index(header: Row, name: str, path: Path) -> int | None:
    found = [index for index, column in enumerate(header) if _plain(column) == name]
    if len(found) > 1:
        raise DataError(f"one column '{name}' in '{path}'", f"{len(found)}", "rename others")
    return found[0] if found else None


def _plain(name: str) -> str:
    return name.strip().casefold()


def _lines(path: Path, delimiter: str) -> Iterator[Row]:
    """Iterate over header and rows, without empty lines; raise DataError where it is no CSV."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        # Strict, as a quote that is never closed would swallow all rows after it.
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
    """Return the line of the first byte that is not UTF-8, and the byte."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return number, line[error.start]
    return 1, 0
