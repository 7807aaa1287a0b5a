"""The ROC curve of a model with a band, from the same weights of groups as everything else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.stats.arrays import Floats
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL
from melanoscope.stats.predictions import Predictions


@dataclass(frozen=True, eq=False, kw_only=True)
class RocBand:
    """A ROC curve with its pointwise band.

    Attributes:
        fpr: False positive rates, ascending, shape (m,).
        tpr: True positive rate at each of them, mean over folds, shape (m,).
        low: Lower bound of the 95 % band at each point by itself, shape (m,).
        high: Upper bound, shape (m,).
    """

    fpr: Floats
    tpr: Floats
    low: Floats
    high: Floats


def roc_band(
    predictions: Predictions, weights: BootstrapWeights, *, points: int = 101, most: int = 500
) -> RocBand:
    """Return the ROC curve with a pointwise band: percentiles over replicates of the groups.

    Folds are averaged vertically, as in `roc.mean_roc` (Fawcett 2006, section 8.1).

    Args:
        predictions: Predictions of one model.
        weights: Bootstrap weights of their groups.
        points: Number of false positive rates, evenly from 0 to 1.
        most: Number of replicates to draw the band from, the first ones; it is a picture.

    Returns:
        The curve and its band.
    """
    grid = np.linspace(0, 1, points)
    position = weights.positions(predictions.group)
    folds = [
        RankedFold.of(
            predictions.target[fold],
            predictions.probability[fold],
            position[fold],
            weights.groups.size,
        )
        for fold in (predictions.fold_id == one for one in predictions.fold_ids)
    ]
    whole = np.ones((weights.groups.size, 1))
    replicates: list[Floats] = []
    for span, block in weights.blocks():
        if span.start >= most:
            break
        replicates.append(_curves(folds, block, grid))
    band = np.nanquantile(np.concatenate(replicates), [LOWER_TAIL, UPPER_TAIL], axis=0)
    return RocBand(fpr=grid, tpr=_curves(folds, whole, grid)[0], low=band[0], high=band[1])


def _curves(folds: list[RankedFold], weights: Floats, grid: Floats) -> Floats:
    """Return the mean curve over folds under each weighting, shape (replicates, points)."""
    by_fold = []
    for fold in folds:
        fpr, tpr = fold.roc_points(weights)
        by_fold.append([np.interp(grid, *curve) for curve in zip(fpr.T, tpr.T, strict=True)])
    mean: Floats = np.mean(by_fold, axis=0)
    return mean
