"""Intervals of the AUROC by the influence of each photograph: of one network, and over folds.

`delong_interval` is for one set of photographs scored by one network, not for folds pooled: DeLong,
DeLong & Clarke-Pearson (1988), by mid-ranks (Sun & Xu 2014); with groups, Obuchowski's (1997)
extension to clustered data, of which the former is the case of one photograph in each group.

`influence_interval` is for the AUROC averaged over folds: LeDell, Petersen & van der Laan (2015),
Electronic Journal of Statistics 9:1583-1607. Influences are added up within a group, so that
patients count once (their "pooled repeated measures"). Two things differ from their R package
cvAUC: a class is weighed by its number in the fold, not by its share in all folds (the same where
folds are alike), and the variance carries k / (k - 1) for k groups.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.intervals.clustered import clustered_variance
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import (
    clustered_error,
    effective_degrees_of_freedom,
    wald_interval,
)
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import (
    check_target_and_probability,
    check_two_units,
    number_groups,
)

DELONG = "DeLong"
OBUCHOWSKI = "DeLong for clustered data (Obuchowski 1997)"
INFLUENCE = "influence curve of the cross-validated AUROC (LeDell et al. 2015), by group"


def delong_interval(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike | None = None
) -> Interval:
    """Return the AUROC with its interval, cut at 0 and 1.

    Where the classes are separated no pair varies, and the interval has no width (so in pROC).

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Patient of each photograph, shape (n,); None where each photograph has its own.

    Returns:
        The interval; its n counts photographs, or groups where they are given.

    Raises:
        StatisticsError: Dishonest input as in `auroc`, or fewer than two units of a class.

    >>> i = delong_interval([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> i.estimate, round(i.standard_error, 4), i.unit
    (0.75, 0.3536, 'photographs')
    """
    positive, score = check_target_and_probability(target, probability)
    n = positive.size
    member = np.arange(n) if group is None else number_groups(group, n)
    unit = "photographs" if group is None else "groups"
    check_two_units(member, positive, unit)
    return wald_interval(
        area_under_roc(positive, score),
        placements_variance(*placement_values(positive, score), positive, member) ** 0.5,
        n=int(member.max()) + 1,
        method=DELONG if group is None else OBUCHOWSKI,
        unit=unit,
        limits=(0.0, 1.0),
    )


def influence_interval(predictions: Predictions) -> Interval:
    """Return the mean AUROC over folds with its influence-curve interval, cut at 0 and 1.

    Args:
        predictions: Test predictions of one network.

    Returns:
        The interval; its n counts groups.

    Raises:
        StatisticsError: A fold of one class, or no fold with two groups of a class.
    """
    areas, influence = auroc_influence(
        predictions.target, predictions.probability, predictions.fold_id
    )
    for outcome, lesions in ((1, "positives"), (0, "negatives")):
        mine = predictions.target == outcome
        # A class that one group holds in each fold would seem not to vary.
        holders = [
            np.unique(predictions.group[mine & (predictions.fold_id == fold)]).size
            for fold in predictions.fold_ids
        ]
        if max(holders) < 2:
            raise StatisticsError(
                f"at least 2 groups with {lesions} in one fold", "one in each", "use fewer folds"
            )
    member = np.unique(predictions.group, return_inverse=True)[1]
    return wald_interval(
        float(np.mean(areas)),
        clustered_error(influence, member),
        n=predictions.n_groups,
        method=INFLUENCE,
        limits=(0.0, 1.0),
    )


def auroc_degrees_of_freedom(predictions: Predictions) -> float:
    """Return the degrees of freedom by which the groups of `predictions` tell the AUROC's variance.

    Those of `wald.effective_degrees_of_freedom`, of the influences that `influence_interval` adds
    up; folds of one class have none.

    Args:
        predictions: Test predictions of one network.

    Returns:
        The degrees of freedom, 1 to the number of groups - 1.
    """
    member = np.unique(predictions.group, return_inverse=True)[1]
    _, influence = auroc_influence(predictions.target, predictions.probability, predictions.fold_id)
    return effective_degrees_of_freedom(influence, member)


def placement_values(positive: Booleans, score: Floats) -> tuple[Floats, Floats]:
    """Return the share of the others below each positive, and of the positives above each other.

    Scores of shape (..., n) for `positive` of shape (n,) give shapes (..., positives) and (...,
    others).
    """
    # DeLong's structural components V10 and V01: ties count half, the mean of either is the AUROC.
    hits, others = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(score, axis=-1)
    mine, theirs = score[..., positive], score[..., ~positive]
    above = (ranks[..., positive] - rankdata(mine, axis=-1)) / others
    below = 1 - (ranks[..., ~positive] - rankdata(theirs, axis=-1)) / hits
    return np.asarray(above, np.float64), np.asarray(below, np.float64)


def placements_variance(above: Floats, below: Floats, positive: Booleans, member: Codes) -> float:
    """Return the variance of a mean of placements, or of a difference of two networks' placements.

    Obuchowski (1997): the sums of squares of each class, and their products in mixed units, each
    with the factor k / (k - 1) of its k units; since the third has the most, the whole is never
    below 0 (but for rounding). It is linear in the placements, so that the variance of a paired
    difference, which she writes with covariances, is that of the differences.

    Args:
        above: Placement of each positive, or a difference of two, shape (positives,).
        below: Placement of each other photograph likewise, shape (others,).
        positive: Whether each photograph is positive, shape (n,).
        member: Number of each photograph's unit, from 0, shape (n,).

    Returns:
        The variance.
    """
    units = int(member.max()) + 1
    # By how much each unit's positives, and its others, move the AUROC.
    of_positives = np.bincount(member[positive], (above - above.mean()) / above.size, units)
    of_others = np.bincount(member[~positive], (below - below.mean()) / below.size, units)

    holders = tuple(np.unique(m).size for m in (member[positive], member[~positive], member))
    moves = np.stack([of_positives, of_others]).astype(np.float64)
    return float(clustered_variance(moves, holders))


def auroc_influence(
    target: Codes, probability: Floats, fold_id: Codes
) -> tuple[list[float], Floats]:
    """Return each fold's AUROC, and how far each prediction moves their mean.

    Args:
        target: 1 for positives, 0 for others, both in every fold, shape (n,).
        probability: What photographs are ranked by, shape (n,).
        fold_id: Fold of each photograph, shape (n,).

    Returns:
        AUROC of each fold, and influences of shape (n,), whose sum is 0.

    Raises:
        StatisticsError: A fold of one class.
    """
    folds = np.unique(fold_id)
    influence = np.zeros(target.size)
    areas = []
    for fold in folds:
        rows = np.flatnonzero(fold_id == fold)
        positive = target[rows] == 1
        if positive.all() or not positive.any():
            raise StatisticsError("both classes in every fold", "one in one", "use fewer folds")
        above, below = placement_values(positive, probability[rows])
        areas.append(float(above.mean()))
        influence[rows[positive]] = (above - areas[-1]) / above.size / folds.size
        influence[rows[~positive]] = (below - areas[-1]) / below.size / folds.size
    return areas, influence
