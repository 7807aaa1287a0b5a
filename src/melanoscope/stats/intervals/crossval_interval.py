"""Intervals and tests of a mean over folds and repeats, whose results are not independent.

Any two networks share most of their training photographs, and the test patients of one fold are
training patients of the others (Bates, Hastie & Tibshirani 2024). `corrected_t_interval` needs the
results alone: Nadeau & Bengio (2003), "Inference for the generalization error", correct the
variance of the mean from s^2 / J to s^2 (1/J + n_test/n_train), with t on J - 1 degrees.

`crossval_interval` is the interval of a cross-validated metric, wherever one is given. The group
bootstrap alone misses it, since it varies the test patients only. The widening is our own, derived
from Nadeau & Bengio's covariance of two folds and measured in docs/results/null_study.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats, safe_divide
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.intervals.wald import ROUNDING, logit_interval, wald_interval, wald_test
from melanoscope.stats.validation import check_fold_results

METHOD = "group bootstrap widened for cross-validation"
CORRECTED_T = "corrected resampled t (Nadeau & Bengio 2003)"
UNTOUCHED = 1.0
"""The factor on a variance for photographs that no network was trained on."""


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How results were obtained.

    Attributes:
        folds: K, the number of folds of one repeat; 1 where networks were tested on one set.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.

    Raises:
        StatisticsError: Numbers out of range.
    """

    folds: int
    n_train: float
    n_test: float

    def __post_init__(self) -> None:
        if self.folds < 1 or not (self.n_train > 0 and self.n_test > 0):
            raise StatisticsError(
                "at least one fold, and training and test sizes above 0",
                f"{self.folds} folds, {self.n_train} and {self.n_test}",
                "check the folds",
            )

    @property
    def factor(self) -> float:
        """What the variance by test patients is multiplied with: 1 + (K - 1) rho.

        rho = n_test / (n_test + n_train) is the correlation of two folds' results of Nadeau &
        Bengio (2003), equation 8.

        >>> CrossValidation(folds=5, n_train=80, n_test=20).factor
        1.8
        """
        return 1 + (self.folds - 1) * self.n_test / (self.n_test + self.n_train)


@dataclass(frozen=True, slots=True)
class Variance:
    """A variance with the degrees of freedom that it is known by."""

    value: float
    degrees_of_freedom: float

    @property
    def standard_error(self) -> float:
        """The root of it."""
        return float(np.sqrt(self.value))


def crossval_variance(
    by_patients: Variance, design: CrossValidation, values: ArrayLike | None = None
) -> Variance:
    """Return the variance of a mean over folds: of test patients, training patients and training.

    (1 + (K - 1) rho) V + max(B - V, 0): V is the variance by test patients, B = s^2 / K what the
    results of the folds spread, of which V is a part; more than V is chance in training. Degrees of
    freedom after Satterthwaite (1946).

    Args:
        by_patients: V, the group bootstrap's variance of the mean, 0 or more.
        design: Folds and sizes.
        values: One result per fold and repeat, shape (J,), J at least 2; None where there are none,
            as of a metric that pools the folds: then B counts as V.

    Returns:
        The variance.

    Raises:
        StatisticsError: Fewer than two results, or a variance below 0 or infinite.

    >>> design = CrossValidation(folds=2, n_train=50, n_test=50)  # rho = 1 / 2
    >>> v = crossval_variance(Variance(0.001, 39), design, [0.8, 0.9])  # B = 0.005 / 2
    >>> round(v.value, 4), round(v.degrees_of_freedom, 2)
    (0.003, 3.9)
    """
    v = by_patients.value
    if not 0 <= v < np.inf:
        raise StatisticsError("a variance of 0 or more", repr(v), "check the bootstrap")
    between, results = v, 2
    if values is not None:
        sample = check_fold_results(values)
        between, results = float(sample.var(ddof=1)) / max(design.folds, 2), sample.size
    total, freedom = widen(
        np.array(v), np.array(between), design, by_patients.degrees_of_freedom, results
    )
    return Variance(float(total), float(freedom))


def widen(
    by_patients: Floats, between: Floats, design: CrossValidation, freedom: float, results: int
) -> tuple[Floats, Floats]:
    """Return variances and degrees of freedom by the rule of `crossval_variance`, for arrays.

    Args:
        by_patients: V, variances by test patients, any shape.
        between: B, the spread of the folds' results over K, of the same shape.
        design: Folds and sizes.
        freedom: Degrees of freedom of V.
        results: Number of results behind B.

    Returns:
        Variances and their degrees of freedom, of the same shape; infinite where nothing varies.
    """
    widened, excess = design.factor * by_patients, np.maximum(between - by_patients, 0.0)
    total = widened + excess
    doubt = widened**2 / freedom + excess**2 / (results - 1)
    return total, safe_divide(total**2, doubt, fill=np.inf)


def crossval_interval(
    estimate: float, variance: Variance, *, groups: int, top: float = 1.0
) -> Interval:
    """Return a cross-validated metric with its interval, symmetric on the logit scale.

    Args:
        estimate: The metric, above 0 and below `top`.
        variance: Its `crossval_variance`.
        groups: Number of groups that were resampled.
        top: Highest value of the metric.

    Returns:
        The interval; its n is `groups`.

    Raises:
        StatisticsError: An estimate that is not between 0 and `top`: at its bounds no result
            varies, and exact bounds are needed.

    >>> i = crossval_interval(0.85, Variance(0.0009, 30), groups=200)
    >>> round(i.low, 3), round(i.high, 3)
    (0.778, 0.902)
    """
    return logit_interval(
        estimate,
        variance.standard_error,
        n=groups,
        method=METHOD,
        degrees_of_freedom=variance.degrees_of_freedom,
        top=top,
    )


def prediction_interval(interval: Interval) -> Interval:
    """Return the interval that the result of the next study of the same size falls into.

    The next study's result differs from this one by the chance of both, so that the variance is
    doubled (Hahn & Meeker 1991, section 4.2, for a future mean of as many), on the logit scale.

    Args:
        interval: The interval of the expectation, of `crossval_interval`, between 0 and 1.

    Returns:
        The wider interval.

    Raises:
        StatisticsError: An interval that reaches 0 or 1.

    >>> i = crossval_interval(0.85, Variance(0.0009, 30), groups=200)
    >>> round(prediction_interval(i).low, 3), round(prediction_interval(i).high, 3)
    (0.742, 0.918)
    """
    if not 0 < interval.low <= interval.high < 1:
        raise StatisticsError(
            "an interval between 0 and 1",
            f"{interval.low} to {interval.high}",
            "predict from an interval on the logit scale",
        )
    low, middle, high = logit([interval.low, interval.estimate, interval.high])
    return replace(
        interval,
        low=float(expit(middle - np.sqrt(2) * (middle - low))),
        high=float(expit(middle + np.sqrt(2) * (high - middle))),
        standard_error=interval.standard_error * float(np.sqrt(2)),
        method="prediction of the next study of the same size",
    )


def corrected_t_interval(
    values: ArrayLike, *, n_train: float, n_test: float, on_logit_scale: bool = False
) -> Interval:
    """Return the mean of `values`, one per fold and repeat, with its corrected interval.

    Args:
        values: One result per fold and repeat, shape (J,), J at least 2.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.
        on_logit_scale: Whether the interval is symmetric on the logit scale, as suits a metric of
            0 to 1; a difference stays on its own.

    Returns:
        The interval; its n is J.

    Raises:
        StatisticsError: Fewer than two results, sizes out of range, or on the logit scale a mean of
            0 or 1.

    >>> found = corrected_t_interval([0.80, 0.84, 0.82], n_train=80, n_test=40, on_logit_scale=True)
    >>> round(found.low, 2), round(found.high, 2)
    (0.73, 0.89)
    """
    sample, error = check_fold_results(values), 0.0
    CrossValidation(1, n_train, n_test)
    if np.ptp(sample) > ROUNDING:
        error = float(np.sqrt(sample.var(ddof=1) * (1 / sample.size + n_test / n_train)))
    interval = logit_interval if on_logit_scale else wald_interval
    return interval(
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


def crossval_test(difference: float, variance: Variance, *, groups: int) -> PairedTest:
    """Test one-sided that a paired difference is above 0, with its `crossval_variance`.

    Args:
        difference: Mean paired difference of two networks' metrics.
        variance: Its `crossval_variance`.
        groups: Number of groups that were resampled.

    Returns:
        The test.
    """
    interval = wald_interval(
        difference,
        variance.standard_error,
        n=groups,
        method=METHOD,
        degrees_of_freedom=variance.degrees_of_freedom,
    )
    return wald_test(interval, variance.degrees_of_freedom)
