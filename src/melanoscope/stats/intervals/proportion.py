"""Intervals of a proportion: Wilson's, the exact one, and the bootstrap's where it is not blind."""

from __future__ import annotations

import math

from scipy.stats import beta, binomtest

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.interval import CONFIDENCE, LOWER_TAIL, Interval
from melanoscope.stats.intervals.percentile import percentile_interval

# Replicates no wider than this give all the same: the bootstrap sees no uncertainty.
_BLIND = 1e-12


def wilson_interval(hits: int, n: int) -> Interval:
    """Return the score interval of a proportion (Wilson 1927).

    Args:
        hits: Number of photographs that count, 0 to `n`.
        n: Number of photographs, above 0.

    Returns:
        The interval of hits / n; it has no standard error.

    Raises:
        StatisticsError: More hits than photographs, or no photograph.

    >>> found = wilson_interval(0, 10)
    >>> round(found.low, 4), round(found.high, 4)
    (0.0, 0.2775)
    """
    if not (0 <= hits <= n and n > 0):
        raise StatisticsError("hits of some photographs", f"{hits} of {n}", "count again")
    bounds = binomtest(hits, n).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(
        estimate=hits / n,
        low=float(bounds.low),
        high=float(bounds.high),
        standard_error=math.nan,
        n=n,
        method="Wilson",
        unit="photographs",
    )


def clopper_pearson_interval(
    proportion: float, n: int, method: str = "Clopper-Pearson over groups"
) -> Interval:
    """Return the exact interval of a `proportion` of `n` groups, with standard error 0."""
    # Clopper & Pearson (1934); the number of hits need not be whole.
    hits = proportion * n
    return Interval(
        estimate=proportion,
        low=0.0 if hits <= 0 else float(beta.ppf(LOWER_TAIL, hits, n - hits + 1)),
        high=1.0 if hits >= n else float(beta.ppf(1 - LOWER_TAIL, hits + 1, n - hits)),
        standard_error=0.0,
        n=n,
        method=method,
        unit="groups",
    )


def is_blind(interval: Interval) -> bool:
    """Say whether every bootstrap replicate gave the same, so that `interval` has no width."""
    return interval.high - interval.low <= _BLIND


def proportion_interval(proportion: float, replicates: Floats, n: int) -> Interval:
    """Return the bootstrap's interval over `n` groups, or exact bounds where it has no width."""
    # No width: every positive was recognised, for example. The exact bounds count each group once,
    # however many photographs it has.
    found = percentile_interval(proportion, replicates, n=n)
    return clopper_pearson_interval(proportion, n) if is_blind(found) else found
