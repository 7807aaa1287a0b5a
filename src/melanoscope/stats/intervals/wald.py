"""Intervals and tests from an estimate and its standard error (Wald), and the error over groups."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from melanoscope.stats.arrays import Codes, Floats
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
    """Return `estimate` plus and minus the 97.5 % quantile of its error, cut at `limits`."""
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
    """Test one-sided that `difference` is above 0; without any error p is 0, 0.5 or 1."""
    estimate, error = difference.estimate, difference.standard_error
    if error > 0:
        statistic = estimate / error
    else:
        statistic = 0.0 if abs(estimate) <= ROUNDING else float(np.copysign(np.inf, estimate))
    infinite = np.isinf(degrees_of_freedom)
    p_value = norm.sf(statistic) if infinite else student.sf(statistic, degrees_of_freedom)
    return PairedTest(difference, statistic, float(p_value))


def clustered_error(influence: Floats, member: Codes) -> float:
    """Return the standard error of a sum of `influence`, (n,), over groups numbered by `member`."""
    by_group = np.bincount(member, influence)
    return float(np.sqrt(by_group.size / (by_group.size - 1) * (by_group @ by_group)))
