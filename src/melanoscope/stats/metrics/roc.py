"""ROC curves, and their vertical average over folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.classification import Floats, validated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def roc_curve(target: ArrayLike, probability: ArrayLike) -> tuple[Floats, Floats]:
    """False and true positive rates over all distinct thresholds, from (0, 0) to (1, 1).

    Arguments and errors as `metrics.validated`.

    >>> [x.tolist() for x in roc_curve([0, 1], [0.2, 0.7])]
    [[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    """
    positive, score = validated(target, probability)
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.cumsum(positive[order])[last_of_tie]
    false_alarms = last_of_tie + 1 - hits
    start = np.zeros(1)
    return (
        np.concatenate([start, false_alarms / false_alarms[-1]]),
        np.concatenate([start, hits / hits[-1]]),
    )


def mean_roc(curves: Sequence[tuple[Floats, Floats]], points: int = 501) -> tuple[Floats, Floats]:
    """Average ROC curves vertically: mean true positive rate at each false positive rate.

    Pooling the probabilities of all folds instead would rank photographs across networks that
    were trained apart and are not calibrated to each other. Fawcett (2006), section 8.1.

    Args:
        curves: Pairs (false positive rate, true positive rate), as `roc_curve` gives.
        points: Size of the grid of false positive rates.

    Returns:
        The grid and the mean, each of shape (points + 1,); the first point is (0, 0).
    """
    if not curves:
        raise StatisticsError("at least one ROC curve", "none", "finish a cell first")
    grid = np.linspace(0, 1, points)
    mean = np.mean([np.interp(grid, x, y) for x, y in curves], axis=0)
    return np.concatenate([[0.0], grid]), np.concatenate([[0.0], mean])
