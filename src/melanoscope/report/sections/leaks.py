"""Proof that no group is on both sides, and what crosses all the same: near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.runs.reader import Run
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.interval import Interval


def leaks_section(context: ReportContext) -> Section:
    """Count groups that a division splits, pairs that cross folds, and labels that disagree."""
    run, best = context.run, context.best
    crossing = crossing_pairs(run)
    touched = sorted({image_id for pair in crossing.select("a", "b").rows() for image_id in pair})
    numbers = {
        "divided_groups": count_divided_groups(run),
        "groups": run.catalog["group_id"].n_unique(),
        "nameless": run.catalog["patient_id"].null_count(),
        "photographs": run.catalog.height,
        "pairs": run.near_duplicates.height,
        "joined": run.configuration.near_duplicates,
        "crossing": crossing.height,
        "touched": len(touched),
        "conflicting": count_conflicting_pairs(run),
        "without": _auroc_without(context, touched),
        "with": None if best is None else context.interval(best, "auroc"),
        "examples": crossing.head(8).to_dicts(),
    }
    return Section("leaks", "Leaks", numbers, numbers)


def count_divided_groups(run: Run) -> int:
    """Count the groups of a `run` with photographs in several folds; 0 proves that none leaks."""
    folds = [name for name in run.catalog.columns if name.startswith("fold_r")]
    folds_of_group = run.catalog.group_by("group_id").agg(pl.col(folds).n_unique())
    return int(folds_of_group.select(pl.max_horizontal(folds) > 1).to_series().sum())


def crossing_pairs(run: Run) -> pl.DataFrame:
    """Return a `run`'s near-duplicates in different folds of repeat 0, the likest first."""
    pairs = _pairs_with(run, "fold_r0")
    crossing = pairs.filter(pl.col("fold_r0") != pl.col("fold_r0_b"))
    columns = ["a", "b", "likeness", "relation"]
    return crossing.select(columns).sort("likeness", descending=True)


def count_conflicting_pairs(run: Run) -> int:
    """Count the near-duplicates of a `run` of which one is labelled positive and one is not."""
    return _pairs_with(run, "target").filter(pl.col("target") != pl.col("target_b")).height


def _pairs_with(run: Run, column: str) -> pl.DataFrame:
    """Return the near-duplicates with a column of the catalog for each of the two photographs."""
    values = run.catalog.select("image_id", column)
    first = run.near_duplicates.join(values, left_on="a", right_on="image_id")
    return first.join(values, left_on="b", right_on="image_id", suffix="_b")


def _auroc_without(context: ReportContext, image_ids: Sequence[str]) -> Interval | None:
    """Return the best network's AUROC on the test photographs without a copy in training."""
    if not image_ids or context.best is None:
        return None
    predictions = context.predictions[context.best]
    tested = context.column("image_id")[predictions.image_index]
    try:
        rest = predictions.where(~np.isin(tested.astype(str), image_ids))
        bootstrapped = group_bootstrap(rest, metrics=("auroc",), replicates=context.replicates)
        return crossval_metric(rest, bootstrapped, "auroc", context.design(context.best))
    except StatisticsError:
        return None
