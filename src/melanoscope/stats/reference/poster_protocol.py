"""What Kim & Rocheteau (2020) computed, so that the difference can be measured.

Their AUROC and AUPRC are those of rounded predictions, their intervals treat folds as independent,
and their stars come from an unpaired t-test over folds. None of it means what it seems to:
docs/poster.md says why. `classification.auroc` refuses rounded predictions; here they are the
point. A probability of exactly 0.5 counts as positive, as everywhere here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import sem

from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.intervals.wald import wald_interval, wald_test
from melanoscope.stats.metrics.classification import (
    METRICS,
    average_precision,
    threshold_metrics,
)
from melanoscope.stats.validation import check_fold_results, check_target_and_probability

METHOD = "t over folds as if they were independent (as in the poster)"
THRESHOLD = 0.5


def hard_metrics(
    target: ArrayLike, probability: ArrayLike, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Compute the tables' five metrics from decisions instead of probabilities, as the poster did.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        threshold: Decision threshold, finite.

    Returns:
        Metric -> value, as `table_metrics`; AUROC is the balanced accuracy of the decisions.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`.

    >>> hard_metrics([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])["auroc"]  # ranked without a mistake
    0.5
    """
    positive, score = check_target_and_probability(target, probability)
    decided = (score >= threshold).astype(np.float64)
    values = threshold_metrics(positive, decided, 0.5)
    values |= {
        "auroc": values["balanced_accuracy"],
        "auprc": average_precision(positive, decided),
    }
    return {metric: values[metric] for metric in METRICS}


def poster_interval(values: ArrayLike) -> Interval:
    """Return the mean over folds with the t interval of independent samples, which is too narrow.

    The poster prints "95 % confidence intervals" over folds without saying how. Student's t is
    taken, since its stars are t-tests; with 1.96 instead they would be narrower still.

    Args:
        values: One result per fold, shape (J,), J at least 2.

    Returns:
        The interval; its n is J.

    Raises:
        StatisticsError: Fewer than two values, or NaN.
    """
    sample = check_fold_results(values)
    error = float(sem(sample))
    return _interval(float(sample.mean()), error, sample.size, sample.size - 1)


def poster_t_test(a: ArrayLike, b: ArrayLike) -> PairedTest:
    """Test by Student's unpaired one-tailed test that a is better than b, which finds far too much.

    Args:
        a: One result per fold of the first network, shape (J,), J at least 2.
        b: One result per fold of the second network, shape (J,).

    Returns:
        The test; where neither network varies its p-value is 0, 0.5 or 1.

    Raises:
        StatisticsError: Fewer than two values, or NaN.
    """
    a, b = check_fold_results(a), check_fold_results(b)
    difference, freedom = float(a.mean() - b.mean()), a.size + b.size - 2
    within = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    error = float(np.sqrt(within / freedom * (1 / a.size + 1 / b.size)))
    return wald_test(_interval(difference, error, a.size, freedom), freedom)


def _interval(estimate: float, error: float, n: int, freedom: float) -> Interval:
    return wald_interval(
        estimate, error, n=n, method=METHOD, unit="folds", degrees_of_freedom=freedom
    )
