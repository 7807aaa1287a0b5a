"""Intervals and tests of a mean over folds and repeats, whose results are not independent.

Any two networks share most of their training photographs, and the test patients of one fold are
training patients of the others (Bates, Hastie & Tibshirani 2024). `corrected_t_interval` needs the
results alone: Nadeau & Bengio (2003), "Inference for the generalization error", correct the
variance of the mean from s^2 / J to s^2 (1/J + n_test/n_train), with t on J - 1 degrees.

`crossval_interval` held the truth in our study of the statistics. The group bootstrap alone misses
it (82 to 95 % instead of 95 %: docs/results/null_study.md), this one does not (95.7 % or more): the
bootstrap's variance, or the spread over folds where that is larger, and (K - 1) times the
correlation of Nadeau & Bengio on top.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.intervals.wald import ROUNDING, wald_interval, wald_test
from melanoscope.stats.validation import check_fold_results

METHOD = "group bootstrap widened for cross-validation"
CORRECTED_T = "corrected resampled t (Nadeau & Bengio 2003)"


def corrected_t_interval(values: ArrayLike, *, n_train: float, n_test: float) -> Interval:
    """Return the mean of `values`, one per fold and repeat, with its corrected interval; n is J."""
    sample = check_fold_results(values)
    _check_sizes(n_train, n_test)
    error = 0.0
    if np.ptp(sample) > ROUNDING:
        error = float(np.sqrt(sample.var(ddof=1) * (1 / sample.size + n_test / n_train)))
    return wald_interval(
        float(sample.mean()),
        error,
        n=sample.size,
        method=CORRECTED_T,
        unit="folds",
        degrees_of_freedom=sample.size - 1,
    )


def corrected_t_test(differences: ArrayLike, *, n_train: float, n_test: float) -> PairedTest:
    """Test one-sided that `differences`, one per fold and repeat, are above 0 on average."""
    interval = corrected_t_interval(differences, n_train=n_train, n_test=n_test)
    return wald_test(interval, interval.n - 1)


def crossval_interval(
    values: ArrayLike, variance: float, *, folds: int, n_train: float, n_test: float, groups: int
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
    return _widened(values, variance, folds, n_train, n_test, groups)[0]


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
        StatisticsError: As `crossval_interval`.
    """
    return wald_test(*_widened(differences, variance, folds, n_train, n_test, groups))


def _widened(
    values: ArrayLike, variance: float, folds: int, n_train: float, n_test: float, groups: int
) -> tuple[Interval, float]:
    """Return the interval and its degrees of freedom."""
    sample = check_fold_results(values)
    _check_sizes(n_train, n_test)
    if folds < 2 or not 0 <= variance < np.inf:
        raise StatisticsError(
            "at least 2 folds and a variance of 0 or more",
            f"{folds} folds and {variance!r}",
            "check the bootstrap and the folds",
        )
    between = float(sample.var(ddof=1)) / folds
    correlation = n_test / (n_test + n_train)
    total = max(variance, between) + (folds - 1) * correlation * variance
    freedom = float("inf")
    if between > variance:
        freedom = (sample.size - 1) * (total / between) ** 2
    interval = wald_interval(
        float(sample.mean()),
        float(np.sqrt(total)),
        n=groups,
        method=METHOD,
        degrees_of_freedom=freedom,
    )
    return interval, freedom


def _check_sizes(n_train: float, n_test: float) -> None:
    if not (n_train > 0 and n_test > 0):
        raise StatisticsError(
            "training and test sizes above 0", f"{n_train} and {n_test}", "check the folds"
        )
