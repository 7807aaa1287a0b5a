"""Percentile intervals from bootstrap replicates."""

from __future__ import annotations

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL, Interval

METHOD = "group bootstrap, percentile"


def percentile_interval(
    estimate: float, replicates: Floats, *, n: int, missing: float = 0.05
) -> Interval:
    """Return the 95 % interval of `replicates`, of which at most a share `missing` may be NaN."""
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
