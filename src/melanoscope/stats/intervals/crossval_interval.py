"""The interval of a cross-validated mean that held the truth in our study of the statistics.

The group bootstrap says how much a result would vary with other test patients. In cross-validation
that is not enough: the test patients of one fold are training patients of the others, so that the
errors of folds go together (Bates, Hastie & Tibshirani 2024), and chance in training is not seen.
docs/results/null_study.md measures by how much it misses (82 to 95 % instead of 95 %), and that
this one does not (95.7 % or more): the bootstrap's variance, or the spread over folds where that is
larger, and (K - 1) times the correlation of Nadeau & Bengio (2003) on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.wald import wald_interval, wald_test

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.intervals.interval import Interval, PairedTest

METHOD = "group bootstrap widened for cross-validation"


def crossval_interval(
    values: ArrayLike,
    variance: float,
    *,
    folds: int,
    n_train: float,
    n_test: float,
    groups: int,
) -> Interval:
    """Return the mean over folds and repeats with its widened interval.

    Variance max(V, B) + (K - 1) rho V, where V is the group bootstrap's variance of the mean, B the
    variance over folds / K, and rho = n_test / (n_test + n_train); Student's t where B is the
    larger, with degrees of freedom after Satterthwaite (1946), else normal.

    Args:
        values: One result per fold and repeat, shape (J,), J at least 2.
        variance: V, the group bootstrap's variance of their mean, 0 or more.
        folds: K, the number of folds of one repeat, at least 2.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.
        groups: Number of groups that were resampled.

    Returns:
        The interval; its n is `groups`.

    Raises:
        StatisticsError: Fewer than two results, fewer than two folds, or numbers out of range.

    >>> i = crossval_interval([0.8, 0.9], 0.001, folds=2, n_train=50, n_test=50, groups=40)
    >>> round(i.standard_error, 4)  # B = 0.005 / 2 is the larger, rho = 1 / 2
    0.0548
    """
    estimate, error, freedom = _moments(values, variance, folds, n_train, n_test)
    return wald_interval(
        estimate,
        error,
        n=groups,
        method=METHOD,
        degrees_of_freedom=freedom,
    )


def crossval_test(
    differences: ArrayLike,
    variance: float,
    *,
    folds: int,
    n_train: float,
    n_test: float,
    groups: int,
) -> PairedTest:
    """Test one-sided that the mean paired difference is above 0, with the widened variance.

    Args:
        differences: One difference per fold and repeat, shape (J,), J at least 2.
        variance: The group bootstrap's variance of the mean difference, 0 or more.
        folds: Number of folds of one repeat, at least 2.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.
        groups: Number of groups that were resampled.

    Returns:
        The test, with the interval of `crossval_interval`.

    Raises:
        StatisticsError: Fewer than two results, fewer than two folds, or numbers out of range.
    """
    interval = crossval_interval(
        differences,
        variance,
        folds=folds,
        n_train=n_train,
        n_test=n_test,
        groups=groups,
    )
    return wald_test(interval, _moments(differences, variance, folds, n_train, n_test)[2])


def _moments(
    values: ArrayLike, variance: float, folds: int, n_train: float, n_test: float
) -> tuple[float, float, float]:
    """Return mean, standard error and degrees of freedom."""
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all() or folds < 2:
        raise StatisticsError(
            "at least two finite results of at least two folds",
            f"shape {sample.shape}, {folds} folds",
            "run two folds or more",
        )
    if not (np.isfinite(variance) and variance >= 0 and n_train > 0 and n_test > 0):
        raise StatisticsError(
            "a variance of 0 or more, and sizes above 0",
            f"{variance!r}, {n_train!r}, {n_test!r}",
            "check the bootstrap and the folds",
        )
    between = float(sample.var(ddof=1)) / folds
    correlation = n_test / (n_test + n_train)
    total = max(variance, between) + (folds - 1) * correlation * variance
    freedom = float("inf")
    if between > variance:
        freedom = (sample.size - 1) * (total / between) ** 2
    return float(sample.mean()), float(np.sqrt(total)), freedom
