"""From the predictions of all cells to the rows and comparisons of the tables.

A cell is one network trained once: backbone x transfer x repeat x fold. A row is all cells of
one backbone and transfer. Comparisons pair cells of one (repeat, fold): same test photographs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.crossval_interval import corrected_t_interval, corrected_t_test
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.metrics.classification import METRICS, table_metrics
from melanoscope.stats.predictions import CellPredictions
from melanoscope.stats.reference.physicians import PHYSICIANS, p_above
from melanoscope.stats.reference.poster_protocol import hard_metrics, poster_interval, poster_t_test
from melanoscope.transfers import REFERENCES

_Cells = dict[tuple[str, str], dict[tuple[int, int], CellPredictions]]


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """All cells of one backbone and transfer: metrics per cell and their means with intervals.

    Attributes:
        values: Metric -> one value per finished cell of which it can be computed.
        keys: (repeat, fold) of each value.
        intervals: Metric -> mean and interval; empty with fewer than two cells.
        planned: Number of cells that should be there.
        n_train: Mean number of photographs trained on per cell; NaN without cells.
        n_test: Mean number of photographs tested on per cell; NaN without cells.
        prevalence: Share of positives among the tested photographs; NaN without cells.
        above: Key of each group of physicians -> one-sided p-value that the network's AUROC is
            above theirs; empty unless the row is complete.
        failed: (repeat, fold) of each finished cell without numbers -> why, such as NaN among its
            probabilities.
    """

    backbone: str
    transfer: str
    values: dict[str, tuple[float, ...]]
    keys: tuple[tuple[int, int], ...]
    intervals: dict[str, Interval]
    planned: int
    n_train: float
    n_test: float
    prevalence: float
    above: dict[str, float] = field(default_factory=dict)
    failed: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every planned cell is there and has numbers."""
        return len(self.keys) == self.planned

    def estimate(self, metric: str) -> float:
        """Return the mean of a `metric` over the cells that have it; NaN without any."""
        return float(np.mean(self.values[metric])) if self.keys else float("nan")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One transfer against its reference (`transfers.REFERENCES`), for one backbone and metric.

    Attributes:
        test: Difference (transfer - reference) with interval, t and one-sided p-value.
        p_holm: P-value adjusted over the backbones of the same transfer and metric; as it is with
            the poster's protocol, which did not adjust.
    """

    backbone: str
    transfer: str
    metric: str
    test: PairedTest
    p_holm: float

    @property
    def stars(self) -> str:
        """Two stars below 0.001, one below 0.05, after Holm."""
        return "**" if self.p_holm < 0.001 else "*" if self.p_holm < 0.05 else ""


@dataclass(frozen=True)
class Summary:
    """The rows and comparisons of a benchmark.

    Attributes:
        rows: All planned rows.
        comparisons: Comparisons of all complete rows with their references.
        overall: Transfer -> mean difference of AUROC from its reference over all backbones.
    """

    rows: tuple[SummaryRow, ...]
    comparisons: tuple[Comparison, ...]
    overall: dict[str, PairedTest]

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
    physicians: bool = True,
) -> Summary:
    """Compute every row and comparison of a benchmark.

    Only complete rows are compared, with their reference or with physicians: a row that lacks folds
    would be compared on the folds that happened to finish first. With the protocol "poster" nothing
    is compared with physicians, and all is computed as the poster did.

    Args:
        cells: Finished cells, in any order.
        planned: (backbone, transfer) of every row, finished or not.
        cells_per_row: Number of folds x repeats.
        protocol: "corrected" or "poster".
        physicians: Whether complete rows are compared with physicians, who looked for melanoma.

    Returns:
        Rows in the order of `planned`, and comparisons by transfer, metric and backbone.

    Raises:
        StatisticsError: A cell that was not planned or appears twice, or paired cells with other
            photographs. Predictions from which no metric can be computed are no error: their row
            says so in `SummaryRow.failed`, and the others stand.
    """
    grouped = _group(cells, planned)
    statistics = _POSTER if protocol == "poster" else _CORRECTED
    if not physicians:
        statistics = replace(statistics, physicians=False)
    rows = {key: _row(*key, mine, cells_per_row, statistics) for key, mine in grouped.items()}
    comparisons: list[Comparison] = []
    overall: dict[str, PairedTest] = {}
    for transfer in REFERENCES:
        pairs = _complete_pairs(rows, transfer)
        for metric in METRICS:
            comparisons += _family(pairs, transfer, metric, statistics)
        if pairs:
            overall[transfer] = _overall(pairs, statistics)
    return Summary(tuple(rows.values()), tuple(comparisons), overall)


@dataclass(frozen=True, kw_only=True)
class _Statistics:
    """How a protocol computes metrics, intervals and tests; sizes are n_train and n_test."""

    metrics: Callable[[CellPredictions], dict[str, float]]
    interval: Callable[..., Interval]
    test: Callable[..., PairedTest]
    adjusted: bool
    physicians: bool


_CORRECTED = _Statistics(
    metrics=lambda cell: table_metrics(cell.target, cell.probability, cell.threshold),
    interval=corrected_t_interval,
    test=lambda a, b, **sizes: corrected_t_test(a - b, **sizes),
    adjusted=True,
    physicians=True,
)
_POSTER = _Statistics(
    metrics=lambda cell: hard_metrics(cell.target, cell.probability),
    interval=lambda values, **_sizes: poster_interval(values),
    test=lambda a, b, **_sizes: poster_t_test(a, b),
    adjusted=False,
    physicians=False,
)


def _group(cells: Iterable[CellPredictions], planned: Sequence[tuple[str, str]]) -> _Cells:
    """Sort cells into rows; all networks of one (repeat, fold) must have the same photographs."""
    grouped: _Cells = {key: {} for key in planned}
    first: dict[tuple[int, int], CellPredictions] = {}
    for cell in cells:
        row, key = grouped.get((cell.backbone, cell.transfer)), (cell.repeat, cell.fold)
        if row is None or key in row:
            raise StatisticsError(
                "each planned cell once",
                f"{cell.backbone}-{cell.transfer}-r{cell.repeat}-f{cell.fold} "
                + ("twice" if row else "unplanned"),
                "check the predictions",
            )
        other = first.setdefault(key, cell)
        same = np.array_equal(cell.image_id, other.image_id)
        if not (same and np.array_equal(cell.target, other.target)):
            raise StatisticsError(
                "the same test photographs for all networks of one repeat and fold",
                f"others in repeat {key[0]}, fold {key[1]}: {other.backbone}-{other.transfer} "
                f"and {cell.backbone}-{cell.transfer}",
                "do not mix runs with other folds",
            )
        row[key] = cell
    return grouped


def _row(
    backbone: str,
    transfer: str,
    cells: dict[tuple[int, int], CellPredictions],
    planned: int,
    statistics: _Statistics,
) -> SummaryRow:
    by_cell: dict[tuple[int, int], dict[str, float]] = {}
    failed = {}
    for key in sorted(cells):
        try:
            by_cell[key] = statistics.metrics(cells[key])
        except StatisticsError as error:
            failed[key] = str(error)
    keys = tuple(by_cell)
    ordered = [cells[key] for key in keys]
    values = {name: tuple(metrics[name] for metrics in by_cell.values()) for name in METRICS}
    n_train, n_test, prevalence = (float("nan"),) * 3
    intervals: dict[str, Interval] = {}
    if ordered:
        n_train = float(np.mean([cell.n_train for cell in ordered]))
        n_test = float(np.mean([cell.target.size for cell in ordered]))
        prevalence = float(np.mean(np.concatenate([cell.target for cell in ordered])))
    if len(ordered) >= 2:
        intervals = {
            name: statistics.interval(values[name], n_train=n_train, n_test=n_test)
            for name in METRICS
        }
    above = {}
    if intervals and len(ordered) == planned and statistics.physicians:
        above = {group.key: p_above(intervals["auroc"], group) for group in PHYSICIANS}
    return SummaryRow(
        backbone=backbone,
        transfer=transfer,
        values=values,
        keys=keys,
        intervals=intervals,
        planned=planned,
        n_train=n_train,
        n_test=n_test,
        prevalence=prevalence,
        above=above,
        failed=failed,
    )


def _complete_pairs(
    rows: dict[tuple[str, str], SummaryRow], transfer: str
) -> list[tuple[SummaryRow, SummaryRow]]:
    """Pair each complete row of a transfer with its complete reference: (reference, row)."""
    complete = {key: row for key, row in rows.items() if row.complete and row.intervals}
    return [
        (complete[reference], row)
        for row in complete.values()
        if row.transfer == transfer
        and (reference := (row.backbone, REFERENCES[transfer])) in complete
    ]


def _family(
    pairs: list[tuple[SummaryRow, SummaryRow]], transfer: str, metric: str, statistics: _Statistics
) -> list[Comparison]:
    tests = [
        statistics.test(
            *(np.array(side.values[metric]) for side in (row, reference)),
            n_train=row.n_train,
            n_test=row.n_test,
        )
        for reference, row in pairs
    ]
    p_values = [test.p_value for test in tests]
    adjusted = holm(p_values).tolist() if statistics.adjusted else p_values
    return [
        Comparison(
            backbone=row.backbone, transfer=transfer, metric=metric, test=test, p_holm=p_holm
        )
        for (_, row), test, p_holm in zip(pairs, tests, adjusted, strict=True)
    ]


def _overall(pairs: list[tuple[SummaryRow, SummaryRow]], statistics: _Statistics) -> PairedTest:
    """Mean AUROC difference over backbones within each fold, then over folds."""
    base, mine = (np.mean([pair[i].values["auroc"] for pair in pairs], axis=0) for i in (0, 1))
    n_train = float(np.mean([row.n_train for _, row in pairs]))
    n_test = float(np.mean([row.n_test for _, row in pairs]))
    return statistics.test(mine, base, n_train=n_train, n_test=n_test)
