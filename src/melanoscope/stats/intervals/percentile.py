"""Percentile intervals from bootstrap replicates."""

from __future__ import annotations

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL, Interval

METHOD = "group bootstrap, percentile"


def percentile_interval(
    estimate: float,
    replicates: Floats,
    *,
    n: int,
    missing: float = 0.05,
) -> Interval:
    """Return the interval between two quantiles of the replicates.

    Args:
        estimate: The value on all photographs.
        replicates: The value in each bootstrap replicate, shape (replicates,); NaN where a
            replicate lacks a class. These are left out.
        n: Number of groups that were resampled.
        missing: Largest share of replicates that may be NaN.

    Returns:
        The interval; its standard error is the standard deviation of the replicates.

    Raises:
        StatisticsError: More replicates are NaN than may be: the subset is too small for an
            interval.

    >>> found = percentile_interval(0.5, np.linspace(0, 1, 101), n=40)
    >>> round(found.low, 3), round(found.high, 3)
    (0.025, 0.975)
    """
    known = replicates[np.isfinite(replicates)]
    if known.size < (1 - missing) * replicates.size:
        raise StatisticsError(
            "both classes in nearly every replicate",
            f"{replicates.size - known.size} of {replicates.size} without",
            "report the subset as too small",
        )
    low, high = np.quantile(known, [LOWER_TAIL, UPPER_TAIL]).tolist()
    return Interval(
        estimate=estimate,
        low=low,
        high=high,
        standard_error=float(known.std(ddof=1)),
        n=n,
        method=METHOD,
        unit="groups",
    )
