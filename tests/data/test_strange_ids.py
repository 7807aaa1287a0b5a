"""Ids that may not mean what they say."""

from __future__ import annotations

import polars as pl
import pytest

from melanoscope.data.strange_ids import describe_strange_ids


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["7", "007"], "'007' and '7' differ only in case"),
        (["7.0", "7", "8"], "'7' and '7.0' differ only"),
        (["P1", "p1", "Q", "q"], "differ only in case, zeros or '.0', as do 1 more"),
        (["1E+05", "2E+05"], "'1E+05' looks like a patient's id that a spreadsheet has rounded"),
        (["1,2e+15", "b"], "'1,2e+15' looks like"),
        (["999"] * 5, "5 photographs are of patient '999'"),
        (["999"] * 30 + [f"P{i}" for i in range(200)], "30 photographs are of patient '999'"),
    ],
)
def test_strange_ids_are_said(ids, said):
    assert any(said in note for note in describe_strange_ids(pl.Series("id", ids), "patient"))


@pytest.mark.parametrize(
    "ids",
    [
        [],
        [None, None],
        ["1", "2", "10", "P1", "P01", "1E5x"],
        ["a"] * 4,
        ["a"] * 30 + [f"P{i}" for i in range(300)],
        [f"P{i % 4}" for i in range(100)],
    ],
)
def test_usual_ids_are_not(ids):
    assert describe_strange_ids(pl.Series("id", ids, dtype=pl.String), "patient") == []
