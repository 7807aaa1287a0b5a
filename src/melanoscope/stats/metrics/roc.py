"""The vertical average of the ROC curves of several folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold
from melanoscope.stats.validation import check_target_and_probability


def mean_roc(
    folds: Sequence[tuple[ArrayLike, ArrayLike]], points: int = 501
) -> tuple[Floats, Floats]:
    """Average ROC curves vertically: mean true positive rate at each false positive rate.

    Pooling the probabilities of all folds instead would rank photographs across networks that
    were trained apart and are not calibrated to each other. Fawcett (2006), section 8.1.

    Args:
        folds: Pairs (target, probability), one per fold, each of shape (n,): 0 or 1, both present,
            and floating point, 0..1. At least one pair.
        points: Size of the grid of false positive rates.

    Returns:
        False positive rates and mean true positive rates, each of shape (points + 1,); the first
        point is (0, 0).

    Raises:
        StatisticsError: No fold, or dishonest input as in `classification.auroc`.

    >>> x, y = mean_roc([([0, 1], [0.2, 0.7])], points=3)
    >>> x.tolist(), y.tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 1.0, 1.0, 1.0])
    """
    if not folds:
        raise StatisticsError("at least one ROC curve", "none", "finish a cell first")
    grid = np.linspace(0, 1, points)
    curves = []
    for target, probability in folds:
        positive, score = check_target_and_probability(target, probability)
        # All photographs as one group that weighs 1: the curve itself.
        whole = RankedFold.of(positive.astype(np.int64), score, np.zeros(score.size, np.int64), 1)
        fpr, tpr = whole.roc_points(np.ones((1, 1)))
        curves.append(np.interp(grid, fpr[:, 0], tpr[:, 0]))
    return np.append(0.0, grid), np.append(0.0, np.mean(curves, axis=0))
