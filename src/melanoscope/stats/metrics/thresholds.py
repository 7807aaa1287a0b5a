"""Thresholds that turn a probability into a decision, chosen on validation photographs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.intervals.clustered import kish_number
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.stats.validation import (
    check_probability,
    check_target_and_probability,
    number_groups,
)

# Chance that a guaranteed sensitivity is not reached.
_DOUBT = 0.05


def highest_f1(target: Codes, probability: Floats) -> float:
    """Return the threshold with the highest F1, midway between two neighbouring probabilities.

    Args:
        target: 0 or 1 per validation photograph, shape (n,).
        probability: Predicted probability of the positive class, shape (n,).

    Returns:
        The threshold; the highest of several with the same F1.

    Raises:
        StatisticsError: No positive among the photographs, or probabilities that are NaN or outside
            0..1.

    >>> highest_f1(np.array([0, 0, 1, 1]), np.array([0.1, 0.25, 0.75, 0.9]))
    0.5
    """
    probability = check_probability(probability)
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


class GuaranteedThreshold(NamedTuple):
    """A threshold, and the sensitivity that it reaches at least, with 95 % confidence."""

    threshold: float
    guaranteed: float


def threshold_for_sensitivity(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, sensitivity: float = 0.95
) -> GuaranteedThreshold:
    """Return the highest threshold whose sensitivity is surely high enough.

    The one-sided 95 % Clopper-Pearson bound of the sensitivity on validation photographs must reach
    it. With one positive photograph a group, that is the distribution-free tolerance limit of
    Wilks (1941): new lesions like these are recognised with at least this sensitivity in 95 of 100
    such choices. 0.95 takes 59 positive groups. With several photographs a group, groups are
    counted by Kish's (1965) effective number, the least that any likeness within groups leaves.

    Args:
        target: 0 or 1 per validation photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Patient (or lesion) of each photograph, shape (n,).
        sensitivity: Share of positives to recognise, between 0 and 1.

    Returns:
        The threshold, which is the probability of one positive, and what its sensitivity is
        guaranteed to be; where too few positives allow the wanted one, the lowest probability of a
        positive, with the lesser guarantee that it has.

    Raises:
        StatisticsError: Dishonest input, or a sensitivity out of range.

    >>> every = np.linspace(0.4, 0.99, 60)
    >>> found = threshold_for_sensitivity(
    ...     [*[1] * 60, 0], [*every, 0.1], np.arange(61), sensitivity=0.95
    ... )
    >>> round(found.threshold, 2), round(found.guaranteed, 3)  # 60 of 60 must be called
    (0.4, 0.951)
    """
    positive, score = check_target_and_probability(target, probability)
    if not 0 < sensitivity < 1:
        raise StatisticsError("a share above 0, below 1", repr(sensitivity), "state it as 0.95")
    member = number_groups(group, positive.size)[positive]
    effective = kish_number(member)
    levels, counts = np.unique(-score[positive], return_counts=True)
    share = np.cumsum(counts) / counts.sum()
    hits = share * effective
    # The bound for `hits` of `effective`: the same as of `exact_bounds`, for all levels at once.
    guaranteed = betaincinv(hits, effective - hits + 1, _DOUBT)
    enough = np.flatnonzero(guaranteed >= sensitivity)
    at = int(enough[0]) if enough.size else -1
    return GuaranteedThreshold(float(-levels[at]), float(guaranteed[at]))


def percent_at_least(share: float) -> str:
    """Write a guaranteed `share` in whole percent, rounded down.

    >>> percent_at_least(0.95), percent_at_least(0.869)
    ('95 %', '86 %')
    """
    return f"{int(100 * share + 1e-9)} %"


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
    if not 0 < specificity <= 1:
        raise StatisticsError("a share above 0, to 1", repr(specificity), "state it as 0.95")
    others = np.sort(score[~positive])
    # 0.95 of 20 are 19, also after rounding.
    fewest = max(int(np.ceil(specificity * others.size - 1e-9)), 1)
    return float(np.nextafter(others[fewest - 1], 2.0))
