"""The cells of a run by row and by test fold: which results are results of their own.

Cells of several seeds learn from the same photographs and are tested on the same. They are no
results of their own, but one result of a training that is averaged: taken one by one they would
seem to be more folds, and intervals come out too narrow. So a result is the mean over the seeds of
one (repeat, fold), J = folds x repeats of them, as the corrected repeated k-fold test wants them:
Bouckaert & Frank (2004), "Evaluating the replicability of significance tests for comparing learning
algorithms", PAKDD.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.predictions import CellPredictions

SplitKey = tuple[int, int]
"""Repeat and fold: networks that share them are tested on the same photographs."""

CellNumbers = tuple[int, int, int]
"""Repeat, fold and seed_index of a cell."""

Cells = dict[tuple[str, str], dict[CellNumbers, CellPredictions]]
"""(backbone, transfer) -> repeat, fold and seed_index -> cell."""


def group_cells(cells: Iterable[CellPredictions], planned: Sequence[tuple[str, str]]) -> Cells:
    """Sort cells into rows; all networks of one (repeat, fold) must have the same photographs.

    Args:
        cells: Finished cells, in any order.
        planned: (backbone, transfer) of every row.

    Returns:
        (backbone, transfer) -> (repeat, fold, seed_index) -> cell.

    Raises:
        StatisticsError: A cell that was not planned or appears twice, or one of a (repeat, fold)
            with other photographs.
    """
    grouped: Cells = {key: {} for key in planned}
    first: dict[SplitKey, CellPredictions] = {}
    for cell in cells:
        row, key = grouped.get((cell.backbone, cell.transfer)), cell.numbers
        if row is None or key in row:
            raise StatisticsError(
                "each planned cell once",
                f"{cell.backbone}-{cell.transfer}-r{key[0]}-f{key[1]}-s{key[2]} "
                + ("twice" if row else "unplanned"),
                "check the predictions",
            )
        other = first.setdefault(key[:2], cell)
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


def mean_over_seeds(values: Mapping[CellNumbers, float]) -> dict[SplitKey, float]:
    """Return (repeat, fold) -> mean over its seeds, of (repeat, fold, seed_index) -> value.

    >>> mean_over_seeds({(0, 0, 0): 0.75, (0, 0, 1): 0.25, (0, 1, 0): 0.75})
    {(0, 0): 0.5, (0, 1): 0.75}
    """
    by_split: dict[SplitKey, list[float]] = {}
    for (repeat, fold, _), value in sorted(values.items()):
        by_split.setdefault((repeat, fold), []).append(value)
    return {key: float(np.mean(found)) for key, found in by_split.items()}
