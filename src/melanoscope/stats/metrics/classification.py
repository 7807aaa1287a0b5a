"""Metrics of a binary classifier, from probabilities.

AUROC and AUPRC take probabilities only: computed on rounded predictions they are something else
(the "AUROC" of hard labels is exactly the balanced accuracy), an error that reached print.
The others decide at a threshold: a photograph counts as positive when probability >= threshold.
Every metric with bootstrap replicates is in `melanoscope.stats.bootstrap`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.stats.validation import check_no_hard_labels, check_target_and_probability

METRICS = ("accuracy", "auroc", "auprc", "f1", "balanced_accuracy")
PRIMARY_METRIC = "auroc"
"""What a run is decided by; the other metrics are secondary."""


# SciPy's ranks instead of scikit-learn's curves: the same numbers, and commands that need no curve
# start without importing scikit-learn.
def auroc(target: ArrayLike, probability: ArrayLike) -> float:
    """Return the area under the ROC curve: the chance that a positive scores above a negative.

    Mann & Whitney (1947), through ranks; ties count half.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).

    Returns:
        The area, 0..1; 0.5 is chance.

    Raises:
        StatisticsError: Other shapes, NaN, values outside the range, hard labels, or one class.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive, score = check_target_and_probability(target, probability)
    check_no_hard_labels(score)
    return area_under_roc(positive, score)


def area_under_roc(positive: Booleans, score: Floats) -> float:
    """Return the AUROC of any `score`, (n,), decisions and logits included; `positive` has both."""
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
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).

    Returns:
        The average precision, 0..1.

    Raises:
        StatisticsError: Other shapes, NaN, values outside the range, hard labels, or one class.

    >>> round(auprc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    positive, score = check_target_and_probability(target, probability)
    check_no_hard_labels(score)
    return average_precision(positive, score)


def average_precision(positive: Booleans, score: Floats) -> float:
    """Return the average precision of any `score`, (n,), decisions included."""
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.cumsum(positive[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    gain = np.diff(hits, prepend=0) / hits[-1]
    return float(precision @ gain)


def threshold_metrics(
    target: ArrayLike, probability: ArrayLike, threshold: float
) -> dict[str, float]:
    """Compute the metrics of decisions; a photograph is called positive when p >= threshold.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        threshold: Decision threshold, finite, chosen on photographs that are not among these.

    Returns:
        Metric -> value, of `decision_metrics`.

    Raises:
        StatisticsError: Dishonest input as in `auroc`, or a threshold that is not finite.

    >>> threshold_metrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5)["balanced_accuracy"]
    0.75
    """
    positive, score = check_target_and_probability(target, probability)
    if not np.isfinite(threshold):
        raise StatisticsError("a finite threshold", repr(threshold), "choose it on validation data")
    called = score >= threshold
    sides = (called & positive, called & ~positive, ~called & ~positive, ~called & positive)
    counts = np.array([side.sum() for side in sides], np.float64)
    return {metric: float(value) for metric, value in decision_metrics(*counts).items()}


def decision_metrics(tp: Floats, fp: Floats, tn: Floats, fn: Floats) -> dict[str, Floats]:
    """Compute metrics from counts of right and wrong decisions, all of one shape."""
    sensitivity, specificity = tp / (tp + fn), tn / (tn + fp)
    return {
        "accuracy": (tp + tn) / (tp + fp + tn + fn),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "f1": 2 * tp / (2 * tp + fp + fn),
        "sensitivity": sensitivity,
        "specificity": specificity,
    }


def table_metrics(target: ArrayLike, probability: ArrayLike, threshold: float) -> dict[str, float]:
    """Compute the five `METRICS` of the tables, in their order, at a finite `threshold`."""
    values = threshold_metrics(target, probability, threshold)
    values |= {"auroc": auroc(target, probability), "auprc": auprc(target, probability)}
    return {metric: values[metric] for metric in METRICS}
