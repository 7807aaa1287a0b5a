"""Metrics of a binary classifier, from probabilities.

AUROC and AUPRC take probabilities only: computed on rounded predictions they are something else
(the "AUROC" of hard labels is exactly the balanced accuracy), an error that reached print.
The others decide at a threshold: a photograph counts as melanoma when probability >= threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError

Floats = NDArray[np.float64]

METRICS = ("accuracy", "auroc", "auprc", "f1", "balanced_accuracy")


def validated(target: ArrayLike, probability: ArrayLike) -> tuple[NDArray[np.bool_], Floats]:
    """Check that outcomes and probabilities allow honest numbers.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Probability of melanoma per photograph, shape (n,), floating point, 0..1.

    Returns:
        The two arrays, as booleans and floats.

    Raises:
        StatisticsError: Other shapes, NaN, values outside the range, hard labels, or one class.
    """
    outcome, score = np.asarray(target), np.asarray(probability)
    if outcome.ndim != 1 or outcome.shape != score.shape:
        raise StatisticsError(
            "targets and probabilities of one shape (n,)",
            f"shapes {outcome.shape} and {score.shape}",
            "pass one probability per photograph",
        )
    if score.dtype.kind != "f":
        raise StatisticsError(
            "probabilities as floating point",
            f"{score.dtype}, which can only be hard labels",
            "pass the probabilities before any threshold",
        )
    if outcome.dtype.kind not in "buif" or not np.isin(outcome, (0, 1)).all():
        raise StatisticsError(
            "targets that are 0 or 1", f"other values ({outcome.dtype})", "check the target column"
        )
    bad = ~((score >= 0) & (score <= 1))
    if bad.any():
        raise StatisticsError(
            "probabilities between 0 and 1",
            f"{int(bad.sum())} outside or NaN, the first {float(score[bad][0])!r}",
            "check whether logits were passed, or whether training diverged",
        )
    positive = outcome.astype(bool)
    if positive.all() or not positive.any():
        raise StatisticsError(
            "both melanomas and others",
            f"{int(positive.sum())} melanomas among {positive.size} photographs",
            "use fewer folds or more photographs",
        )
    return positive, score.astype(np.float64)


def auroc(target: ArrayLike, probability: ArrayLike) -> float:
    """Area under the ROC curve: chance that a melanoma scores above another; ties count half.

    Mann & Whitney (1947), through ranks. Arguments and errors as `validated`.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive, score = validated(target, probability)
    n_positive = int(positive.sum())
    n_negative = positive.size - n_positive
    above = float(rankdata(score)[positive].sum()) - n_positive * (n_positive + 1) / 2
    return above / (n_positive * n_negative)


def auprc(target: ArrayLike, probability: ArrayLike) -> float:
    """Average precision: sum of precision times gain in recall over distinct thresholds.

    Its level without any skill is the prevalence, so never compare it across mixes.
    Arguments and errors as `validated`.

    >>> round(auprc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    positive, score = validated(target, probability)
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.cumsum(positive[order])[last_of_tie]
    precision = hits / (last_of_tie + 1)
    gain = np.diff(hits, prepend=0) / hits[-1]
    return float(precision @ gain)


def pauc_above_sensitivity(
    target: ArrayLike, probability: ArrayLike, minimum: float = 0.8
) -> float:
    """Area under the ROC curve above a sensitivity, 0..1 - minimum.

    The measure of the ISIC 2024 challenge: the area between the curve and the line of sensitivity
    0.8, at most 0.2. Only thresholds at which few melanomas are missed count. Where melanomas and
    others tie, the curve is a straight line, as in `auroc`.

    Args:
        target: As `validated`.
        probability: As `validated`.
        minimum: Sensitivity from which on the area counts, from 0 (then it is `auroc`) to below 1.

    Raises:
        StatisticsError: As `validated`, or a minimum out of range.

    >>> round(pauc_above_sensitivity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 3)
    0.1
    """
    if not 0 <= minimum < 1:
        raise StatisticsError("a sensitivity from 0 to below 1", repr(minimum), "use 0.8")
    positive, score = validated(target, probability)
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.cumsum(positive[order])[last_of_tie]
    false_alarms = last_of_tie + 1 - hits
    tpr = np.concatenate([[0.0], hits / hits[-1]])
    fpr = np.concatenate([[0.0], false_alarms / false_alarms[-1]])
    # Seen from the side: specificity as a function of sensitivity, cut at the minimum.
    above = np.clip(tpr, minimum, None)
    rise = np.diff(tpr)
    climbs = rise > 0
    share = (above[:-1] - tpr[:-1])[climbs] / rise[climbs]
    at_cut = fpr[:-1][climbs] + np.minimum(share, 1) * np.diff(fpr)[climbs]
    area = np.diff(above)[climbs] * (1 - (at_cut + fpr[1:][climbs]) / 2)
    return float(area.sum())


def brier_score(target: ArrayLike, probability: ArrayLike) -> float:
    """Mean squared distance of probability from outcome, 0..1 (Brier 1950); lower is better.

    Arguments and errors as `validated`.

    >>> round(brier_score([0, 1], [0.2, 0.7]), 3)
    0.065
    """
    positive, score = validated(target, probability)
    return float(np.mean((score - positive) ** 2))


@dataclass(frozen=True, slots=True)
class ConfusionMatrix:
    """The confusion matrix at one threshold."""

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int


def confusion_matrix(
    target: ArrayLike, probability: ArrayLike, threshold: float
) -> ConfusionMatrix:
    """Count right and wrong decisions; melanoma when probability >= threshold.

    Args:
        target: As `validated`.
        probability: As `validated`.
        threshold: Finite; chosen on photographs that are not among these.
    """
    positive, score = validated(target, probability)
    if not np.isfinite(threshold):
        raise StatisticsError("a finite threshold", repr(threshold), "choose it on validation data")
    decided = score >= threshold
    return ConfusionMatrix(
        int((decided & positive).sum()),
        int((decided & ~positive).sum()),
        int((~decided & ~positive).sum()),
        int((~decided & positive).sum()),
    )


def accuracy(target: ArrayLike, probability: ArrayLike, threshold: float) -> float:
    """Share of right decisions; looks good by itself when melanomas are rare."""
    c = confusion_matrix(target, probability, threshold)
    right = c.true_positive + c.true_negative
    return right / (right + c.false_positive + c.false_negative)


def sensitivity(target: ArrayLike, probability: ArrayLike, threshold: float) -> float:
    """Share of melanomas that were recognised."""
    c = confusion_matrix(target, probability, threshold)
    return c.true_positive / (c.true_positive + c.false_negative)


def specificity(target: ArrayLike, probability: ArrayLike, threshold: float) -> float:
    """Share of the others that were left alone."""
    c = confusion_matrix(target, probability, threshold)
    return c.true_negative / (c.true_negative + c.false_positive)


def balanced_accuracy(target: ArrayLike, probability: ArrayLike, threshold: float) -> float:
    """Mean of sensitivity and specificity.

    >>> balanced_accuracy([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.5)
    0.75
    """
    return (
        sensitivity(target, probability, threshold) + specificity(target, probability, threshold)
    ) / 2


def f1_score(target: ArrayLike, probability: ArrayLike, threshold: float) -> float:
    """Harmonic mean of precision and sensitivity; 0 when no melanoma was recognised."""
    c = confusion_matrix(target, probability, threshold)
    return 2 * c.true_positive / (2 * c.true_positive + c.false_positive + c.false_negative)


def table_metrics(target: ArrayLike, probability: ArrayLike, threshold: float) -> dict[str, float]:
    """Compute the five metrics of the tables, by name and in the order of `METRICS`."""
    return {
        "accuracy": accuracy(target, probability, threshold),
        "auroc": auroc(target, probability),
        "auprc": auprc(target, probability),
        "f1": f1_score(target, probability, threshold),
        "balanced_accuracy": balanced_accuracy(target, probability, threshold),
    }
