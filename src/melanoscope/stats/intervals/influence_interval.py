"""LeDell's interval of the cross-validated AUROC, from its influence curve.

LeDell, Petersen & van der Laan (2015), Electronic Journal of Statistics 9:1583-1607: the AUROC is
averaged over folds, and each photograph's influence is how far it moves that average. Influences
are added up within a group, so that patients count once (their "pooled repeated measures").

Two things differ from their R package cvAUC: a class is weighed by its number in the fold, not by
its share in all folds (the same where folds are alike), and the variance carries k / (k - 1) for k
groups. With one part and a photograph in each group, the variance is DeLong's with n - 1 and m - 1
replaced by n and m, times that factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval, refuse_confidence

if TYPE_CHECKING:
    from melanoscope.stats.predictions import Floats, Predictions

METHOD = "influence curve of the cross-validated AUROC (LeDell et al. 2015), by group"


def influence_interval(predictions: Predictions, confidence: float = 0.95) -> Interval:
    """Return the mean AUROC over parts with its influence-curve interval, cut at 0 and 1.

    Args:
        predictions: Of one network.
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: A part of one class, or no part with two groups of a class.
    """
    refuse_confidence(confidence)
    areas, influence = _influence(predictions)
    _, member = np.unique(predictions.group, return_inverse=True)
    per_group = np.bincount(member, influence)
    groups = per_group.size
    for outcome, what in ((1, "melanomas"), (0, "other lesions")):
        mine = predictions.target == outcome
        # A class that one group holds in each part would seem not to vary.
        holders = [
            np.unique(member[mine & (predictions.part == part)]).size for part in predictions.parts
        ]
        if max(holders) < 2:
            raise StatisticsError(
                f"at least 2 groups with {what} in one part", "one in each", "use fewer folds"
            )
    estimate = float(np.mean(areas))
    error = float(np.sqrt((per_group**2).sum() * groups / (groups - 1)))
    half = float(norm.ppf((1 + confidence) / 2)) * error
    low, high = max(estimate - half, 0.0), min(estimate + half, 1.0)
    return Interval(estimate, low, high, error, groups, METHOD, "groups", confidence)


def _influence(one: Predictions) -> tuple[list[float], Floats]:
    """Return each part's AUROC, and how far each prediction moves their mean, shape (n,)."""
    parts = one.parts
    influence = np.zeros(one.target.size)
    areas = []
    for part in parts:
        rows = np.flatnonzero(one.part == part)
        positive = one.target[rows] == 1
        n, m = int(positive.sum()), int((~positive).sum())
        if not n or not m:
            raise StatisticsError("both classes in every part", "one in one", "use fewer folds")
        score = one.probability[rows]
        ranks = rankdata(score)
        above = (ranks[positive] - rankdata(score[positive])) / m
        below = 1 - (ranks[~positive] - rankdata(score[~positive])) / n
        area = float(above.mean())
        areas.append(area)
        influence[rows[positive]] = (above - area) / n / parts.size
        influence[rows[~positive]] = (below - area) / m / parts.size
    return areas, influence
