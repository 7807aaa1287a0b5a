"""Tables as any program might write them, and as any accident might leave them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

from melanoscope.data.sources.own_csv import COLUMNS
from melanoscope.data.sources.text_table import read_table
from melanoscope.errors import DataError
from melanoscope.inference.batch.input_table import scan_table
from melanoscope.tables.table_file import TableFile, open_table

KNOWN = ("path", "target")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
# What tables break by, more often than chance would bring it.
_TROUBLE = st.sampled_from(
    ['"', '""', ",", ";", "\t", "|", "\n", "\r", "\r\n", " ", "'", "\\", "\ufeff", "\x1a", "\x1b",
     "\x85", "\u2028", "\x0b", "\x0c", "=", "é", "皮", "\U0001f600", ', "', "sep=;"]
)  # fmt: skip
CELLS = st.lists(st.one_of(_TROUBLE, st.text(_LETTERS, max_size=4)), max_size=4).map("".join)


@dataclass(frozen=True)
class Written:
    """A table that was written: its header, rows, and the bytes of the file."""

    header: list[str]
    rows: list[list[str]]
    content: bytes

    @property
    def filled(self) -> list[list[str]]:
        """The rows that have a cell filled; the others are no rows."""
        return [row for row in self.rows if any(cell.strip() for cell in row)]


@st.composite
def written_tables(draw: Callable[..., object]) -> Written:
    """Draw a table and write it in a dialect and encoding of its own."""
    width = draw(st.integers(0, 3))
    header = [*KNOWN, *(f"more_{number}" for number in range(width))]
    row = st.lists(CELLS, min_size=len(header), max_size=len(header))
    rows = draw(st.lists(row, min_size=1, max_size=5))
    delimiter, end = draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    every = draw(st.booleans())

    def quoted(cell: str) -> str:
        # Python's own writer leaves a line end that is not its own without quotes.
        if every or any(mark in cell for mark in f'{delimiter}"\r\n'):
            return '"' + cell.replace('"', '""') + '"'
        return cell

    text = "".join(delimiter.join(map(quoted, cells)) + end for cells in (header, *rows))
    return Written(header, rows, text.encode(draw(st.sampled_from(ENCODINGS))))


@st.composite
def damaged_tables(draw: Callable[..., object]) -> bytes:
    """Draw a written table and damage its bytes, once to three times."""
    content = bytearray(draw(written_tables()).content)
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(content))), draw(st.integers(0, 12))
        piece = draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from([b'"', b"\x00", b"\r", b"\n", b",", b"\xff\xfe", b"\xef\xbb\xbf"]),
                st.just(bytes(content[at : at + length]) * 2),
                st.just(b"x" * 140_000),
            )
        )
        content[at : at + draw(st.sampled_from([0, length]))] = piece
        if draw(st.booleans()):
            del content[draw(st.integers(0, len(content))) :]
    return bytes(content)


def check_written(folder: Path, table: Written) -> bool:
    """Check that a table reads as it was written, or is refused; return whether it was read."""
    path = folder / "table.csv"
    path.write_bytes(table.content)
    try:
        opened = open_table(path, KNOWN)
        rows = list(opened.rows())
    except DataError as error:
        check_refusal(error)
        return False
    assert list(opened.columns) == table.header
    found = [cells for _, cells in rows]
    assert found == table.filled
    lines = [line for line, _ in rows]
    assert lines == sorted(set(lines))
    return True


def check_damaged(folder: Path, content: bytes) -> bool:
    """Check that any bytes read without a loss of rows, or are refused in one line."""
    path = folder / "table.csv"
    path.write_bytes(content)
    try:
        opened = open_table(path, KNOWN)
        loose = list(opened.rows(strict=False))
    except DataError as error:
        check_refusal(error)
        for reader in (_scanned, _as_archive):
            assert reader(path) is None
        return False
    assert len(loose) == _count_rows(opened)
    faults = [error for line, cells in loose if (error := opened.fault(line, cells))]
    for error in faults:
        check_refusal(error)
        assert " in line " in str(error)
    scanned, archive = _scanned(path), _as_archive(path)
    assert scanned in (None, len(loose))
    assert archive in (None, len(loose))
    assert not faults or archive is None
    return True


def check_refusal(error: DataError) -> None:
    """Check that an error is one line that names the file."""
    assert str(error).isprintable()
    assert "table.csv" in str(error)


def _scanned(path: Path) -> int | None:
    try:
        return scan_table(path).rows
    except DataError as error:
        check_refusal(error)
        return None


def _as_archive(path: Path) -> int | None:
    try:
        return read_table(path, {}, COLUMNS).frame.height
    except DataError as error:
        check_refusal(error)
        return None


def _count_rows(table: TableFile) -> int:
    """Count the rows of a file anew, all of it at once, by Python's csv."""
    source = table.source
    text = table.path.read_bytes().decode(source.encoding)
    if source.dialect.has_sep_line:
        text = "".join(io.StringIO(text, newline="").readlines()[1:])
    records = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=source.dialect.delimiter,
        skipinitialspace=source.dialect.skips_blanks,
    )
    return sum(any(cell.strip() for cell in cells) for cells in records) - 1
