"""Intervals and tests over folds and repeats that allow for shared training photographs.

The J results of J folds are not J independent samples: any two networks share most of their
training photographs. Nadeau & Bengio (2003), "Inference for the generalization error", correct
the variance of the mean from s^2 / J to s^2 (1/J + n_test/n_train), with t on J - 1 degrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval, PairedTest, refuse_confidence

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.metrics.classification import Floats

__all__ = ["CORRECTED", "Interval", "PairedTest", "corrected_t_interval", "corrected_t_test"]

CORRECTED = "corrected resampled t (Nadeau & Bengio 2003)"
# Metrics are of order one: a spread below this is the rounding of doubles, not variance.
_ROUNDING = 1e-12


def corrected_t_interval(
    values: ArrayLike, *, n_train: float, n_test: float, confidence: float = 0.95
) -> Interval:
    """Mean of J results with a corrected interval.

    Args:
        values: Results of J >= 2 folds x repeats, shape (J,).
        n_train: Photographs trained on per fold (mean), above 0.
        n_test: Photographs tested on per fold (mean), above 0.
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: Fewer than two values, NaN, or sizes that are not positive.

    >>> i = corrected_t_interval([0.8, 0.9], n_train=80, n_test=20)
    >>> round(i.estimate, 3), round(i.standard_error, 4)
    (0.85, 0.0612)
    """
    sample = _checked(values, n_train, n_test)
    refuse_confidence(confidence)
    error = _standard_error(sample, n_test / n_train)
    half = float(student.ppf((1 + confidence) / 2, sample.size - 1)) * error
    mean = float(sample.mean())
    return Interval(mean, mean - half, mean + half, error, sample.size, CORRECTED)


def corrected_t_test(
    differences: ArrayLike, *, n_train: float, n_test: float, confidence: float = 0.95
) -> PairedTest:
    """One-sided corrected resampled t-test of paired differences being above 0.

    When the differences do not vary at all, t has no finite value and the p-value is the limit:
    0 when all are above zero, 1 when all are below, 0.5 when all are zero.

    Arguments and errors as `corrected_t_interval`.

    >>> corrected_t_test([0.0, 0.0, 0.0], n_train=80, n_test=20).p_value
    0.5
    """
    interval = corrected_t_interval(
        differences, n_train=n_train, n_test=n_test, confidence=confidence
    )
    mean, error = interval.estimate, interval.standard_error
    if error == 0:
        sign = 0.0 if abs(mean) <= _ROUNDING else float(np.sign(mean))
        return PairedTest(interval, sign * np.inf if sign else 0.0, (1 - sign) / 2)
    statistic = mean / error
    return PairedTest(interval, statistic, float(student.sf(statistic, interval.n - 1)))


def _standard_error(sample: Floats, ratio: float) -> float:
    if np.ptp(sample) <= _ROUNDING:
        return 0.0
    return float(np.sqrt(sample.var(ddof=1) * (1 / sample.size + ratio)))


def _checked(values: ArrayLike, n_train: float, n_test: float) -> Floats:
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or sample.size < 2:
        raise StatisticsError(
            "at least two results, one per fold",
            f"shape {sample.shape}",
            "run two folds or more: one result has no interval",
        )
    if not np.isfinite(sample).all():
        raise StatisticsError("finite results", "NaN or infinity", "check the cells' predictions")
    if not (n_train > 0 and n_test > 0):
        raise StatisticsError(
            "training and test sizes above 0", f"{n_train} and {n_test}", "check the folds"
        )
    return sample
