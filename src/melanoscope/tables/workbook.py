"""Workbooks of Excel and LibreOffice, by python-calamine; held in memory, as they are bounded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from melanoscope.errors import DataError


@dataclass(frozen=True, eq=False)
class Sheet:
    """The first sheet of a workbook: its rows as text, the number of its first row, and notes."""

    rows: list[list[str]]
    first_row: int
    notes: tuple[str, ...]

    def numbered(self) -> Iterator[tuple[int, list[str]]]:
        """Iterate over rows that have a cell filled, with their numbers as the program shows."""
        for number, cells in enumerate(self.rows, self.first_row):
            if any(cell.strip() for cell in cells):
                yield number, cells.copy()


def read_workbook(path: Path) -> Sheet:
    """Read the first sheet of the workbook at `path`.

    Args:
        path: Workbook of Excel or LibreOffice.

    Returns:
        Its first sheet; a note says which it is if there are several.

    Raises:
        DataError: The extra is not installed, or the workbook cannot be read.
    """
    try:
        from python_calamine import CalamineWorkbook
    except ImportError:
        raise DataError(
            f"a CSV table at '{path}'",
            "a workbook, which takes a further package",
            "pip install 'melanoscope[xlsx]', or save it as 'CSV UTF-8'",
        ) from None
    try:
        with path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
            names = workbook.sheet_names
            sheet = workbook.get_sheet_by_index(0)
            cells, start = sheet.to_python(), sheet.start
            n_filled = _fill_merged(cells, start or (0, 0), sheet.merged_cell_ranges or [])
    except Exception as error:  # noqa: BLE001 - its errors have no common class
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"a whole workbook at '{path}'",
            f"one that cannot be read ({reason})",
            "save it again, or as 'CSV UTF-8'",
        ) from None
    if not cells and len(names) > 1:
        raise DataError(
            f"a table in the first sheet of '{path}'",
            f"'{names[0]}' empty, and {len(names) - 1} more",
            "move the table to the first sheet",
        )
    notes = []
    if len(names) > 1:
        others = ", ".join(f"'{name}'" for name in names[1:4]) + (", ..." if names[4:] else "")
        notes.append(f"'{path.name}': the sheet '{names[0]}' is read, and not {others}")
    if n_filled:
        notes.append(f"'{path.name}': {n_filled:,} cells merged with one above hold what it holds")
    first_row = start[0] + 1 if start else 1
    return Sheet([[_text(cell) for cell in row] for row in cells], first_row, tuple(notes))


def _fill_merged(
    rows: list[list[Any]],
    start: tuple[int, int],
    merged: Iterable[tuple[tuple[int, int], tuple[int, int]]],
) -> int:
    """Give each row the value of a cell that is merged over several; return how many cells.

    Such a cell, a patient's over all of the patient's rows, holds its value in the first row alone.
    """
    n_filled = 0
    for (top, left), (bottom, _) in merged:
        row, column = top - start[0], left - start[1]
        for below in range(row + 1, min(bottom - start[0] + 1, len(rows))):
            rows[below][column] = rows[row][column]
            n_filled += 1
    return n_filled


def _text(cell: Any) -> str:
    """Return a cell as people see it: 45 for the number 45.0, and days without an hour."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
