"""Proof that no group is on both sides, and what crosses all the same: near-duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.sections.section import Section
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext
    from melanoscope.runs.reader import Run
    from melanoscope.stats.intervals.interval import Interval


def leaks(study: ReportContext) -> Section:
    """Count groups that a division splits, pairs that cross folds, and labels that disagree."""
    run = study.run
    pairs = crossing_pairs(run)
    touched = sorted({name for pair in pairs.select("a", "b").rows() for name in pair})
    numbers = {
        "divided_groups": divided_groups(run),
        "groups": run.catalog["group_id"].n_unique(),
        "nameless": run.catalog["patient_id"].null_count(),
        "photographs": run.catalog.height,
        "pairs": run.near_duplicates.height,
        "joined": bool(run.configuration["near_duplicates"]),
        "crossing": pairs.height,
        "touched": len(touched),
        "conflicting": pairs_that_conflict(run),
        "without": _without(study, touched),
        "with": None if study.best is None else study.bootstrapped[study.best].interval("auroc"),
        "examples": pairs.head(8).to_dicts(),
    }
    return Section("leaks", "Leaks", numbers, numbers)


def divided_groups(run: Run) -> int:
    """Groups with photographs in several folds; 0 is the proof that none is on both sides."""
    folds = [name for name in run.catalog.columns if name.startswith("fold_r")]
    homes = run.catalog.group_by("group_id").agg(pl.col(folds).n_unique())
    return int(homes.select(pl.max_horizontal(folds) > 1).to_series().sum())


def crossing_pairs(run: Run) -> pl.DataFrame:
    """Near-duplicates of which the folds of repeat 0 put one on each side."""
    fold = run.catalog.select("image_id", "fold_r0")
    joined = run.near_duplicates.join(fold, left_on="a", right_on="image_id").join(
        fold, left_on="b", right_on="image_id", suffix="_b"
    )
    crossing = joined.filter(pl.col("fold_r0") != pl.col("fold_r0_b"))
    return crossing.select(run.near_duplicates.columns).sort("likeness", descending=True)


def pairs_that_conflict(run: Run) -> int:
    """Near-duplicates with one label each way."""
    label = run.catalog.select("image_id", "target")
    joined = run.near_duplicates.join(label, left_on="a", right_on="image_id").join(
        label, left_on="b", right_on="image_id", suffix="_b"
    )
    return joined.filter(pl.col("target") != pl.col("target_b")).height


def _without(study: ReportContext, touched: list[str]) -> Interval | None:
    """AUROC of the best network on the test photographs without a copy in training."""
    if not touched or study.best is None:
        return None
    one = study.predictions[study.best]
    named = study.column("image_id")[one.photograph]
    try:
        rest = one.where(~np.isin(named.astype(str), touched))
        drawn = group_bootstrap(rest, metrics=("auroc",), replicates=study.replicates)
    except StatisticsError:
        return None
    return drawn.interval("auroc")
