"""What differences between networks a run could have told, and how many patients it would take.

For a study that is not made yet: `stats.power_auroc`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.clustered import clustered_variance
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.intervals.interval import ALPHA, LOWER_TAIL, UPPER_TAIL
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.intervals.wald import ROUNDING, effective_degrees_of_freedom
from melanoscope.stats.predictions import Predictions, same_photographs
from melanoscope.stats.selection.paired_differences import PairedDifferences

POWER = 0.8


def smallest_told(differences: PairedDifferences, best: int) -> Floats:
    """Return by how much each other network has to be behind the `best` to be told from it."""
    others = np.arange(len(differences.difference)) != best
    told: Floats = differences.allowance[others, best]
    return told


def groups_to_tell(
    differences: PairedDifferences,
    best: int,
    groups: int,
    *,
    difference: float = MARGIN,
    power: float = POWER,
) -> float:
    """Estimate how many groups it takes to tell half of the other networks from the best.

    The usual formula of a paired difference, with the quantile that holds for all comparisons
    together: n ((q + z) s / d)^2, as Obuchowski & McClish (1997), Statistics in Medicine
    16:1529-1542, have it for two AUROCs. Errors are taken to shrink with the root of n; chance in
    training does not, so that it may take more.

    Args:
        differences: Differences of every two of k networks on `groups` groups.
        best: Number of the best network, 0 to k - 1.
        groups: Number of groups (patients) that the differences rest on.
        difference: True difference from the best, above 0.
        power: Chance to tell it, 0 to 1.

    Returns:
        Number of groups, not rounded; 0 where the differences do not vary.
    """
    others = np.arange(len(differences.difference)) != best
    reach = differences.allowance + norm.ppf(power) * differences.standard_error
    return _groups_for(float(np.median(reach[others, best])), groups, difference)


@dataclass(frozen=True, kw_only=True)
class GroupsNeeded:
    """How many groups tell two models apart, from what a run says of how they differ.

    Attributes:
        difference: True difference that is to be told, above 0.
        seen: AUROC of the second model less that of the first in this run.
        standard_error: Of `seen`, with the `groups` of this run.
        groups: Groups (patients) that hold any photograph of the run.
        power: Chance to tell `difference`.
        alpha: Level of the two-sided test.
        needed: Groups that it takes, not rounded.
        low: Lower bound of the 95 % interval of `needed`, for how well the run knows the error.
        high: Upper bound of it.
    """

    difference: float
    seen: float
    standard_error: float
    groups: int
    power: float
    alpha: float
    needed: float
    low: float
    high: float

    def power_at(self, groups: float) -> float:
        """Return the chance to tell `difference` with so many `groups`, above 0."""
        error = self.standard_error * np.sqrt(self.groups / groups)
        return float(norm.cdf(self.difference / error - norm.isf(self.alpha / 2)))


def power_from_run(
    first: Predictions,
    second: Predictions,
    *,
    difference: float = MARGIN,
    power: float = POWER,
    alpha: float = ALPHA,
    widening: float = UNTOUCHED,
) -> GroupsNeeded:
    """Estimate how many groups would tell two models like these apart, from their predictions.

    The variance of a group (Obuchowski 1997) is taken to be that of further groups, with as many
    photographs and positives each, and errors to shrink with the root of n, as in `groups_to_tell`.
    The difference is stated and not that of the run: "observed power" would only repeat the p-value
    (Hoenig & Heisey 2001). The bounds are those of a variance with its effective degrees of freedom
    (chi-square).

    Args:
        first: Test predictions of one model.
        second: Those of another, of the same photographs in the same folds and order.
        difference: True difference to be told, above 0.
        power: Chance to tell it, between `alpha` and 1.
        alpha: Level of the two-sided test, between 0 and 1.
        widening: Factor on the variance for cross-validation (`CrossValidation.factor`); 1 for
            photographs that no network was trained on.

    Returns:
        The number of groups.

    Raises:
        StatisticsError: Other photographs, numbers out of range, fewer than two groups of a class,
            or models that never differ.
    """
    if not (0 < difference < 1 and 0 < alpha < power < 1 and widening >= 1):
        raise StatisticsError(
            "a difference between 0 and 1, a power between the level and 1, a widening from 1",
            f"{difference!r}, {power!r}, {alpha!r} and {widening!r}",
            "state the smallest difference that matters, and a power of 0.8",
        )
    if not same_photographs(first, second):
        raise StatisticsError(
            "models tested on the same photographs", "others", "do not mix runs in one comparison"
        )
    one, other = (pooled_auroc(p, widening=widening) for p in (first, second))
    if min(one.holders) < 2:
        raise StatisticsError(
            "2 groups (patients) or more of each class",
            f"{one.holders[0]} with positives and {one.holders[1]} with others",
            "use more patients",
        )
    moves = other.moves - one.moves
    error = float(np.sqrt(widening * clustered_variance(moves, one.holders)))
    if error <= ROUNDING:
        raise StatisticsError(
            "models whose answers differ", "the same ranks", "compare two models, not one twice"
        )
    groups = one.holders[2]
    reach = float(norm.isf(alpha / 2) + norm.ppf(power)) * error
    needed = _groups_for(reach, groups, difference)
    influence = moves.sum(axis=0)
    freedom = effective_degrees_of_freedom(influence, np.arange(influence.size))
    low, high = needed * freedom / chi2.ppf((UPPER_TAIL, LOWER_TAIL), freedom)
    return GroupsNeeded(
        difference=difference,
        seen=other.estimate - one.estimate,
        standard_error=error,
        groups=groups,
        power=power,
        alpha=alpha,
        needed=needed,
        low=float(low),
        high=float(high),
    )


def _groups_for(reach: float, groups: int, difference: float) -> float:
    """Scale the number of `groups`, with which a difference of `reach` is told, to `difference`."""
    return float(groups * (reach / difference) ** 2)
