"""From a text's lines to rows of cells with their line numbers; torn quotes are refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TextIO

from melanoscope.errors import DataError
from melanoscope.tables.dialect import Dialect

Numbered = tuple[int, list[str]]
"""The line in which a row begins, counted from 1, and its cells."""


def read_records(text: TextIO, dialect: Dialect, where: str) -> Iterator[Numbered]:
    """Iterate over the rows of a text, header included, without those that have no cell filled.

    Args:
        text: The text, opened with ``newline=""``; can be sought in.
        dialect: How it separates its cells.
        where: The table as error texts name it.

    Yields:
        Line number and cells of each row.

    Raises:
        DataError: A quote that is never closed, or that closes within a cell; names line, column
            and cell.
    """
    skipped = 0
    if dialect.has_sep_line:
        text.readline()
        skipped = 1
    # Strict, as a quote that is never closed would swallow all rows after it.
    reader = csv.reader(
        text, delimiter=dialect.delimiter, strict=True, skipinitialspace=dialect.skips_blanks
    )
    line, header = skipped + 1, list[str]()
    try:
        for cells in reader:
            end = skipped + reader.line_num
            if cells and (cells[0].strip() or any(cell.strip() for cell in cells)):
                header = header or cells
                if end > line:
                    _refuse_swallowed(cells, header, line, dialect, where)
                yield line, cells
            line = end + 1
    except csv.Error as error:
        text.seek(0)
        first = next(islice(text, line - 1, None), "")
        raise _torn(str(error), line, first, header, dialect, where) from None


def _torn(
    reason: str, line: int, first: str, header: Sequence[str], dialect: Dialect, where: str
) -> DataError:
    column, cell = _find_torn_cell(first, dialect)
    if "field limit" in reason and not cell.startswith('"'):
        found = f"one of more than {csv.field_size_limit():,} characters in line {line}"
        return DataError(f"shorter cells in {where}", found, "shorten it, or remove its column")
    name = f" '{header[column].strip()}'" if column < len(header) else ""
    return DataError(
        f"quotes in pairs in {where}",
        f"line {line}, column {column + 1}{name}: {cell[:40].rstrip()!r} ({reason})",
        "close the quote, or double it within a cell",
    )


def _find_torn_cell(line: str, dialect: Dialect) -> tuple[int, str]:
    """Return the index of the cell whose quotes are torn, and the rest of the line from there."""
    delimiter = re.escape(dialect.delimiter)
    blanks = " *" if dialect.skips_blanks else ""
    cell = re.compile(rf'{blanks}(?:"(?:[^"]|"")*"(?=[{delimiter}\r\n]|$)|(?!")[^{delimiter}]*)')
    place = column = 0
    while (found := cell.match(line, place)) and found.end() < len(line):
        if line[found.end()] != dialect.delimiter:
            break
        place, column = found.end() + 1, column + 1
    return column, line[place:].lstrip(" " if dialect.skips_blanks else "")


def _refuse_swallowed(
    cells: Sequence[str], header: Sequence[str], line: int, dialect: Dialect, where: str
) -> None:
    """Refuse a quoted cell that holds whole rows: two stray quotes look like a pair."""
    for column, cell in enumerate(cells):
        pieces = re.split(r"\r\n|\r|\n", cell)
        if len(pieces) < 2:
            continue
        widths = [_width(piece, dialect) for piece in pieces[1:]]
        # A note of several lines has no reason to be divided as a row is. Two cells are no sign.
        row_inside = len(header) > 2 and len(header) in widths[:-1]
        row_ends = column > 1 and widths[-1] == column + 1
        if row_inside or row_ends:
            name = f" '{header[column].strip()}'" if column < len(header) else ""
            raise DataError(
                f"one row in each row of {where}",
                f"a quote in line {line}, column {column + 1}{name}, that goes on over "
                f"{len(pieces) - 1} rows to line {line + len(pieces) - 1}",
                "close the quote, or double it within a cell",
            )


def _width(piece: str, dialect: Dialect) -> int:
    return len(next(csv.reader(io.StringIO(piece, newline=""), delimiter=dialect.delimiter), []))
