"""Groups and near-duplicates on both sides of a division."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.leaks import (
    count_conflicting_pairs,
    count_divided_groups,
    crossing_pairs,
)


def test_leaks_are_counted(context: ReportContext, run_folder: Path) -> None:
    run = context.run
    catalog = run.catalog
    by_hand = catalog.group_by("group_id").agg(pl.col("fold_r0").n_unique() > 1)["fold_r0"].sum()
    assert count_divided_groups(run) == by_hand
    a, b = catalog["fold_r0"][0], catalog["fold_r0"][1]
    assert crossing_pairs(run).height == int(a != b)
    assert count_conflicting_pairs(run) == int(catalog["target"][0] != catalog["target"][1])
