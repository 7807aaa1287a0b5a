"""A table of photographs to be diagnosed: which columns name them and their patients.

The column `photograph` (or `path`, `image`, `file` and so on) names the files; `age`, `sex` and
`site` are optional; further columns pass. What `melanoscope.tables` reads is read: any
length, never held in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from melanoscope.errors import DataError, nearest
from melanoscope.tables.common_names import PATH_NAMES, PATIENT_NAMES
from melanoscope.tables.dialect import plain
from melanoscope.tables.table_file import TableFile, open_table
from melanoscope.tables.unread_columns import unread_columns

IMAGE_NAMES = ("photograph", *(name for name in PATH_NAMES if name != "photograph"))


@dataclass(frozen=True)
class InputTable:
    """A table whose rows were counted and whose columns were found.

    Attributes:
        table: The table itself.
        image_column: Index of the column that names photographs.
        patient_columns: "age", "sex" and "site" -> index of the column, for those that are there.
        rows: Number of rows after the header that have a cell filled.
        notes: One line each for what a person should be told of how the table is read.
    """

    table: TableFile
    image_column: int
    patient_columns: dict[str, int]
    rows: int
    notes: tuple[str, ...]

    @property
    def header(self) -> list[str]:
        """Names of the columns."""
        return list(self.table.columns)


def scan_table(path: Path) -> InputTable:
    """Read a table through once, before its first photograph is opened.

    Args:
        path: Table of photographs.

    Returns:
        The table, its rows counted.

    Raises:
        DataError: No table, no column that names photographs, or torn quotes.
    """
    known = [name for names in (IMAGE_NAMES, *PATIENT_NAMES.values()) for name in names]
    table = open_table(path, known)
    image_column = table.find(IMAGE_NAMES)
    if image_column is None:
        raise DataError(
            f"a column 'photograph' (or 'path', 'image', 'file') in '{path}'",
            f"none so named ({nearest('photograph', [c for c in table.columns if c][:12])})",
            "rename the column that names the files",
        )
    places = {name: table.find(names) for name, names in PATIENT_NAMES.items()}
    patient_columns = {name: place for name, place in places.items() if place is not None}
    read = [table.columns[place] for place in (image_column, *patient_columns.values())]
    renamed = [
        f"column '{table.columns[place]}' is read as {name}"
        for name, place in patient_columns.items()
        if plain(table.columns[place]) != name
    ]
    unread = unread_columns(table.columns, read, list(PATIENT_NAMES))
    rows = sum(1 for _ in table.rows(strict=False))
    return InputTable(table, image_column, patient_columns, rows, (*table.notes, *renamed, *unread))
