"""LeDell's interval of the cross-validated AUROC, from its influence curve.

LeDell, Petersen & van der Laan (2015), Electronic Journal of Statistics 9:1583-1607: the AUROC is
averaged over folds, and each photograph's influence is how far it moves that average. Influences
are added up within a group, so that patients count once (their "pooled repeated measures").

Two things differ from their R package cvAUC: a class is weighed by its number in the fold, not by
its share in all folds (the same where folds are alike), and the variance carries k / (k - 1) for k
groups. With one fold and a photograph in each group, the variance is DeLong's with n - 1 and m - 1
replaced by n and m, times that factor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.delong import placement_values
from melanoscope.stats.intervals.wald import wald_interval

if TYPE_CHECKING:
    from melanoscope.stats.arrays import Floats
    from melanoscope.stats.intervals.interval import Interval
    from melanoscope.stats.predictions import Predictions

METHOD = "influence curve of the cross-validated AUROC (LeDell et al. 2015), by group"


def influence_interval(predictions: Predictions) -> Interval:
    """Return the mean AUROC over folds with its influence-curve interval, cut at 0 and 1.

    Args:
        predictions: Test predictions of one network.

    Returns:
        The interval; its n counts groups.

    Raises:
        StatisticsError: A fold of one class, or no fold with two groups of a class.
    """
    fold_aurocs, influence = _influence(predictions)
    _, member = np.unique(predictions.group, return_inverse=True)
    for outcome, lesions in ((1, "melanomas"), (0, "other lesions")):
        mine = predictions.target == outcome
        # A class that one group holds in each fold would seem not to vary.
        holders = [
            np.unique(member[mine & (predictions.fold_id == fold)]).size
            for fold in predictions.fold_ids
        ]
        if max(holders) < 2:
            raise StatisticsError(
                f"at least 2 groups with {lesions} in one fold", "one in each", "use fewer folds"
            )
    per_group = np.bincount(member, influence)
    groups = per_group.size
    error = float(np.sqrt((per_group**2).sum() * groups / (groups - 1)))
    return wald_interval(
        float(np.mean(fold_aurocs)),
        error,
        n=groups,
        method=METHOD,
        limits=(0.0, 1.0),
    )


def _influence(predictions: Predictions) -> tuple[list[float], Floats]:
    """Return each fold's AUROC, and how far each prediction moves their mean, shape (n,)."""
    folds = predictions.fold_ids
    influence = np.zeros(predictions.target.size)
    fold_aurocs = []
    for fold in folds:
        rows = np.flatnonzero(predictions.fold_id == fold)
        positive = predictions.target[rows] == 1
        if positive.all() or not positive.any():
            raise StatisticsError("both classes in every fold", "one in one", "use fewer folds")
        above, below = placement_values(positive, predictions.probability[rows])
        area = float(above.mean())
        fold_aurocs.append(area)
        influence[rows[positive]] = (above - area) / above.size / folds.size
        influence[rows[~positive]] = (below - area) / below.size / folds.size
    return fold_aurocs, influence
