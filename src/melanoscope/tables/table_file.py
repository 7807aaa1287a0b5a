"""A table in a file, whatever program saved it: opened, checked and read row by row.

Commas, semicolons, tabs or bars; UTF-8 with or without a byte order mark, UTF-16, or the encodings
of western Europe; a line ``sep=;``; padded names of columns; quoted line breaks; all line ends;
packed with gzip; workbooks. What is in memory does not grow with a text's length.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from melanoscope.checksums import file_sha256
from melanoscope.errors import DataError
from melanoscope.tables.content import detect_content
from melanoscope.tables.dialect import plain
from melanoscope.tables.header import column_names, find_column
from melanoscope.tables.records import Numbered
from melanoscope.tables.text_file import TextFile, open_text
from melanoscope.tables.workbook import Sheet, read_workbook

_SHOWN = 40  # characters of a cell in an error text
_HEAD_ROWS = 20  # rows among which a header is looked for


@dataclass(frozen=True)
class TableFile:
    """A table whose encoding, delimiter and header are known; see `open_table`.

    Attributes:
        path: The file.
        columns: Names of the columns as written, trimmed; "" for one without a name, such as the
            rows' numbers that pandas and R write first.
        source: What yields header and rows.
    """

    path: Path
    columns: tuple[str, ...]
    source: TextFile | Sheet

    @property
    def delimiter(self) -> str:
        """Delimiter of the cells; a comma for a workbook."""
        return self.source.dialect.delimiter if isinstance(self.source, TextFile) else ","

    @property
    def notes(self) -> tuple[str, ...]:
        """One line each for what a person should be told of how the table was read."""
        return self.source.notes

    def find(self, names: str | Sequence[str]) -> int | None:
        """Return the index of the first of `names` that is a column, in any case, or None."""
        return find_column(self.columns, names)

    def rows(self, start: int = 0, *, strict: bool = True) -> Iterator[Numbered]:
        """Iterate over the rows that have a cell filled, without the first `start` of them.

        Args:
            start: Rows to pass over.
            strict: Whether a row that is not as long as the header is an error; if not, it is
                given as it stands, and `fault` says what is wrong with it.

        Yields:
            The line in which a row begins (in a workbook its number), and its cells; with `strict`
            as many as there are columns.

        Raises:
            DataError: A row that is not as long as the header, or torn quotes; names line, column
                and cell.
        """
        width = len(self.columns)
        for line, cells in islice(self.source.numbered(), start + 1, None):
            if len(cells) != width:
                if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
                    del cells[width:]
                elif strict:
                    raise self.fault(line, cells) or ValueError(line)
            yield line, cells

    def fault(self, line: int, cells: Sequence[str]) -> DataError | None:
        """Return an error that says why a row is not as long as the header; None if it is."""
        width = len(self.columns)
        if len(cells) == width:
            return None
        cell = "1 cell" if width == 1 else f"{width} cells"
        expected = f"{cell}, as in the header, in line {line} of '{self.path.name}'"
        if len(cells) > width:
            extra = next((cell for cell in cells[width:] if cell.strip()), "").strip()
            found = f"{len(cells)}: '{extra[:_SHOWN]}' has no column"
            delimiter = "tab" if self.delimiter == "\t" else f"'{self.delimiter}'"
            mend = f"put a cell that holds a {delimiter} in quotes"
            if width == 1:
                mend += ", or remove what stands above the header"
            return DataError(expected, found, mend)
        found = (
            f"{len(cells)}: it ends in column '{self.columns[len(cells) - 1]}' with "
            f"'{cells[-1][:_SHOWN]}', before '{self.columns[len(cells)]}'"
        )
        return DataError(expected, found, "complete the row, or fetch the file again if it is cut")

    @cached_property
    def sha256(self) -> str:
        """The sha256 of the file in hexadecimal, as it was when first asked for."""
        return file_sha256(self.path)

    def is_unchanged(self) -> bool:
        """Return whether the file still is the one whose `sha256` was asked for."""
        return self.path.is_file() and file_sha256(self.path) == self.sha256


def open_table(path: str | Path, known: Collection[str] = ()) -> TableFile:
    """Open a table that any program saved.

    Args:
        path: Text with a header, perhaps packed with gzip, or a workbook.
        known: Names of columns that are looked for; they help to tell the delimiter.

    Returns:
        The table; its rows are read anew each time they are asked for.

    Raises:
        DataError: No table (says what it is), no header or lines above it, two columns of one name,
            no rows, or an encoding that changes within the file.
    """
    path = Path(path)
    content = detect_content(path)
    source = read_workbook(path) if content == "workbook" else open_text(path, content, known)
    first = list(islice(source.numbered(), 2))
    if not first:
        raise DataError(f"a table at '{path}'", "no cell filled", "check the file")
    _refuse_title(source, known, path)
    columns = column_names(first[0][1], f"'{path}'")
    if len(first) == 1:
        raise DataError(f"rows in '{path}'", "a header without rows", "add rows, or check the file")
    return TableFile(path, columns, source)


def _refuse_title(source: TextFile | Sheet, known: Collection[str], path: Path) -> None:
    """Refuse a title or a comment above the header, which would pass for a header."""
    names = {plain(name) for name in known}
    rows = [(line, {plain(cell) for cell in cells}) for line, cells in _head(source)]
    if not rows or names & rows[0][1]:
        return
    # Two known names in one row: a single one may be a word of a title, or a value.
    line = next((line for line, cells in rows[1:] if len(names & cells) > 1), None)
    if line is not None:
        title = next(source.numbered())[1]
        said = next((cell for cell in title if cell.strip()), "").strip()
        raise DataError(
            f"the names of the columns in the first row of '{path}'",
            f"'{said[:_SHOWN]}' there, and names of columns in line {line}",
            "remove what stands above them",
        )


def _head(source: TextFile | Sheet) -> list[Numbered]:
    """Return the first rows, so far as they can be read."""
    rows: list[Numbered] = []
    try:
        rows.extend(islice(source.numbered(), _HEAD_ROWS))
    except DataError:  # said where rows are read
        return []
    return rows
