"""No cell of a stranger begins a formula in a table that is written for people."""

from __future__ import annotations

import pytest

from melanoscope.tables.formulas import as_text

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://x")',
    "+1+1",
    "+cmd|' /C calc'!A0",
    "-1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\uff1d1",
    "-abc",
    "\x00=1",
]
TEXTS = ["", "a", "img_1", "-1", "+1.5", "-1,5", "-.5", "1e-3", "-1.5E+3", "-", "--", "'=1", "a=1"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_formulas_become_text(cell: str) -> None:
    assert as_text(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", TEXTS)
def test_everything_else_stays(cell: str) -> None:
    assert as_text(cell) == cell
    assert as_text(as_text(cell)) == cell
