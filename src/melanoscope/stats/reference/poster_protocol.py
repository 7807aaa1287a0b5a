"""What Kim & Rocheteau (2020) computed, so that the difference can be measured.

Their AUROC and AUPRC are those of rounded predictions, their intervals treat folds as independent,
and their stars come from an unpaired t-test over folds. None of it means what it seems to:
docs/poster.md says why. `metrics` refuses rounded predictions; here they are the point. A
probability of exactly 0.5 counts as melanoma, as everywhere here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.metrics.classification import balanced_accuracy, confusion_matrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.metrics.classification import Floats

METHOD = "t over folds as if they were independent (as in the poster)"
THRESHOLD = 0.5


def rounded_auroc(target: ArrayLike, probability: ArrayLike, threshold: float = THRESHOLD) -> float:
    """AUROC of decisions instead of probabilities, which is the balanced accuracy.

    Arguments and errors as `metrics.counts`.
    """
    return balanced_accuracy(target, probability, threshold)


def rounded_auprc(target: ArrayLike, probability: ArrayLike, threshold: float = THRESHOLD) -> float:
    """Average precision of decisions instead of probabilities.

    Two steps: precision x sensitivity at the threshold, then prevalence x what is missed.
    Arguments and errors as `metrics.counts`.
    """
    c = confusion_matrix(target, probability, threshold)
    positives = c.true_positive + c.false_negative
    prevalence = positives / (positives + c.false_positive + c.true_negative)
    caught = c.true_positive / positives
    precision = c.true_positive / max(c.true_positive + c.false_positive, 1)
    return precision * caught + prevalence * (1 - caught)


def hard_metrics(
    target: ArrayLike, probability: ArrayLike, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Compute the tables' five metrics as the poster did, under the tables' names."""
    c = confusion_matrix(target, probability, threshold)
    total = c.true_positive + c.false_positive + c.true_negative + c.false_negative
    return {
        "accuracy": (c.true_positive + c.true_negative) / total,
        "auroc": rounded_auroc(target, probability, threshold),
        "auprc": rounded_auprc(target, probability, threshold),
        "f1": 2 * c.true_positive / (2 * c.true_positive + c.false_positive + c.false_negative),
        "balanced_accuracy": balanced_accuracy(target, probability, threshold),
    }


def poster_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean over folds with the t interval of independent samples; too narrow.

    The poster prints "95 % confidence intervals" over folds without saying how. Student's t is
    taken, since its stars are t-tests; with 1.96 instead the intervals would be narrower still (by
    13 % with ten folds, by 29 % with five).

    Args:
        values: One result per fold, shape (J,), J at least 2.
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: Fewer than two values, or NaN.
    """
    sample = _checked(values)
    error = float(sample.std(ddof=1) / np.sqrt(sample.size))
    half = float(student.ppf((1 + confidence) / 2, sample.size - 1)) * error
    mean = float(sample.mean())
    return Interval(mean, mean - half, mean + half, error, sample.size, METHOD, "folds", confidence)


def poster_t_test(arm: ArrayLike, base: ArrayLike, confidence: float = 0.95) -> PairedTest:
    """One-tailed unpaired t-test over folds that an arm is better; finds far too much.

    Student's, with one variance for both arms. Where neither varies p is 0, 0.5 or 1.

    Args:
        arm: One result per fold, shape (J,).
        base: Likewise of the other arm.
        confidence: Of the difference's interval.

    Raises:
        StatisticsError: As `poster_interval`.
    """
    a, b = _checked(arm), _checked(base)
    difference, freedom = float(a.mean() - b.mean()), a.size + b.size - 2
    within = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum())
    error = float(np.sqrt(within / freedom * (1 / a.size + 1 / b.size)))
    if error > 0:
        statistic = difference / error
    else:  # neither arm varies
        statistic = float(np.sign(difference)) * np.inf if difference else 0.0
    p_value = float(student.sf(statistic, freedom))
    half = float(student.ppf((1 + confidence) / 2, freedom)) * error
    low, high = difference - half, difference + half
    interval = Interval(difference, low, high, error, a.size, METHOD, "folds", confidence)
    return PairedTest(interval, statistic, p_value)


def _checked(values: ArrayLike) -> Floats:
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise StatisticsError(
            "at least two finite results, one per fold",
            f"{sample.tolist()}",
            "run two folds or more",
        )
    return sample
