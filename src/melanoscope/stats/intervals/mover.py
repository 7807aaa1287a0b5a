"""Differences of two estimates from their own bounds: the method of variance estimates recovery.

Zou & Donner (2008), Statistics in Medicine 27:1693-1702, with the correlation of Zou (2007),
Psychological Methods 12:399-413: bounds may be as lopsided as they are near 0 and 1. For two
independent shares it is method 10 of Newcombe (1998).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from melanoscope.stats.intervals.clustered import Clustered
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL, Interval

METHOD = "MOVER (Zou & Donner 2008) from the bounds of both"
LEAST_TAIL = 1e-15
"""Smallest tail that is looked at: far below what any page prints."""


def correlation(a: Clustered, b: Clustered) -> float:
    """Return the correlation of two estimates that comes from groups which move both."""
    scale = float(np.sqrt((a.influence @ a.influence) * (b.influence @ b.influence)))
    return float(a.influence @ b.influence) / scale if scale > 0 else 0.0


def square_and_add(one: float, other: float, shared: float) -> float:
    """Return the root of the squares of two distances less what is `shared`, a correlation."""
    if np.isinf(one) or np.isinf(other):
        return float("inf")
    return float(np.sqrt(max(one * one + other * other - 2 * shared * one * other, 0.0)))


def difference(a: Clustered, b: Clustered, *, n: int) -> tuple[Interval, float]:
    """Return a - b with its 95 % interval, and the two-sided p-value that it is not 0.

    Args:
        a: One estimate.
        b: Another, from the same numbering of groups.
        n: Number of groups that either rests on.

    Returns:
        The difference and p: the level at which the interval would just reach 0.
    """
    shared = correlation(a, b)
    estimate = a.estimate - b.estimate

    def bounds(tail: float) -> tuple[float, float]:
        low_a, high_a = a.bounds(tail)
        low_b, high_b = b.bounds(tail)
        down = square_and_add(a.estimate - low_a, high_b - b.estimate, shared)
        up = square_and_add(high_a - a.estimate, b.estimate - low_b, shared)
        return estimate - down, estimate + up

    def beyond(log_tail: float) -> float:
        """How far the bound that faces 0 has crossed it, at a tail of 10 ** `log_tail`."""
        low, high = bounds(10**log_tail)
        return low if estimate > 0 else -high

    low, high = bounds(LOWER_TAIL)
    if estimate == 0 or beyond(np.log10(0.499)) <= 0:
        p_value = 1.0
    elif beyond(np.log10(LEAST_TAIL)) >= 0:
        p_value = 2 * LEAST_TAIL
    else:
        p_value = 2 * 10 ** float(brentq(beyond, np.log10(LEAST_TAIL), np.log10(0.499), xtol=1e-9))
    facing = estimate - low if estimate > 0 else high - estimate
    interval = Interval(
        estimate=estimate,
        low=low,
        high=high,
        standard_error=facing / float(norm.ppf(UPPER_TAIL)),
        n=n,
        method=METHOD,
        unit="groups",
    )
    return interval, min(p_value, 1.0)


def independent_difference(a: Interval, b: Interval) -> Interval:
    """Return a - b with its 95 % interval, of two estimates from different patients.

    Args:
        a: One estimate with its 95 % interval.
        b: Another.

    Returns:
        The difference; its n is that of the estimate that rests on less.

    >>> def share(hits: int, n: int) -> Interval:
    ...     from melanoscope.stats.intervals.proportion import wilson_interval
    ...     return wilson_interval(hits, n)
    >>> found = independent_difference(share(56, 70), share(48, 80))
    >>> round(found.low, 4), round(found.high, 4)  # Newcombe (1998), table II, method 10
    (0.0524, 0.3339)
    """
    estimate = a.estimate - b.estimate
    down = square_and_add(a.estimate - a.low, b.high - b.estimate, 0.0)
    up = square_and_add(a.high - a.estimate, b.estimate - b.low, 0.0)
    return Interval(
        estimate=estimate,
        low=estimate - down,
        high=estimate + up,
        standard_error=float(np.hypot(a.standard_error, b.standard_error)),
        n=min(a.n, b.n),
        method=METHOD,
        unit=a.unit,
    )
