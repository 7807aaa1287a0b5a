"""What differences between networks a run could have told, and how many patients it would take."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.margin import MARGIN
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
    return float(groups * np.median(reach[others, best] / difference) ** 2)
