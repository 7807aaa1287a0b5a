"""A run as the evidence wants it: arrays, drawn once and shared by all sections of the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.tables.tables import ALPHA
from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult, bootstrap_many
from melanoscope.stats.calibration.calibration_intervals import (
    brier_interval,
    calibration_line_intervals,
)
from melanoscope.stats.predictions import Predictions
from melanoscope.transfers import TRANSFER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from melanoscope.runs.reader import Run
    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.intervals.interval import Interval
    from melanoscope.stats.summary import Summary

RowKey = tuple[str, str]
"""Backbone and arm of one row of the tables."""

REPLICATES = 2000
PREVALENCE = 584 / 33_126
"""Of melanoma in ISIC 2020, the least selected of the archives."""


@dataclass(frozen=True, eq=False)
class ReportContext:
    """A run with everything that several sections need.

    Attributes:
        run: The run.
        summary: Its rows and comparisons.
        labels: Backbone -> name for readers.
        beside: Other runs to be set beside it, the poster's protocol for example.
        prevalence: Share of melanomas at which decisions are to be read.
        replicates: Of each bootstrap.
    """

    run: Run
    summary: Summary
    labels: Mapping[str, str]
    beside: tuple[Run, ...] = ()
    prevalence: float = PREVALENCE
    replicates: int = REPLICATES

    @cached_property
    def predictions(self) -> dict[RowKey, Predictions]:
        """Test predictions of each row with all its cells, in the order of the summary."""
        complete = [(row.backbone, row.transfer) for row in self.summary.rows if row.complete]
        return {key: predictions_of(self.run, *key) for key in complete}

    @cached_property
    def bootstrapped(self) -> dict[RowKey, BootstrapResult]:
        """All metrics of each complete row, resampled by the same draws."""
        named = {"/".join(key): rows for key, rows in self.predictions.items()}
        drawn = bootstrap_many(named, replicates=self.replicates)
        return {key: drawn["/".join(key)] for key in self.predictions}

    @property
    def draws(self) -> BootstrapWeights:
        """The draws behind `bootstrapped`."""
        return next(iter(self.bootstrapped.values())).weights

    @cached_property
    def best(self) -> RowKey | None:
        """The complete row with the highest mean AUROC, or None."""
        rows = [row for row in self.summary.rows if row.complete and row.keys]
        if not rows:
            return None
        best = max(rows, key=lambda row: row.estimate("auroc"))
        return best.backbone, best.transfer

    def interval(self, key: RowKey, metric: str) -> Interval | None:
        """Interval over patients of a metric of a row; None where some replicate lacks a class."""
        return interval_of(self.predictions[key], self.bootstrapped[key], metric)

    @property
    def alpha(self) -> float:
        """Level of the tests."""
        return ALPHA

    def label(self, key: RowKey) -> str:
        """Name a row for readers."""
        return f"{self.labels.get(key[0], key[0])}, {TRANSFER_NAMES[key[1]]}"

    def column(self, name: str) -> NDArray[np.object_]:
        """A column of the catalog by code of photograph: `column(c)[predictions.image_index]`."""
        return self.run.catalog[name].to_numpy(allow_copy=True)


def interval_of(one: Predictions, drawn: BootstrapResult, metric: str) -> Interval | None:
    """Interval over patients of a metric; None where some replicate lacks a class.

    Brier score, calibration slope and intercept have robust intervals over groups: draws keep the
    number of melanomas nearly fixed, and percentiles would be far too narrow for them.
    """
    told = one.target, one.probability, one.group
    if metric == "brier":
        return brier_interval(*told)
    if metric in ("calibration_slope", "calibration_intercept"):
        return calibration_line_intervals(*told)[metric == "calibration_intercept"]
    try:
        return drawn.interval(metric)
    except StatisticsError:
        return None


def predictions_of(run: Run, backbone: str, transfer: str) -> Predictions:
    """Return the test predictions of one row; photographs are coded by their row in the catalog."""
    rows = run.predictions.filter(backbone=backbone, transfer=transfer)
    return as_predictions(run, rows)


def validation_of(run: Run, backbone: str, transfer: str) -> Predictions | None:
    """Return the validation predictions of one row, or None in runs of earlier versions."""
    if run.validation is None:
        return None
    return as_predictions(run, run.validation.filter(backbone=backbone, transfer=transfer))


def as_predictions(run: Run, rows: pl.DataFrame) -> Predictions:
    """Line up rows of predictions with the catalog's groups.

    Args:
        run: The run; its catalog names groups.
        rows: Columns image_id, target, fold, repeat, probability and, if there is one, threshold.
    """
    catalog = run.catalog.select("image_id", "group_id").with_row_index("photograph")
    catalog = catalog.with_columns(group=pl.col("group_id").rank("dense"))
    folds = int(run.record["configuration"]["folds"])
    joined = rows.join(catalog, on="image_id", how="left", maintain_order="left")
    if "threshold" not in joined.columns:
        joined = joined.with_columns(threshold=pl.lit(0.5))
    return Predictions(
        target=joined["target"].to_numpy().astype(np.int64),
        probability=joined["probability"].to_numpy().astype(np.float64),
        threshold=joined["threshold"].to_numpy().astype(np.float64),
        fold_id=(joined["repeat"] * folds + joined["fold"]).to_numpy().astype(np.int64),
        group=joined["group"].to_numpy().astype(np.int64),
        image_index=joined["photograph"].to_numpy().astype(np.int64),
    )
