"""Metrics of a binary classifier, from probabilities.

AUROC and AUPRC take probabilities only: computed on rounded predictions they are something else
(the "AUROC" of hard labels is exactly the balanced accuracy), an error that reached print.
The others decide at a threshold: a photograph counts as melanoma when probability >= threshold.
Every metric with bootstrap replicates is in `melanoscope.stats.bootstrap`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.validation import check_target_and_probability

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

METRICS = ("accuracy", "auroc", "auprc", "f1", "balanced_accuracy")


# SciPy's ranks instead of scikit-learn's curves: the same numbers, and commands that need no curve
# start without importing scikit-learn.
def auroc(target: ArrayLike, probability: ArrayLike) -> float:
    """Return the area under the ROC curve: the chance that a melanoma scores above another lesion.

    Mann & Whitney (1947), through ranks; ties count half.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of melanoma, floating point, 0..1, shape (n,).

    Returns:
        The area, 0..1; 0.5 is chance.

    Raises:
        StatisticsError: Other shapes, NaN, values outside the range, hard labels, or one class.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive, score = check_target_and_probability(target, probability)
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    above = float(rankdata(score)[positive].sum()) - n_positive * (n_positive + 1) / 2
    return above / (n_positive * n_negative)


def auprc(target: ArrayLike, probability: ArrayLike) -> float:
    """Return the average precision: the sum of precision times gain in recall over all thresholds.

    Without any skill it is the prevalence, so never compare it across samples of different
    prevalence.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of melanoma, floating point, 0..1, shape (n,).

    Returns:
        The average precision, 0..1.

    Raises:
        StatisticsError: Other shapes, NaN, values outside the range, hard labels, or one class.

    >>> round(auprc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    positive, score = check_target_and_probability(target, probability)
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.cumsum(positive[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    gain = np.diff(hits, prepend=0) / hits[-1]
    return float(precision @ gain)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionMatrix:
    """Right and wrong decisions at one threshold, and the metrics that follow from them."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def accuracy(self) -> float:
        """Share of right decisions; looks good by itself when melanomas are rare."""
        right = self.true_positive + self.true_negative
        return right / (right + self.false_positive + self.false_negative)

    @property
    def sensitivity(self) -> float:
        """Share of melanomas that were recognised."""
        return self.true_positive / (self.true_positive + self.false_negative)

    @property
    def specificity(self) -> float:
        """Share of other lesions that were not called melanoma."""
        return self.true_negative / (self.true_negative + self.false_positive)

    @property
    def balanced_accuracy(self) -> float:
        """Mean of sensitivity and specificity."""
        return (self.sensitivity + self.specificity) / 2

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity; 0 when no melanoma was recognised."""
        doubled = 2 * self.true_positive
        return doubled / (doubled + self.false_positive + self.false_negative)


def confusion_matrix(
    target: ArrayLike, probability: ArrayLike, threshold: float
) -> ConfusionMatrix:
    """Count right and wrong decisions; a photograph is called melanoma when p >= threshold.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of melanoma, floating point, 0..1, shape (n,).
        threshold: Decision threshold, finite, chosen on photographs that are not among these.

    Returns:
        The counts, with accuracy, sensitivity, specificity, balanced accuracy and F1.

    Raises:
        StatisticsError: Dishonest input as in `auroc`, or a threshold that is not finite.

    >>> confusion_matrix([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5).balanced_accuracy
    0.75
    """
    positive, score = check_target_and_probability(target, probability)
    if not np.isfinite(threshold):
        raise StatisticsError("a finite threshold", repr(threshold), "choose it on validation data")
    called = score >= threshold
    return ConfusionMatrix(
        true_positive=int((called & positive).sum()),
        false_positive=int((called & ~positive).sum()),
        true_negative=int((~called & ~positive).sum()),
        false_negative=int((~called & positive).sum()),
    )


def table_metrics(target: ArrayLike, probability: ArrayLike, threshold: float) -> dict[str, float]:
    """Compute the five `METRICS` of the tables, in their order, at a finite `threshold`."""
    counts = confusion_matrix(target, probability, threshold)
    return {
        "accuracy": counts.accuracy,
        "auroc": auroc(target, probability),
        "auprc": auprc(target, probability),
        "f1": counts.f1,
        "balanced_accuracy": counts.balanced_accuracy,
    }
