"""Cells that a spreadsheet would take for a formula, and how they are written as text.

A formula in a table of strangers can send the table's other cells somewhere, or start a program.
OWASP's advice for CSV is followed: an apostrophe before what begins like one.
"""

from __future__ import annotations

import re

# What programs begin a formula by, with the wide forms that some take for the same.
_FORMULA = re.compile(r"[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\x00]")
_HARMLESS = re.compile(r"[+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?|[+-]?[.,]\d+|-+|\+|@")


def is_formula(cell: str) -> bool:
    """Say whether a spreadsheet may take a `cell` for a formula; numbers and dashes are none.

    >>> [is_formula(cell) for cell in ("=1+1", "-2+3", "@x", "-1.5e-3", "-", "img-1", "'=1")]
    [True, True, True, False, False, False, False]
    """
    return bool(_FORMULA.match(cell)) and not _HARMLESS.fullmatch(cell)


def as_text(cell: str) -> str:
    """Return a `cell` that every spreadsheet shows as text, the same one where it was none.

    >>> as_text("=1+1"), as_text("img_1"), as_text("-1.5")
    ("'=1+1", 'img_1', '-1.5')
    """
    return f"'{cell}" if is_formula(cell) else cell
