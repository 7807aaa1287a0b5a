"""The AUROC over all pairs within folds, with an interval also where the classes are separated."""

from __future__ import annotations

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans
from melanoscope.stats.intervals.auroc_interval import placement_values
from melanoscope.stats.intervals.clustered import ClusteredAuroc, disjoint_pairs
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.predictions import Predictions


def pooled_auroc(
    predictions: Predictions, inside: Booleans | None = None, widening: float = UNTOUCHED
) -> ClusteredAuroc:
    """Return the share of right pairs among all pairs of a positive and another in one fold.

    Args:
        predictions: Test predictions of one network.
        inside: Photographs that take part, booleans of shape (n,); None for all.
        widening: Factor on the variance for cross-validation (`CrossValidation.factor`); 1 for
            photographs that no network was trained on.

    Returns:
        The AUROC; `ClusteredAuroc.interval` has exact bounds where the classes are separated.

    Raises:
        StatisticsError: No positive and other in one fold.
    """
    inside = np.ones(predictions.target.size, bool) if inside is None else inside
    groups, member = np.unique(predictions.group, return_inverse=True)
    positive = predictions.target == 1
    # How far each photograph moves the number of right pairs, and that of all pairs.
    right, total = np.zeros(positive.size), np.zeros(positive.size)
    for fold in predictions.fold_ids:
        rows = np.flatnonzero(inside & (predictions.fold_id == fold))
        hit = positive[rows]
        if hit.all() or not hit.any():
            continue
        above, below = placement_values(hit, predictions.probability[rows])
        right[rows[hit]], total[rows[hit]] = above * below.size, below.size
        right[rows[~hit]], total[rows[~hit]] = below * above.size, above.size
    pairs = float(total[positive].sum())
    if not pairs > 0:
        raise StatisticsError(
            "a positive and a negative to compare", "none in any fold", "leave this subset out"
        )
    area = float(right[positive].sum()) / pairs
    moves = (right - area * total) / pairs
    sides = (positive & (total > 0), ~positive & (total > 0))
    holds = np.stack([np.bincount(member[side], minlength=groups.size) > 0 for side in sides])
    home = np.full(groups.size, np.iinfo(np.int64).max)
    np.minimum.at(home, member, predictions.fold_id)
    return ClusteredAuroc(
        estimate=area,
        moves=np.stack([np.bincount(member[s], moves[s], groups.size) for s in sides]),
        holders=(int(holds[0].sum()), int(holds[1].sum()), int(holds.any(axis=0).sum())),
        pairs=disjoint_pairs(holds, home),
        widening=widening,
    )
