"""Intervals and tests from an estimate and its standard error (Wald)."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from melanoscope.stats.intervals.interval import UPPER_TAIL, Interval, PairedTest

# Metrics are of order one: what is smaller than this is the rounding of doubles.
ROUNDING = 1e-12


def wald_interval(
    estimate: float,
    standard_error: float,
    *,
    n: int,
    method: str,
    unit: str = "groups",
    degrees_of_freedom: float = np.inf,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Return the estimate plus and minus the 97.5 % quantile times its standard error.

    Args:
        estimate: The estimate.
        standard_error: Its standard error, 0 or more.
        n: Number of units it rests on.
        method: Name of the method that gave the standard error.
        unit: What `n` counts.
        degrees_of_freedom: Of Student's t; infinite for the normal distribution.
        limits: Lowest and highest possible value; the bounds are cut there.

    Returns:
        The interval.

    >>> found = wald_interval(0.9, 0.02, n=100, method="DeLong", limits=(0, 1))
    >>> round(found.low, 4), round(found.high, 4)
    (0.8608, 0.9392)
    """
    if np.isinf(degrees_of_freedom):
        half = float(norm.ppf(UPPER_TAIL)) * standard_error
    else:
        half = float(student.ppf(UPPER_TAIL, degrees_of_freedom)) * standard_error
    return Interval(
        estimate=estimate,
        low=max(estimate - half, limits[0]),
        high=min(estimate + half, limits[1]),
        standard_error=standard_error,
        n=n,
        method=method,
        unit=unit,
    )


def wald_test(difference: Interval, degrees_of_freedom: float = np.inf) -> PairedTest:
    """Test one-sided that a difference is above 0.

    Args:
        difference: The difference with its standard error.
        degrees_of_freedom: Of Student's t; infinite for the normal distribution.

    Returns:
        The test. Where the difference does not vary at all the p-value is the limit: 0 when it is
        above 0, 1 when it is below, 0.5 when it is 0.
    """
    estimate, error = difference.estimate, difference.standard_error
    if error > 0:
        statistic = estimate / error
    else:
        statistic = 0.0 if abs(estimate) <= ROUNDING else float(np.copysign(np.inf, estimate))
    infinite = np.isinf(degrees_of_freedom)
    p_value = norm.sf(statistic) if infinite else student.sf(statistic, degrees_of_freedom)
    return PairedTest(difference, statistic, float(p_value))
