"""From the predictions of all cells to the rows and comparisons of the tables.

A cell is one network trained once: backbone x transfer x repeat x fold. A row is all cells of
one backbone and transfer. Comparisons pair cells of one (repeat, fold): same test photographs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import EvidenceError
from melanoscope.evidence.holm import holm
from melanoscope.evidence.metrics import METRICS, Floats, all_metrics
from melanoscope.evidence.physicians import PHYSICIANS, p_above
from melanoscope.evidence.resampled import (
    Interval,
    PairedTest,
    corrected_interval,
    corrected_t_test,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

ARMS = ("scratch", "finetune", "frozen", "image_only")
REFERENCES = {"finetune": "scratch", "frozen": "scratch", "image_only": "finetune"}
"""What each arm is compared with, network by network."""


@dataclass(frozen=True, eq=False)
class Cell:
    """Test predictions of one trained network.

    Attributes:
        backbone: Name of the backbone.
        transfer: One of `ARMS`.
        repeat: Which division into folds.
        fold: The fold it was tested on.
        target: 0 or 1, shape (n_test,); same order of photographs for one (repeat, fold).
        probability: Shape (n_test,), 0..1.
        threshold: Decision threshold, chosen on validation photographs.
        n_train: Photographs trained on.
    """

    backbone: str
    transfer: str
    repeat: int
    fold: int
    target: NDArray[np.int64]
    probability: Floats
    threshold: float
    n_train: int


@dataclass(frozen=True)
class Row:
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
        p_holm: Adjusted over the backbones of the same arm and metric.
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

    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    overall: dict[str, PairedTest]

    def row(self, backbone: str, transfer: str) -> Row | None:
        """Find a row, or None."""
        wanted = (backbone, transfer)
        return next((r for r in self.rows if (r.backbone, r.transfer) == wanted), None)

    def comparison(self, backbone: str, transfer: str, metric: str) -> Comparison | None:
        """Find a comparison, or None where the arm or its reference is missing or unfinished."""
        wanted = (backbone, transfer, metric)
        found = (c for c in self.comparisons if (c.backbone, c.transfer, c.metric) == wanted)
        return next(found, None)


def summarise(
    cells: Iterable[Cell], *, planned: Sequence[tuple[str, str]], cells_per_row: int
) -> Summary:
    """Compute every row and comparison of a benchmark.

    Only complete rows are compared, with their reference or with physicians: a row that lacks folds
    would be compared on the folds that happened to finish first.

    Args:
        cells: Finished cells, in any order.
        planned: (backbone, transfer) of every row, finished or not.
        cells_per_row: Folds x repeats.

    Raises:
        EvidenceError: A cell that was not planned or appears twice, predictions from which no
            metric can be computed, or paired cells with other photographs.
    """
    grouped: dict[tuple[str, str], dict[tuple[int, int], Cell]] = {key: {} for key in planned}
    for cell in cells:
        row, key = grouped.get((cell.backbone, cell.transfer)), (cell.repeat, cell.fold)
        if row is None or key in row:
            raise EvidenceError(
                "each planned cell once",
                f"{cell.backbone}-{cell.transfer}-r{cell.repeat}-f{cell.fold} "
                + ("twice" if row else "unplanned"),
                "check the predictions",
            )
        row[key] = cell
    rows = {key: _row(*key, mine, cells_per_row) for key, mine in grouped.items()}
    _check_pairs(grouped)
    comparisons: list[Comparison] = []
    overall: dict[str, PairedTest] = {}
    for arm in REFERENCES:
        pairs = _complete_pairs(rows, arm)
        for metric in METRICS:
            comparisons += _family(pairs, arm, metric)
        if pairs:
            overall[arm] = _overall(pairs)
    return Summary(tuple(rows.values()), tuple(comparisons), overall)


def _row(backbone: str, transfer: str, cells: dict[tuple[int, int], Cell], planned: int) -> Row:
    keys = tuple(sorted(cells))
    mine = [cells[key] for key in keys]
    measured = [all_metrics(c.target, c.probability, c.threshold) for c in mine]
    values = {name: tuple(m[name] for m in measured) for name in METRICS}
    n_train, n_test, prevalence = (float("nan"),) * 3
    intervals: dict[str, Interval] = {}
    if mine:
        n_train = float(np.mean([c.n_train for c in mine]))
        n_test = float(np.mean([c.target.size for c in mine]))
        prevalence = float(np.mean(np.concatenate([c.target for c in mine])))
    if len(mine) >= 2:
        intervals = {
            name: corrected_interval(values[name], n_train=n_train, n_test=n_test)
            for name in METRICS
        }
    above = {}
    if intervals and len(mine) == planned:
        above = {who.key: p_above(intervals["auroc"], who) for who in PHYSICIANS}
    return Row(
        backbone, transfer, values, keys, intervals, planned, n_train, n_test, prevalence, above
    )


def _check_pairs(grouped: dict[tuple[str, str], dict[tuple[int, int], Cell]]) -> None:
    """Every network must have been tested on the same photographs in one (repeat, fold)."""
    first: dict[tuple[int, int], Cell] = {}
    for cells in grouped.values():
        for key, cell in cells.items():
            other = first.setdefault(key, cell)
            if not np.array_equal(cell.target, other.target):
                raise EvidenceError(
                    "the same test photographs for all networks of one repeat and fold",
                    f"others in repeat {key[0]}, fold {key[1]}: {other.backbone}-{other.transfer} "
                    f"and {cell.backbone}-{cell.transfer}",
                    "do not mix runs with other folds",
                )


def _complete_pairs(rows: dict[tuple[str, str], Row], arm: str) -> list[tuple[Row, Row]]:
    pairs = []
    for (backbone, transfer), row in rows.items():
        base = rows.get((backbone, REFERENCES[arm]))
        if transfer == arm and base and row.complete and base.complete and row.intervals:
            pairs.append((base, row))
    return pairs


def _difference(base: Row, row: Row, metric: str) -> Floats:
    return np.subtract(row.values[metric], base.values[metric], dtype=np.float64)


def _family(pairs: list[tuple[Row, Row]], arm: str, metric: str) -> list[Comparison]:
    tests = [
        corrected_t_test(_difference(base, row, metric), n_train=row.n_train, n_test=row.n_test)
        for base, row in pairs
    ]
    adjusted = holm([test.p_value for test in tests])
    return [
        Comparison(row.backbone, arm, metric, test, float(p))
        for (_, row), test, p in zip(pairs, tests, adjusted, strict=True)
    ]


def _overall(pairs: list[tuple[Row, Row]]) -> PairedTest:
    """Mean AUROC difference over backbones within each fold, then over folds."""
    mean = np.mean([_difference(base, row, "auroc") for base, row in pairs], axis=0)
    n_train = float(np.mean([row.n_train for _, row in pairs]))
    n_test = float(np.mean([row.n_test for _, row in pairs]))
    return corrected_t_test(mean, n_train=n_train, n_test=n_test)
