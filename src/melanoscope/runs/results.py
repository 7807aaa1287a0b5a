"""The results of a run: its summary, each row's predictions and intervals, the best network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.runs.cell import RowKey
from melanoscope.stats.bootstrap.group_bootstrap import (
    BootstrapResult,
    bootstrap_many,
    group_bootstrap,
)
from melanoscope.stats.bootstrap.group_weights import REPLICATES
from melanoscope.stats.bootstrap.weighted_metrics import ALL_METRICS
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.crossval_interval import CrossValidation
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.classification import METRICS, PRIMARY_METRIC
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.summary import Summary, SummaryRow, summarize
from melanoscope.target import MELANOMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.runs.reader import Run
    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights

PREVALENCE = 584 / 33_126
"""Share of melanomas in ISIC 2020, the least selected of the archives."""


@dataclass(frozen=True, eq=False, kw_only=True)
class RunResults:
    """A run with what is computed from it, each thing once and when it is first asked for.

    Attributes:
        run: The run.
        replicates: Number of replicates of each bootstrap.
    """

    run: Run
    replicates: int = REPLICATES

    @cached_property
    def by_cells(self) -> Summary:
        """Rows and comparisons by the results of the cells alone."""
        run = self.run
        return summarize(
            run.cells, planned=run.planned, cells_per_row=run.cells_per_row, protocol=run.protocol
        )

    @cached_property
    def summary(self) -> Summary:
        """Rows and comparisons of the tables, with the intervals that are reported."""
        if self.run.protocol == "poster":
            return self.by_cells
        intervals = {
            key: {name: found for name in METRICS if (found := self.interval(key, name))}
            for key in self.predictions
        }
        return self.by_cells.with_intervals(intervals, physicians=self.as_published)

    @property
    def as_published(self) -> bool:
        """Whether physicians and the poster were asked what the run asks: is it a melanoma?"""
        target = self.run.target
        return target.name == MELANOMA.name and not target.diagnoses

    @cached_property
    def best(self) -> RowKey | None:
        """The network of the largest mean AUROC (`best_row`); None without a complete row.

        Others may be as good, and its mean is flattered by the choice: `stats.selection` says which
        and by how much.
        """
        row = best_row(self.by_cells.rows)
        return None if row is None else (row.backbone, row.transfer)

    @cached_property
    def predictions(self) -> dict[RowKey, Predictions]:
        """Test predictions of each complete row, in the order of the summary."""
        tables = self.run.predictions.partition_by("backbone", "transfer", as_dict=True)
        rows = [(row.backbone, row.transfer) for row in self.by_cells.rows if row.complete]
        return {key: as_predictions(self.run, tables[key]) for key in rows}

    def validation(self, key: RowKey) -> Predictions:
        """Return the validation predictions of a row, named by its `key`."""
        table = self.run.validation.filter(backbone=key[0], transfer=key[1])
        return as_predictions(self.run, table)

    @cached_property
    def bootstrapped(self) -> dict[RowKey, BootstrapResult]:
        """All metrics of each complete row, resampled by the same weights of the groups."""
        named = {"/".join(key): one for key, one in self.predictions.items()}
        resampled = bootstrap_many(named, replicates=self.replicates)
        return {key: resampled["/".join(key)] for key in self.predictions}

    @property
    def weights(self) -> BootstrapWeights:
        """Weights of the groups behind `bootstrapped`."""
        return next(iter(self.bootstrapped.values())).weights

    def design(self, key: RowKey) -> CrossValidation:
        """Return how the results of a complete row were obtained."""
        row = self.by_cells.row(*key)
        if row is None:
            raise KeyError(key)
        # The poster's protocol tests the networks of all folds on one set of photographs.
        folds = 1 if self.run.protocol == "poster" else self.run.configuration.folds
        return CrossValidation(folds, row.n_train, row.n_test)

    @cached_property
    def measured(self) -> dict[RowKey, dict[str, Interval | str]]:
        """Interval of each complete row's metrics, or why there is none."""
        try:
            resampled: Mapping[RowKey, BootstrapResult] = self.bootstrapped
        except StatisticsError as error:
            why = str(error)
            return {key: dict.fromkeys(ALL_METRICS, why) for key in self.predictions}
        return {key: self._measure(key, resampled[key], ALL_METRICS) for key in self.predictions}

    def interval(self, key: RowKey, metric: str) -> Interval | None:
        """Return the interval of a complete row's `metric`, widened; None without one."""
        found = self.measured[key][metric]
        return None if isinstance(found, str) else found

    def primary(self, key: RowKey) -> Interval | None:
        """Return the interval of a complete row's AUROC: the same wherever it is given."""
        if "bootstrapped" in self.__dict__:
            return self.interval(key, PRIMARY_METRIC)
        metrics = (PRIMARY_METRIC,)
        try:
            resampled = group_bootstrap(
                self.predictions[key], metrics=metrics, replicates=self.replicates
            )
        except StatisticsError:
            return None
        found = self._measure(key, resampled, metrics)[PRIMARY_METRIC]
        return None if isinstance(found, str) else found

    def _measure(
        self, key: RowKey, resampled: BootstrapResult, metrics: tuple[str, ...]
    ) -> dict[str, Interval | str]:
        row, design = self.by_cells.row(*key), self.design(key)
        values = row.values if row is not None else {}
        one = self.predictions[key]
        return {name: measure(one, resampled, name, design, values.get(name)) for name in metrics}


def best_row(rows: Iterable[SummaryRow]) -> SummaryRow | None:
    """Return the complete row with the highest mean AUROC over its cells; None without one."""
    # A row that lacks folds would be judged by those that happened to finish first.
    complete = (row for row in rows if row.complete and row.keys)
    return max(complete, key=lambda row: row.estimate("auroc"), default=None)


def measure(
    predictions: Predictions,
    bootstrapped: BootstrapResult,
    metric: str,
    design: CrossValidation,
    values: Sequence[float] | None = None,
) -> Interval | str:
    """Return the interval of a metric, of test patients, training patients and training.

    Args:
        predictions: Predictions of one network.
        bootstrapped: The same predictions, resampled.
        metric: Name of the metric; it must have been resampled, unless it has a robust interval.
        design: How the predictions were obtained.
        values: The metric of each cell, at least two; None where it pools the folds.

    Returns:
        The interval, or why there is none: separated classes, too few patients.
    """
    try:
        return crossval_metric(predictions, bootstrapped, metric, design, values)
    except StatisticsError as error:
        return str(error)


def as_predictions(run: Run, rows: pl.DataFrame) -> Predictions:
    """Join predictions with the catalog's groups, photograph by photograph.

    Args:
        run: The run; a photograph's code is its row in the run's catalog.
        rows: Columns image_id, target, fold, repeat, seed_index, probability and threshold; without
            the last, 0.5 is taken. What was not trained (baselines) has no seed_index.

    Returns:
        The predictions, in the order of `rows`.

    Raises:
        StatisticsError: There is no row.
    """
    catalog = run.catalog.select("image_id", "group_id").with_row_index("photograph")
    catalog = catalog.with_columns(group=pl.col("group_id").rank("dense"))
    joined = rows.join(catalog, on="image_id", how="left", maintain_order="left")
    if "threshold" not in joined.columns:
        joined = joined.with_columns(threshold=pl.lit(0.5))
    fold_id = joined["repeat"] * run.configuration.folds + joined["fold"]
    if "seed_index" in joined.columns:
        fold_id += joined["seed_index"] * run.splits_per_row

    def column(values: pl.Series, kind: type[np.generic]) -> NDArray[Any]:
        return values.to_numpy().astype(kind)

    return Predictions(
        target=column(joined["target"], np.int64),
        probability=column(joined["probability"], np.float64),
        threshold=column(joined["threshold"], np.float64),
        fold_id=column(fold_id, np.int64),
        group=column(joined["group"], np.int64),
        image_index=column(joined["photograph"], np.int64),
    )
