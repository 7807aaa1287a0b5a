"""How a text separates its cells: found from a bounded head of it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
HEAD = 1 << 16
"""Characters of a text that are looked at."""

_ROWS = 100
_HEADER_ROWS = 20  # among which the names of columns are looked for
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_BLANKS_AND_QUOTE = re.compile(r' +"')
_SEP_LINE = re.compile(r'\ufeff?"?sep=(\\t|.)"?\s*?(?:\r\n|\r|\n|$)', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """A text's delimiter, whether a line ``sep=;`` says so, and whether blanks precede quotes."""

    delimiter: str
    has_sep_line: bool = False
    skips_blanks: bool = False


def plain(name: str) -> str:
    """Return a column's name as names are compared: trimmed, in one case.

    >>> plain("  Patient_ID ")
    'patient_id'
    """
    return name.strip().casefold()


def find_dialect(head: str, known: Collection[str] = ()) -> Dialect:
    r"""Find by which delimiter a text is a table.

    A first line ``sep=;``, as Excel writes it, decides. Else the delimiter by which most of the
    `known` names are columns, then the one by which the rows are as long as the header.

    Args:
        head: The first `HEAD` characters of the text, or all of it.
        known: Names of columns that are looked for, as `plain` returns them.

    Returns:
        The dialect; a comma where the text has one column.

    >>> find_dialect("path;age\na.jpg;45,5\n").delimiter
    ';'
    """
    if said := _SEP_LINE.match(head):
        delimiter = "\t" if said[1] == "\\t" else said[1]
        return Dialect(delimiter, True, _has_blanks_before_quotes(head, delimiter))
    best = max(DELIMITERS, key=lambda one: _fit(head, one, known))
    return Dialect(best, False, _has_blanks_before_quotes(head, best))


def _fit(head: str, delimiter: str, known: Collection[str]) -> tuple[int, float, int]:
    """Return how many known names, how even the rows and how wide the header is."""
    rows = _rows(head, delimiter)
    if not rows:  # nothing but delimiters
        return 0, 0.15, 0
    header, body = rows[0], rows[1:]
    # A title may stand above the header, which is then refused by the line that it stands in.
    hits = max(sum(plain(cell) in known for cell in row) for row in rows[:_HEADER_ROWS])
    if len(header) == 1:
        return hits, 0.1, 1
    even = sum(len(row) == len(header) for row in body) / len(body) if body else 1.0
    return hits, 0.2 + even, len(header)


def _rows(head: str, delimiter: str) -> list[list[str]]:
    """Return the first rows of a head, without the one in which it is cut off."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) > _ROWS:
                break
    except csv.Error:
        return rows
    return rows[:-1] if len(head) >= HEAD and 1 < len(rows) <= _ROWS else rows


def _has_blanks_before_quotes(head: str, delimiter: str) -> bool:
    """Return whether cells are written as ``a, "b"``, as people write tables by hand.

    Only where a cell begins: within a quoted one the same marks are somebody's words.
    """
    if delimiter == " " or not re.search(f'{re.escape(delimiter)} +"', head):
        return False
    rest = re.compile(f"[^{re.escape(delimiter)}\r\n]*")
    place = 0
    while place < len(head):
        if _BLANKS_AND_QUOTE.match(head, place):
            return True
        if quoted := _QUOTED.match(head, place):
            place = quoted.end()
        elif head[place] == '"':  # never closed, or cut off with the head
            return False
        if end := rest.match(head, place):
            place = end.end() + 1
    return False
