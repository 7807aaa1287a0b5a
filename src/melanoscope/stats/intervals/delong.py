"""DeLong's variance of the AUROC, its interval, and the test of two networks on one set.

DeLong, DeLong & Clarke-Pearson (1988), by mid-ranks (Sun & Xu 2014); with groups, Obuchowski's
(1997) extension to clustered data, of which the former is the case of one photograph in each group.
A cross-check of the bootstrap, and valid only for one set of photographs scored by one network: not
for folds pooled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval, PairedTest, refuse_confidence
from melanoscope.stats.metrics.classification import Floats, auroc, validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.predictions import Codes

DELONG = "DeLong"
OBUCHOWSKI = "DeLong for clustered data (Obuchowski 1997)"


def delong_interval(
    target: ArrayLike,
    probability: ArrayLike,
    group: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Return the AUROC with its interval, cut at 0 and 1.

    Where the classes are separated no pair varies, and the interval has no width (so in pROC).

    Args:
        target: As `metrics.validated`.
        probability: As `metrics.validated`.
        group: Patients, shape (n,); None where each photograph has its own.
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: As `metrics.validated`, groups of another shape or NaN, or fewer than two
            units of a class.

    >>> i = delong_interval([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> i.estimate, round(i.standard_error, 4), i.unit
    (0.75, 0.3536, 'photographs')
    """
    refuse_confidence(confidence)
    member = _members(target, probability, group)
    error = _standard_error(*_effects(target, probability, member), target, member)
    estimate = auroc(target, probability)
    half = float(norm.ppf((1 + confidence) / 2)) * error
    low, high = max(estimate - half, 0.0), min(estimate + half, 1.0)
    method, unit = _named(group)
    units = int(member.max()) + 1
    return Interval(estimate, low, high, error, units, method, unit, confidence)


def delong_test(
    target: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    group: ArrayLike | None = None,
    confidence: float = 0.95,
) -> PairedTest:
    """Compare two networks on the same photographs: a - b, one-sided p for "a above b".

    Twice the smaller of p and 1 - p is the usual two-sided p-value. Arguments and errors as
    `delong_interval`.
    """
    refuse_confidence(confidence)
    member = _members(target, a, group)
    above_a, below_a = _effects(target, a, member)
    above_b, below_b = _effects(target, b, member)
    # The variance of the difference of effects is that of the difference, without cancellation.
    error = _standard_error(above_a - above_b, below_a - below_b, target, member)
    estimate = auroc(target, a) - auroc(target, b)
    half = float(norm.ppf((1 + confidence) / 2)) * error
    method, unit = _named(group)
    units = int(member.max()) + 1
    difference = Interval(
        estimate, estimate - half, estimate + half, error, units, method, unit, confidence
    )
    if error == 0:
        sign = float(np.sign(estimate))
        return PairedTest(difference, sign * np.inf if sign else 0.0, (1 - sign) / 2)
    return PairedTest(difference, estimate / error, float(norm.sf(estimate / error)))


def _named(group: ArrayLike | None) -> tuple[str, str]:
    return (DELONG, "photographs") if group is None else (OBUCHOWSKI, "groups")


def _members(target: ArrayLike, probability: ArrayLike, group: ArrayLike | None) -> Codes:
    """Number the units from 0, shape (n,), each class in two of them at least."""
    positive, _ = validated(target, probability)
    if group is None:
        member = np.arange(positive.size)
    else:
        codes = np.asarray(group)
        if codes.shape != positive.shape:
            raise StatisticsError(
                f"groups of shape {positive.shape}", f"shape {codes.shape}", "pass one each"
            )
        if codes.dtype.kind == "f" and np.isnan(codes).any():
            raise StatisticsError("a group for every photograph", "NaN", "give it one of its own")
        member = np.unique(codes, return_inverse=True)[1]
    what = "photographs" if group is None else "groups"
    for side, lesions in ((positive, "melanomas"), (~positive, "other lesions")):
        holders = np.unique(member[side]).size
        if holders < 2:
            raise StatisticsError(
                f"at least 2 {what} with {lesions}", str(holders), f"use more {what}"
            )
    return member


def _effects(target: ArrayLike, probability: ArrayLike, member: Codes) -> tuple[Floats, Floats]:
    """Return by how much each unit's melanomas, and its others, move the AUROC; each (units,)."""
    positive, score = validated(target, probability)
    n, m = int(positive.sum()), int((~positive).sum())
    ranks, own, others = rankdata(score), rankdata(score[positive]), rankdata(score[~positive])
    above = (ranks[positive] - own) / m
    below = 1 - (ranks[~positive] - others) / n
    units = int(member.max()) + 1
    of_melanomas = np.bincount(member[positive], (above - above.mean()) / n, units)
    of_others = np.bincount(member[~positive], (below - below.mean()) / m, units)
    return np.asarray(of_melanomas, np.float64), np.asarray(of_others, np.float64)


def _standard_error(above: Floats, below: Floats, target: ArrayLike, member: Codes) -> float:
    """Obuchowski (1997): the sums of squares of each class, and their products in mixed units.

    Each with the factor k / (k - 1) of its k units; since the third has the most, the whole is
    never below 0 (but for rounding).
    """
    positive = np.asarray(target).astype(bool)

    def factor(members: Codes) -> float:
        units = np.unique(members).size
        return units / (units - 1)

    variance = (
        factor(member[positive]) * float(above @ above)
        + factor(member[~positive]) * float(below @ below)
        + 2 * factor(member) * float(above @ below)
    )
    return float(np.sqrt(max(variance, 0.0)))
