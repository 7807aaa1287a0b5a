"""Multiple comparisons with the best: Hsu (1981), in the form of Edwards & Hsu (1983).

Hsu JC (1981), "Simultaneous confidence intervals for all distances from the 'best'", Annals of
Statistics 9:1026-1034; Edwards DG, Hsu JC (1983), "Multiple comparisons with the best treatment",
J Am Stat Assoc 78:965-971, for errors that differ and hang together. The set of those that may be
the best is Gupta's (1965), "On some multiple decision (selection and ranking) rules",
Technometrics 7:225-245.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.stats.intervals.interval import CONFIDENCE, Interval
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.intervals.wald import ROUNDING
from melanoscope.stats.selection.paired_differences import PairedDifferences

METHOD = "multiple comparisons with the best (Hsu 1981; Edwards & Hsu 1983)"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceToBest:
    """One network beside the best of the others.

    Attributes:
        interval: Its metric minus the largest among the others, with the simultaneous interval:
            all networks' intervals hold together with the confidence. It always holds 0 or ends
            there: a network is the best, or another is.
        may_be_best: Whether it cannot be told from the best. The set of all such holds the best
            network with the confidence.
        non_inferior: Whether it is shown to be worse than the best by less than `MARGIN`.
    """

    interval: Interval
    may_be_best: bool
    non_inferior: bool


def compare_with_best(
    differences: PairedDifferences, *, n: int, margin: float = MARGIN
) -> tuple[DistanceToBest, ...]:
    """Compare every network with the best of the others.

    Args:
        differences: Differences of every two of k networks, by `paired_differences`.
        n: Number of groups that they rest on.
        margin: Loss that does not matter, above 0.

    Returns:
        One result per network, in their order.

    >>> from melanoscope.stats.selection.paired_differences import PairedDifferences
    >>> far = np.array([[0.0, 0.1], [-0.1, 0.0]])
    >>> error = np.array([[0.0, 0.02], [0.02, 0.0]])
    >>> found = compare_with_best(
    ...     PairedDifferences(
    ...         difference=far, standard_error=error, allowance=2 * error, replicated_error=error
    ...     ),
    ...     n=100,
    ... )
    >>> [(one.may_be_best, round(one.interval.low, 2), one.interval.high) for one in found]
    [(True, 0.0, 0.14), (False, -0.14, 0.0)]
    """
    k = len(differences.difference)
    others = ~np.eye(k, dtype=bool)
    ahead = np.where(others, differences.difference, np.inf).min(axis=1)
    reach = np.where(others, differences.difference + differences.allowance, np.inf).min(axis=1)
    may_be_best = reach >= -ROUNDING
    low = np.minimum(_lower_bounds(differences, may_be_best & others), 0.0)
    return tuple(
        DistanceToBest(
            interval=Interval(
                estimate=float(ahead[i]),
                low=float(low[i]),
                high=float(max(reach[i], 0.0)),
                standard_error=float("nan"),
                n=n,
                method=f"{METHOD}, {differences.method}",
                unit="groups",
                confidence=CONFIDENCE,
            ),
            may_be_best=bool(may_be_best[i]),
            non_inferior=bool(low[i] > -margin),
        )
        for i in range(k)
    )


def _lower_bounds(differences: PairedDifferences, candidates: Booleans) -> Floats:
    """Return how far each network is behind, at worst, any of its `candidates`, shape (k, k)."""
    # With candidate j as the best, its own allowance holds against all others at once.
    worst = differences.difference - differences.allowance.T
    # A network that alone may be the best has no candidate, and is behind nobody.
    lowest: Floats = np.where(candidates, worst, np.inf).min(axis=1)
    return lowest
