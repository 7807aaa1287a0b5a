"""An archive's table as text columns by our names, whatever program saved it, and where it lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path

import polars as pl

from melanoscope.errors import DataError, nearest
from melanoscope.tables.table_file import TableFile, open_table
from melanoscope.tables.unread_columns import LIKE, SLIP, unread_columns

Columns = Mapping[str, str | Sequence[str]]
"""Our name of a column -> its name in the file, or those that editions of the archive gave it."""

_SUFFIXES = (
    ".csv",
    ".tab",
    ".tsv",
    ".txt",
    ".csv.gz",
    ".tab.gz",
    ".tsv.gz",
    ".xlsx",
    ".xls",
    ".ods",
)
# With those that nobody sees and that web pages, macOS and joined files leave in cells.
_BLANKS = (
    " \t\r\n\v\f\u0085\u00a0\u2002\u2003\u2007\u2009\u202f\u3000"  # blanks
    "\u200b\u200e\u200f\u2060\ufeff"  # no width at all
)
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, eq=False)
class TextTable:
    """Columns of a table as text, and what a person should be told of how it was read.

    Attributes:
        frame: Columns by our names, trimmed, null where blank; and `line`, where a row begins.
        names: Our name -> the name in the file, of the columns that the file has.
        notes: One line each, of the encoding, the sheet, columns that are not read.
        columns: Names of all columns that the file has.
    """

    frame: pl.DataFrame
    names: Mapping[str, str]
    notes: tuple[str, ...]
    columns: tuple[str, ...]


def find_table(folder: str | Path, names: Sequence[str], kind: str) -> Path:
    """Return the first of several tables that an archive's folder holds.

    Args:
        folder: Folder of the archive.
        names: The table's names, the preferred one first.
        kind: Name of the archive, for errors.

    Returns:
        Path of the table.

    Raises:
        DataError: No such folder, or none of the tables in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"the folder of {kind}", f"no folder at '{folder}'", "check the path")
    if found := matching_table(folder, names):
        return found
    raise DataError(
        f"{' or '.join(names)} in '{folder}'",
        "neither" if len(names) > 1 else "no such file",
        f"put the table of {kind} beside its photographs",
    )


def matching_table(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the first of several tables in a folder, also in another case or format.

    Args:
        folder: Folder that is there.
        names: The table's names, the preferred one first.

    Returns:
        Path of the table, or None where the folder holds none of them.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    files = {
        file.name.casefold(): file
        for file in sorted(folder.iterdir())
        if not file.name.startswith(".") and file.is_file()
    }
    for name in names:
        stem = _table_stem(name)
        for suffix in (*_SUFFIXES, ""):
            if found := files.get(stem + suffix):
                return found
    return None


def _table_stem(name: str) -> str:
    """Return the name of a table in one case and without the suffix of its format."""
    plain = name.casefold()
    suffix = max((s for s in _SUFFIXES if plain.endswith(s)), key=len, default="")
    return plain.removesuffix(suffix)


def read_table(
    path: Path, columns: Columns, optional: Columns | None = None, *, say_unread: bool = False
) -> TextTable:
    """Read columns of a table as text.

    Args:
        path: Table as any program saves it; see `melanoscope.tables.table_file`.
        columns: Columns that the table must have.
        optional: Columns that may lack; they are null then.
        say_unread: Whether the notes name every column that is not read. Else they name those whose
            name is all but that of a column that lacks: "patientid" for "patient_id".

    Returns:
        The columns and what is to be said of the table.

    Raises:
        DataError: No table, a column that lacks, two of one name, or a row of another length.
    """
    wanted = {ours: _listed(names) for ours, names in {**columns, **(optional or {})}.items()}
    table = open_table(path, [name for names in wanted.values() for name in names])
    places: dict[str, int] = {}
    for ours, names in wanted.items():
        place = table.find(names)
        if place is not None:
            places[ours] = place
        elif ours in columns:
            sheet = next((note for note in table.notes if "the sheet" in note), "")
            raise DataError(
                f"a column {' or '.join(repr(name) for name in names)} in '{path}'",
                f"none so named ({nearest(names[0], [c for c in table.columns if c])})",
                "rename or add it" + (f" ({sheet})" if sheet else ""),
            )
    names_there = {ours: table.columns[place] for ours, place in places.items()}
    frame = _text_frame(table, places)
    frame = frame.select(
        *(pl.col(o) if o in places else pl.lit(None, pl.String).alias(o) for o in wanted), "line"
    )
    lacking = [names[0] for ours, names in wanted.items() if ours not in places and names]
    unread = unread_columns(
        table.columns,
        list(names_there.values()),
        lacking,
        every=say_unread,
        likeness=LIKE if say_unread else SLIP,
        option="--columns" if say_unread else "",
    )
    return TextTable(frame, names_there, (*table.notes, *unread), table.columns)


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names


def _text_frame(table: TableFile, places: Mapping[str, int]) -> pl.DataFrame:
    """Read the columns at `places` by so many rows at once that few are held as Python's text."""
    schema = pl.Schema({**dict.fromkeys(places, pl.String()), "line": pl.UInt32()})
    rows, parts = table.rows(), [pl.DataFrame(schema=schema)]
    # Other cells are let go at once: a garbage collector looks through all that is held. Two
    # indices more, as one alone would give no tuple.
    pick = itemgetter(0, 0, *places.values())
    while some := [(line, *pick(cells)) for line, cells in islice(rows, _ROWS_AT_ONCE)]:
        lines, _, _, *columns = zip(*some, strict=True)
        part = dict(zip(places, columns, strict=True))
        parts.append(pl.DataFrame({**part, "line": lines}, schema=schema))
    trimmed = pl.col(pl.String).str.strip_chars(_BLANKS)
    return pl.concat(parts).with_columns(trimmed.replace("", None))
