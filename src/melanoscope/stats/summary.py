"""From the predictions of all cells to the rows and comparisons of the tables.

A cell is one network trained once: backbone x transfer x repeat x fold x seed. A row is all cells
of one backbone and transfer, with one result per (repeat, fold): the mean over its seeds
(`stats.cells`). Comparisons pair results of one (repeat, fold): same test photographs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.cells import CellNumbers, SplitKey, group_cells, mean_over_seeds
from melanoscope.stats.comparison import (
    CORRECTED,
    POSTER,
    Comparison,
    Method,
    compare_family,
    compare_overall,
    smallest_starred,
)
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.predictions import CellPredictions
from melanoscope.stats.reference.physicians import PHYSICIANS, p_above
from melanoscope.transfers import REFERENCES


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """All cells of one backbone and transfer: metrics per fold and their means with intervals.

    Attributes:
        values: Metric -> one value per (repeat, fold): the mean over its seeds.
        keys: (repeat, fold) of each value.
        cells: Metric -> (repeat, fold, seed_index) -> value of each finished cell that has numbers.
        over_folds: Metric -> mean and interval by the results of the folds alone, where there are
            two or more: the corrected t, or the poster's.
        intervals: Metric -> the interval that is reported (`Summary.with_intervals`).
        planned: Number of cells that should be there.
        n_train: Mean number of photographs trained on per cell; NaN without cells.
        n_test: Mean number of photographs tested on per cell; NaN without cells.
        prevalence: Share of positives among the tested photographs; NaN without cells.
        above: Key of each group of physicians -> one-sided p-value that the network's AUROC is
            above theirs; empty unless the row is complete.
        failed: (repeat, fold, seed_index) of each finished cell without numbers -> why, such as NaN
            among its probabilities.
    """

    backbone: str
    transfer: str
    values: dict[str, tuple[float, ...]]
    keys: tuple[SplitKey, ...]
    cells: dict[str, dict[CellNumbers, float]]
    over_folds: dict[str, Interval]
    planned: int
    n_train: float
    n_test: float
    prevalence: float
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    above: dict[str, float] = field(default_factory=dict)
    failed: dict[CellNumbers, str] = field(default_factory=dict)

    @property
    def finished(self) -> int:
        """Number of cells that have numbers."""
        return len(self.cells["auroc"])

    @property
    def complete(self) -> bool:
        """Whether every planned cell is there and has numbers."""
        return self.finished == self.planned

    def estimate(self, metric: str) -> float:
        """Return the mean of a `metric` over folds and repeats that have it; NaN without any."""
        return float(np.mean(self.values[metric])) if self.keys else float("nan")


@dataclass(frozen=True)
class Summary:
    """The rows and comparisons of a benchmark.

    Attributes:
        rows: All planned rows.
        comparisons: Comparisons of all complete rows with their references.
        overall: Transfer -> mean difference of AUROC from its reference over all backbones.
        smallest_starred: Transfer -> about the smallest difference of AUROC that could have had a
            star; empty by the poster's protocol.
    """

    rows: tuple[SummaryRow, ...]
    comparisons: tuple[Comparison, ...]
    overall: dict[str, PairedTest]
    smallest_starred: dict[str, float]

    def with_intervals(
        self, intervals: Mapping[tuple[str, str], Mapping[str, Interval]], *, physicians: bool
    ) -> Summary:
        """Give each complete row its reported `intervals`, and compare with `physicians` by them.

        Args:
            intervals: (backbone, transfer) -> metric -> the interval that is reported.
            physicians: Whether rows are compared with physicians, who looked for melanoma.

        Returns:
            The summary with these.
        """
        rows = []
        for row in self.rows:
            mine = intervals.get((row.backbone, row.transfer), {})
            above = {}
            if physicians and "auroc" in mine:
                # The corrected t alone can by luck be surer than the patients allow.
                found = [mine["auroc"], *filter(None, [row.over_folds.get("auroc")])]
                above = {group.key: p_above(found, group) for group in PHYSICIANS}
            rows.append(replace(row, intervals=mine, above=above))
        return replace(self, rows=tuple(rows))

    def row(self, backbone: str, transfer: str) -> SummaryRow | None:
        """Find the row of a `backbone` and `transfer`, or None."""
        key = (backbone, transfer)
        return next((row for row in self.rows if (row.backbone, row.transfer) == key), None)

    def comparison(self, backbone: str, transfer: str, metric: str) -> Comparison | None:
        """Find a comparison, or None where the row or its reference is missing or unfinished."""
        key = (backbone, transfer, metric)
        matching = (c for c in self.comparisons if (c.backbone, c.transfer, c.metric) == key)
        return next(matching, None)


def summarize(
    cells: Iterable[CellPredictions],
    *,
    planned: Sequence[tuple[str, str]],
    cells_per_row: int,
    protocol: str = "corrected",
) -> Summary:
    """Compute every row and comparison of a benchmark.

    Only complete rows are compared with their reference: a row that lacks folds would be compared
    on the folds that happened to finish first. With the protocol "poster" all is computed as the
    poster did.

    Args:
        cells: Finished cells, in any order.
        planned: (backbone, transfer) of every row, finished or not.
        cells_per_row: Number of folds x repeats x seeds.
        protocol: "corrected" or "poster".

    Returns:
        Rows in the order of `planned`, and comparisons by transfer, metric and backbone.

    Raises:
        StatisticsError: A cell that was not planned or appears twice, or paired cells with other
            photographs. Predictions from which no metric can be computed are no error: their row
            says so in `SummaryRow.failed`, and the others stand.
    """
    grouped = group_cells(cells, planned)
    method = POSTER if protocol == "poster" else CORRECTED
    rows = {key: _row(*key, mine, cells_per_row, method) for key, mine in grouped.items()}
    comparisons: list[Comparison] = []
    overall: dict[str, PairedTest] = {}
    smallest: dict[str, float] = {}
    for transfer in REFERENCES:
        pairs = _complete_pairs(rows, transfer)
        for metric in METRICS:
            comparisons += compare_family(pairs, transfer, metric, method)
        if pairs:
            overall[transfer] = compare_overall(pairs, method)
            if method.adjusted:
                smallest[transfer] = smallest_starred(comparisons, transfer)
    return Summary(tuple(rows.values()), tuple(comparisons), overall, smallest)


def _row(
    backbone: str,
    transfer: str,
    cells: dict[CellNumbers, CellPredictions],
    planned: int,
    method: Method,
) -> SummaryRow:
    by_cell: dict[CellNumbers, dict[str, float]] = {}
    failed = {}
    for key in sorted(cells):
        try:
            by_cell[key] = method.metrics(cells[key])
        except StatisticsError as error:
            failed[key] = str(error)
    ordered = [cells[key] for key in by_cell]
    of_cells = {name: {key: found[name] for key, found in by_cell.items()} for name in METRICS}
    of_splits = {name: mean_over_seeds(found) for name, found in of_cells.items()}
    keys = tuple(of_splits["auroc"])
    values = {name: tuple(found.values()) for name, found in of_splits.items()}
    n_train, n_test, prevalence = (float("nan"),) * 3
    over_folds: dict[str, Interval] = {}
    if ordered:
        n_train = float(np.mean([cell.n_train for cell in ordered]))
        n_test = float(np.mean([cell.target.size for cell in ordered]))
        prevalence = float(np.mean(np.concatenate([cell.target for cell in ordered])))
    for name in METRICS if len(keys) >= 2 else ():
        with suppress(StatisticsError):  # all results are 0, or 1
            over_folds[name] = method.interval(values[name], n_train=n_train, n_test=n_test)
    return SummaryRow(
        backbone=backbone,
        transfer=transfer,
        values=values,
        keys=keys,
        cells=of_cells,
        over_folds=over_folds,
        intervals={} if method.adjusted else over_folds,
        planned=planned,
        n_train=n_train,
        n_test=n_test,
        prevalence=prevalence,
        failed=failed,
    )


def _complete_pairs(
    rows: dict[tuple[str, str], SummaryRow], transfer: str
) -> list[tuple[SummaryRow, SummaryRow]]:
    """Pair each complete row of a transfer with its complete reference: (reference, row)."""
    complete = {key: row for key, row in rows.items() if row.complete and len(row.keys) >= 2}
    return [
        (complete[reference], row)
        for row in complete.values()
        if row.transfer == transfer
        and (reference := (row.backbone, REFERENCES[transfer])) in complete
    ]
