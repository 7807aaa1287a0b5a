"""Intervals and tests over folds and repeats that allow for shared training photographs.

The J results of J folds are not J independent samples: any two networks share most of their
training photographs. Nadeau & Bengio (2003), "Inference for the generalization error", correct
the variance of the mean from s^2 / J to s^2 (1/J + n_test/n_train), with t on J - 1 degrees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.wald import ROUNDING, wald_interval, wald_test

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.intervals.interval import Interval, PairedTest

METHOD = "corrected resampled t (Nadeau & Bengio 2003)"


def corrected_t_interval(values: ArrayLike, *, n_train: float, n_test: float) -> Interval:
    """Return the mean over folds with a corrected interval.

    Args:
        values: One result per fold and repeat, shape (J,), J at least 2.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.

    Returns:
        The interval; its n is J.

    Raises:
        StatisticsError: Fewer than two values, NaN, or sizes that are not positive.

    >>> i = corrected_t_interval([0.8, 0.9], n_train=80, n_test=20)
    >>> round(i.estimate, 3), round(i.standard_error, 4)
    (0.85, 0.0612)
    """
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
    error = 0.0
    if np.ptp(sample) > ROUNDING:
        error = float(np.sqrt(sample.var(ddof=1) * (1 / sample.size + n_test / n_train)))
    return wald_interval(
        float(sample.mean()),
        error,
        n=sample.size,
        method=METHOD,
        unit="folds",
        degrees_of_freedom=sample.size - 1,
    )


def corrected_t_test(differences: ArrayLike, *, n_train: float, n_test: float) -> PairedTest:
    """Test one-sided that paired differences are above 0, by the corrected resampled t-test.

    Args:
        differences: One difference per fold and repeat, shape (J,), J at least 2.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.

    Returns:
        The test; where the differences do not vary its p-value is the limit 0, 0.5 or 1.

    Raises:
        StatisticsError: Fewer than two differences, NaN, or sizes that are not positive.

    >>> corrected_t_test([0.0, 0.0, 0.0], n_train=80, n_test=20).p_value
    0.5
    """
    interval = corrected_t_interval(differences, n_train=n_train, n_test=n_test)
    return wald_test(interval, interval.n - 1)
