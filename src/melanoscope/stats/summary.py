"""From the predictions of all cells to the rows and comparisons of the tables.

A cell is one network trained once: backbone x transfer x repeat x fold. A row is all cells of
one backbone and transfer. Comparisons pair cells of one (repeat, fold): same test photographs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.corrected_t import (
    Interval,
    PairedTest,
    corrected_t_interval,
    corrected_t_test,
)
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.metrics.classification import METRICS, Floats, table_metrics
from melanoscope.stats.reference.physicians import PHYSICIANS, p_above
from melanoscope.stats.reference.poster_protocol import hard_metrics, poster_interval, poster_t_test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

TRANSFERS = ("scratch", "finetune", "frozen", "image_only")
REFERENCES = {"finetune": "scratch", "frozen": "scratch", "image_only": "finetune"}
"""What each arm is compared with, network by network."""


@dataclass(frozen=True, eq=False)
class CellPredictions:
    """Test predictions of one trained network.

    Attributes:
        backbone: Name of the backbone.
        transfer: One of `TRANSFERS`.
        repeat: Which division into folds.
        fold: The fold it was tested on.
        image_id: Names of the tested photographs, strings, shape (n_test,); in the same order for
            all networks of one (repeat, fold).
        target: 0 or 1, shape (n_test,).
        probability: Shape (n_test,), 0..1.
        threshold: Decision threshold, chosen on validation photographs.
        n_train: Photographs trained on.
    """

    backbone: str
    transfer: str
    repeat: int
    fold: int
    image_id: NDArray[Any]
    target: NDArray[np.int64]
    probability: Floats
    threshold: float
    n_train: int


@dataclass(frozen=True)
class SummaryRow:
    """One backbone and transfer: metrics per cell and their means with intervals.

    Attributes:
        values: Metric -> one value per finished cell.
        keys: (repeat, fold) of each value.
        intervals: Metric -> mean and interval; empty with fewer than two cells.
        planned: Cells that should be there.
        n_train: Mean photographs trained on per cell; NaN without cells.
        n_test: Mean photographs tested on per cell; NaN without cells.
        prevalence: Share of melanomas among the tested photographs; NaN without cells.
        above: Physicians' key -> one-sided p-value, for complete rows.
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

    @property
    def complete(self) -> bool:
        """Whether every planned cell is there."""
        return len(self.keys) == self.planned

    def estimate(self, metric: str) -> float:
        """Mean of a metric over the finished cells; NaN without any."""
        return float(np.mean(self.values[metric])) if self.keys else float("nan")


@dataclass(frozen=True)
class Comparison:
    """One arm against its reference, for one backbone and metric.

    Attributes:
        test: Difference (arm - reference) with interval, t and one-sided p-value.
        p_holm: Adjusted over the backbones of the same arm and metric; as it is with the poster's
            protocol, which did not adjust.
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
    """All rows, all comparisons, and each arm's mean effect on AUROC over its backbones."""

    rows: tuple[SummaryRow, ...]
    comparisons: tuple[Comparison, ...]
    overall: dict[str, PairedTest]

    def row(self, backbone: str, transfer: str) -> SummaryRow | None:
        """Find a row, or None."""
        wanted = (backbone, transfer)
        return next((r for r in self.rows if (r.backbone, r.transfer) == wanted), None)

    def comparison(self, backbone: str, transfer: str, metric: str) -> Comparison | None:
        """Find a comparison, or None where the arm or its reference is missing or unfinished."""
        wanted = (backbone, transfer, metric)
        found = (c for c in self.comparisons if (c.backbone, c.transfer, c.metric) == wanted)
        return next(found, None)


def summarize(
    cells: Iterable[CellPredictions],
    *,
    planned: Sequence[tuple[str, str]],
    cells_per_row: int,
    protocol: str = "corrected",
) -> Summary:
    """Compute every row and comparison of a benchmark.

    With the protocol "poster" everything is computed as the poster did, from rounded predictions
    and by its t-tests without adjustment; nothing is compared with physicians then.

    Only complete rows are compared, with their reference or with physicians: a row that lacks folds
    would be compared on the folds that happened to finish first.

    Args:
        cells: Finished cells, in any order.
        planned: (backbone, transfer) of every row, finished or not.
        cells_per_row: Folds x repeats.
        protocol: "corrected" or "poster".

    Raises:
        StatisticsError: A cell that was not planned or appears twice, predictions from which no
            metric can be computed, or paired cells with other photographs.
    """
    grouped: dict[tuple[str, str], dict[tuple[int, int], CellPredictions]] = {
        key: {} for key in planned
    }
    for cell in cells:
        row, key = grouped.get((cell.backbone, cell.transfer)), (cell.repeat, cell.fold)
        if row is None or key in row:
            raise StatisticsError(
                "each planned cell once",
                f"{cell.backbone}-{cell.transfer}-r{cell.repeat}-f{cell.fold} "
                + ("twice" if row else "unplanned"),
                "check the predictions",
            )
        row[key] = cell
    ways = _POSTER if protocol == "poster" else _CORRECTED
    rows = {key: _row(*key, mine, cells_per_row, ways) for key, mine in grouped.items()}
    _check_pairs(grouped)
    comparisons: list[Comparison] = []
    overall: dict[str, PairedTest] = {}
    for arm in REFERENCES:
        pairs = _complete_pairs(rows, arm)
        for metric in METRICS:
            comparisons += _family(pairs, arm, metric, ways)
        if pairs:
            overall[arm] = _overall(pairs, ways)
    return Summary(tuple(rows.values()), tuple(comparisons), overall)


@dataclass(frozen=True)
class _Ways:
    """How a protocol counts."""

    measure: Callable[[CellPredictions], dict[str, float]]
    interval: Callable[[Sequence[float], float, float], Interval]
    compare: Callable[[Floats, Floats, float, float], PairedTest]
    adjusted: bool


_CORRECTED = _Ways(
    lambda c: table_metrics(c.target, c.probability, c.threshold),
    lambda values, n_train, n_test: corrected_t_interval(values, n_train=n_train, n_test=n_test),
    lambda arm, base, n_train, n_test: corrected_t_test(arm - base, n_train=n_train, n_test=n_test),
    adjusted=True,
)
_POSTER = _Ways(
    lambda c: hard_metrics(c.target, c.probability),
    lambda values, _n_train, _n_test: poster_interval(values),
    lambda arm, base, _n_train, _n_test: poster_t_test(arm, base),
    adjusted=False,
)


def _row(
    backbone: str,
    transfer: str,
    cells: dict[tuple[int, int], CellPredictions],
    planned: int,
    ways: _Ways,
) -> SummaryRow:
    keys = tuple(sorted(cells))
    mine = [cells[key] for key in keys]
    measured = [ways.measure(c) for c in mine]
    values = {name: tuple(m[name] for m in measured) for name in METRICS}
    n_train, n_test, prevalence = (float("nan"),) * 3
    intervals: dict[str, Interval] = {}
    if mine:
        n_train = float(np.mean([c.n_train for c in mine]))
        n_test = float(np.mean([c.target.size for c in mine]))
        prevalence = float(np.mean(np.concatenate([c.target for c in mine])))
    if len(mine) >= 2:
        intervals = {name: ways.interval(values[name], n_train, n_test) for name in METRICS}
    above = {}
    if intervals and len(mine) == planned and ways.adjusted:
        above = {who.key: p_above(intervals["auroc"], who) for who in PHYSICIANS}
    return SummaryRow(
        backbone, transfer, values, keys, intervals, planned, n_train, n_test, prevalence, above
    )


def _check_pairs(grouped: dict[tuple[str, str], dict[tuple[int, int], CellPredictions]]) -> None:
    """Every network must have been tested on the same photographs in one (repeat, fold)."""
    first: dict[tuple[int, int], CellPredictions] = {}
    for cells in grouped.values():
        for key, cell in cells.items():
            other = first.setdefault(key, cell)
            same = np.array_equal(cell.image_id, other.image_id)
            if not (same and np.array_equal(cell.target, other.target)):
                raise StatisticsError(
                    "the same test photographs for all networks of one repeat and fold",
                    f"others in repeat {key[0]}, fold {key[1]}: {other.backbone}-{other.transfer} "
                    f"and {cell.backbone}-{cell.transfer}",
                    "do not mix runs with other folds",
                )


def _complete_pairs(
    rows: dict[tuple[str, str], SummaryRow], arm: str
) -> list[tuple[SummaryRow, SummaryRow]]:
    pairs = []
    for (backbone, transfer), row in rows.items():
        base = rows.get((backbone, REFERENCES[arm]))
        if transfer == arm and base and row.complete and base.complete and row.intervals:
            pairs.append((base, row))
    return pairs


def _family(
    pairs: list[tuple[SummaryRow, SummaryRow]], arm: str, metric: str, ways: _Ways
) -> list[Comparison]:
    tests = [
        ways.compare(
            np.array(row.values[metric]), np.array(base.values[metric]), row.n_train, row.n_test
        )
        for base, row in pairs
    ]
    p_values = [test.p_value for test in tests]
    adjusted = holm(p_values) if ways.adjusted else np.array(p_values)
    return [
        Comparison(row.backbone, arm, metric, test, float(p))
        for (_, row), test, p in zip(pairs, tests, adjusted, strict=True)
    ]


def _overall(pairs: list[tuple[SummaryRow, SummaryRow]], ways: _Ways) -> PairedTest:
    """Mean AUROC difference over backbones within each fold, then over folds."""
    base, arm = (np.mean([pair[i].values["auroc"] for pair in pairs], axis=0) for i in (0, 1))
    n_train = float(np.mean([row.n_train for _, row in pairs]))
    n_test = float(np.mean([row.n_test for _, row in pairs]))
    return ways.compare(arm, base, n_train, n_test)
