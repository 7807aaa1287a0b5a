"""By how much cross-validation widens what the test patients alone would leave in doubt."""

from __future__ import annotations

from dataclasses import replace

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval

UNTOUCHED = 1.0
"""The factor for photographs that no network was trained on."""


def crossval_factor(*, folds: int, n_train: float, n_test: float) -> float:
    """Return the factor on a variance over groups that cross-validation takes at least.

    1 + (K - 1) rho, with the correlation rho = n_test / (n_test + n_train) of Nadeau & Bengio
    (2003): the test patients of one fold are training patients of the others, so that the errors of
    the folds go together.

    Args:
        folds: K, the number of folds of one repeat, at least 1.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.

    Returns:
        The factor, at least 1.

    Raises:
        StatisticsError: No fold, or sizes that are not above 0.

    >>> crossval_factor(folds=5, n_train=80, n_test=20)
    1.8
    """
    if not (folds >= 1 and n_train > 0 and n_test > 0):
        raise StatisticsError(
            "a fold or more, and training and test sizes above 0",
            f"{folds} folds, {n_train} and {n_test}",
            "check the folds",
        )
    return 1 + (folds - 1) * n_test / (n_test + n_train)


def widen(interval: Interval, factor: float, *, ratio: bool = False) -> Interval:
    """Widen an interval by the root of a `factor` on its variance; a ratio's on the log scale."""
    root = factor**0.5
    estimate = interval.estimate
    if ratio:
        low = estimate * (interval.low / estimate) ** root
        high = estimate * (interval.high / estimate) ** root
    else:
        low = estimate - root * (estimate - interval.low)
        high = estimate + root * (interval.high - estimate)
    return replace(interval, low=low, high=high, standard_error=root * interval.standard_error)
