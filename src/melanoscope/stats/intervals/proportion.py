"""Intervals of a proportion of independent photographs or groups: Wilson's and the exact one."""

from __future__ import annotations

import math

from scipy.special import betaincinv
from scipy.stats import binomtest

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import CONFIDENCE, LOWER_TAIL, Interval


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


def exact_bounds(proportion: float, n: float, tail: float = LOWER_TAIL) -> tuple[float, float]:
    """Return the exact bounds of a `proportion` of `n`, each missed with chance `tail` at most.

    Clopper & Pearson (1934), by quantiles of the beta distribution, so that neither `n` nor the
    number of hits need be whole.

    Args:
        proportion: Share of `n` that counts, 0..1.
        n: Number of independent units, above 0; an effective one may be broken.
        tail: Chance of each bound to miss, above 0, below 0.5; 0.025 makes a 95 % interval.

    Returns:
        Lower and upper bound.

    >>> low, high = exact_bounds(1.0, 20, tail=0.05)
    >>> round(low, 3), high  # 20 of 20: at least 86.1 %, with 95 % confidence
    (0.861, 1.0)
    """
    hits = proportion * n
    low = 0.0 if hits <= 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits >= n else 1 - float(betaincinv(n - hits, hits + 1, tail))
    return low, high
