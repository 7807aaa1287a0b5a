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
from scipy.stats import norm
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval, PairedTest, refuse_confidence

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

METHOD = "group bootstrap widened for cross-validation"


def crossval_interval(
    values: ArrayLike,
    variance: float,
    *,
    folds: int,
    n_train: float,
    n_test: float,
    groups: int,
    confidence: float = 0.95,
) -> Interval:
    """Return the mean over cells with its widened interval.

    Variance max(V, B) + (K - 1) rho V, where V is the group bootstrap's variance of the mean, B the
    cells' variance / K, and rho = n_test / (n_test + n_train); Student's t where B is the larger,
    with degrees of freedom after Satterthwaite (1946), else normal.

    Args:
        values: One result per cell (fold x repeat), shape (J,), J at least 2.
        variance: V, of their mean or of the mean difference.
        folds: K, of one repeat.
        n_train: Photographs trained on per cell (mean), above 0.
        n_test: Photographs tested on per cell (mean), above 0.
        groups: Groups that were resampled.
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: Fewer than two cells, fewer than two folds, or numbers out of range.

    >>> i = crossval_interval([0.8, 0.9], 0.001, folds=2, n_train=50, n_test=50, groups=40)
    >>> round(i.standard_error, 4)  # B = 0.005 / 2 is the larger, rho = 1 / 2
    0.0548
    """
    refuse_confidence(confidence)
    estimate, error, freedom = _error(values, variance, folds, n_train, n_test)
    quantile = (1 + confidence) / 2
    t = norm.ppf(quantile) if np.isinf(freedom) else student.ppf(quantile, freedom)
    half = float(t) * error
    return Interval(
        estimate, estimate - half, estimate + half, error, groups, METHOD, "groups", confidence
    )


def crossval_test(
    differences: ArrayLike,
    variance: float,
    *,
    folds: int,
    n_train: float,
    n_test: float,
    groups: int,
    confidence: float = 0.95,
) -> PairedTest:
    """One-sided test that the mean paired difference is above 0; arguments as the interval's."""
    interval = crossval_interval(
        differences,
        variance,
        folds=folds,
        n_train=n_train,
        n_test=n_test,
        groups=groups,
        confidence=confidence,
    )
    estimate, error = interval.estimate, interval.standard_error
    if error == 0:
        sign = float(np.sign(estimate))
        return PairedTest(interval, sign * np.inf if sign else 0.0, (1 - sign) / 2)
    statistic = estimate / error
    freedom = _error(differences, variance, folds, n_train, n_test)[2]
    p = norm.sf(statistic) if np.isinf(freedom) else student.sf(statistic, freedom)
    return PairedTest(interval, statistic, float(p))


def _error(
    values: ArrayLike, variance: float, folds: int, n_train: float, n_test: float
) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom."""
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
    share = n_test / (n_test + n_train)
    total = max(variance, between) + (folds - 1) * share * variance
    freedom = float("inf")
    if between > variance:
        freedom = (sample.size - 1) * (total / between) ** 2
    return float(sample.mean()), float(np.sqrt(total)), freedom
