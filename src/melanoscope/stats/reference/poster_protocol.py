"""What Kim & Rocheteau (2020) computed, so that the difference can be measured.

Their AUROC and AUPRC are those of rounded predictions, their intervals treat folds as independent,
and their stars come from an unpaired t-test over folds. None of it means what it seems to:
docs/poster.md says why. `classification.auroc` refuses rounded predictions; here they are the
point. A probability of exactly 0.5 counts as melanoma, as everywhere here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import sem

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.wald import wald_interval, wald_test
from melanoscope.stats.metrics.classification import ConfusionMatrix, confusion_matrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.arrays import Floats
    from melanoscope.stats.intervals.interval import Interval, PairedTest

METHOD = "t over folds as if they were independent (as in the poster)"
THRESHOLD = 0.5


def hard_metrics(
    target: ArrayLike, probability: ArrayLike, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Compute the tables' five metrics from decisions instead of probabilities, as the poster did.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of melanoma, floating point, 0..1, shape (n,).
        threshold: Decision threshold, finite.

    Returns:
        Metric -> value, in the order and under the names of `classification.METRICS`. AUROC is the
        balanced accuracy, AUPRC the average precision of the decisions.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`.

    >>> hard_metrics([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])["auroc"]  # ranked without a mistake
    0.5
    """
    counts = confusion_matrix(target, probability, threshold)
    return {
        "accuracy": counts.accuracy,
        "auroc": counts.balanced_accuracy,
        "auprc": _average_precision(counts),
        "f1": counts.f1,
        "balanced_accuracy": counts.balanced_accuracy,
    }


def _average_precision(counts: ConfusionMatrix) -> float:
    """Two steps: precision x sensitivity at the threshold, then prevalence x what is missed."""
    positives = counts.true_positive + counts.false_negative
    prevalence = positives / (positives + counts.false_positive + counts.true_negative)
    precision = counts.true_positive / max(counts.true_positive + counts.false_positive, 1)
    return precision * counts.sensitivity + prevalence * (1 - counts.sensitivity)


def poster_interval(values: ArrayLike) -> Interval:
    """Return the mean over folds with the t interval of independent samples, which is too narrow.

    The poster prints "95 % confidence intervals" over folds without saying how. Student's t is
    taken, since its stars are t-tests; with 1.96 instead the intervals would be narrower still (by
    13 % with ten folds, by 29 % with five).

    Args:
        values: One result per fold, shape (J,), J at least 2.

    Returns:
        The interval; its n is J.

    Raises:
        StatisticsError: Fewer than two values, or NaN.
    """
    sample = _checked(values)
    error = float(sem(sample))
    return _interval(float(sample.mean()), error, sample.size, sample.size - 1)


def poster_t_test(a: ArrayLike, b: ArrayLike) -> PairedTest:
    """Test one-tailed and unpaired over folds that a is better than b; this finds far too much.

    Student's test, with one variance for both.

    Args:
        a: One result per fold of the first network, shape (J,), J at least 2.
        b: One result per fold of the second network, shape (J,).

    Returns:
        The test; where neither network varies its p-value is 0, 0.5 or 1.

    Raises:
        StatisticsError: Fewer than two values, or NaN.
    """
    a, b = _checked(a), _checked(b)
    difference, freedom = float(a.mean() - b.mean()), a.size + b.size - 2
    within = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    error = float(np.sqrt(within / freedom * (1 / a.size + 1 / b.size)))
    return wald_test(_interval(difference, error, a.size, freedom), freedom)


def _interval(estimate: float, error: float, n: int, freedom: float) -> Interval:
    return wald_interval(
        estimate,
        error,
        n=n,
        method=METHOD,
        unit="folds",
        degrees_of_freedom=freedom,
    )


def _checked(values: ArrayLike) -> Floats:
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise StatisticsError(
            "at least two finite results, one per fold",
            f"{sample.tolist()}",
            "run two folds or more",
        )
    return sample
