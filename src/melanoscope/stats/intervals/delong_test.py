"""DeLong's test of the AUROCs of two networks on the same photographs.

DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845; for patients of several photographs
Obuchowski's (1997) extension to clustered data, Biometrics 53:567-578. For one test set, not for
folds pooled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from melanoscope.stats.intervals.auroc_interval import (
    DELONG,
    OBUCHOWSKI,
    placement_values,
    placements_variance,
)
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import ROUNDING, wald_interval, wald_test
from melanoscope.stats.validation import (
    check_target_and_probability,
    check_two_units,
    number_groups,
)


@dataclass(frozen=True, slots=True)
class DelongTest:
    """Two AUROCs compared.

    Attributes:
        difference: AUROC of the first network minus that of the second, with its interval.
        z: The difference over its standard error; 0 where neither differs, infinite where nothing
            varies.
        p_value: Two-sided p-value that the true difference is not 0.
    """

    difference: Interval
    z: float
    p_value: float


def delong_test(
    target: ArrayLike, a: ArrayLike, b: ArrayLike, group: ArrayLike | None = None
) -> DelongTest:
    """Test whether the AUROCs of two networks, `a` and `b`, differ.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        a: Probabilities of the first network, floating point, 0..1, shape (n,).
        b: Probabilities of the second network, likewise.
        group: Patient of each photograph, shape (n,); None where each photograph has its own.

    Returns:
        The test; the n of its interval counts photographs, or groups where they are given.

    Raises:
        StatisticsError: Dishonest input as in `auroc`, or fewer than two units of a class.

    >>> target = [0, 0, 0, 1, 1, 1]
    >>> good, poor = [0.1, 0.4, 0.2, 0.35, 0.8, 0.9], [0.1, 0.7, 0.6, 0.5, 0.8, 0.2]
    >>> found = delong_test(target, good, poor)
    >>> round(found.difference.estimate, 3), round(found.z, 2), round(found.p_value, 2)
    (0.333, 1.22, 0.22)
    """
    positive, first = check_target_and_probability(target, a)
    _, second = check_target_and_probability(target, b)
    n = positive.size
    member = np.arange(n) if group is None else number_groups(group, n)
    unit = "photographs" if group is None else "groups"
    check_two_units(member, positive, unit)
    above, below = (
        mine - other
        for mine, other in zip(
            placement_values(positive, first), placement_values(positive, second), strict=True
        )
    )
    error = placements_variance(above, below, positive, member) ** 0.5
    difference = wald_interval(
        float(above.mean()),
        # Below this it is the rounding of placements that are the same.
        error if error > ROUNDING else 0.0,
        n=int(member.max()) + 1,
        method=DELONG if group is None else OBUCHOWSKI,
        unit=unit,
        limits=(-1.0, 1.0),
    )
    z = wald_test(difference).statistic
    return DelongTest(difference, z, float(2 * norm.sf(abs(z))))
