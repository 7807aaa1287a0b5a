"""Thresholds that turn a probability into a decision, chosen on validation photographs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.stats.validation import check_target_and_probability


def highest_f1(target: Codes, probability: Floats) -> float:
    """Return the threshold with the highest F1, midway between two neighbouring probabilities.

    Args:
        target: 0 or 1 per validation photograph, shape (n,).
        probability: Predicted probability of the positive class, shape (n,).

    Returns:
        The threshold; the highest of several with the same F1.

    Raises:
        StatisticsError: No positive among the photographs.

    >>> highest_f1(np.array([0, 0, 1, 1]), np.array([0.1, 0.25, 0.75, 0.9]))
    0.5
    """
    positives = int(np.sum(target == 1))
    if not positives:
        raise StatisticsError("positives to choose a threshold on", "none", "use a larger part")
    order = np.argsort(-probability, kind="stable")
    score = probability[order]
    hits = np.cumsum(target[order] == 1)
    # A threshold can only fall behind the last of several equal probabilities.
    last_of_tie = np.append(score[1:] != score[:-1], True)
    called = np.arange(1, len(score) + 1)
    f1 = np.where(last_of_tie, 2 * hits / (called + positives), -1.0)
    best = int(f1.argmax())
    following = score[best + 1] if best + 1 < len(score) else 0.0
    return float((score[best] + following) / 2)


def threshold_for_sensitivity(
    target: ArrayLike, probability: ArrayLike, sensitivity: float = 0.95
) -> float:
    """Return the highest threshold that recognises at least a share of the positives.

    Args:
        target: 0 or 1 per validation photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        sensitivity: Share of positives to recognise, above 0, to 1.

    Returns:
        The threshold, which is the probability of one positive.

    Raises:
        StatisticsError: Dishonest input, or a sensitivity out of range.

    >>> threshold_for_sensitivity([1, 1, 1, 1, 0], [0.2, 0.4, 0.6, 0.8, 0.5], 0.75)
    0.4
    """
    positive, score = check_target_and_probability(target, probability)
    positives = np.sort(score[positive])[::-1]
    return float(positives[_fewest(sensitivity, positives.size) - 1])


def threshold_for_specificity(
    target: ArrayLike, probability: ArrayLike, specificity: float = DERMATOLOGISTS.specificity
) -> float:
    """Return the lowest threshold that does not call at least a share of the negatives.

    Args:
        target: 0 or 1 per validation photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        specificity: Share of negatives not to call, above 0, to 1.

    Returns:
        The threshold, which lies just above the probability of one lesion.

    Raises:
        StatisticsError: Dishonest input, or a specificity out of range.

    >>> round(threshold_for_specificity([0, 0, 0, 0, 1], [0.2, 0.4, 0.6, 0.8, 0.5], 0.75), 6)
    0.6
    """
    positive, score = check_target_and_probability(target, probability)
    others = np.sort(score[~positive])
    return float(np.nextafter(others[_fewest(specificity, others.size) - 1], 2.0))


def _fewest(share: float, n: int) -> int:
    """Return the fewest of n that make up a share; 0.95 of 20 are 19, also after rounding."""
    if not 0 < share <= 1:
        raise StatisticsError("a share above 0, to 1", repr(share), "state it as 0.95")
    return max(int(np.ceil(share * n - 1e-9)), 1)
