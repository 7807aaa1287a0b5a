"""Operating points: thresholds for a purpose, and what they do at a stated prevalence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import METHOD
from melanoscope.stats.intervals.interval import Interval, percentile_bounds
from melanoscope.stats.metrics.classification import Floats, validated
from melanoscope.stats.reference.physicians import DERMATOLOGISTS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.predictions import Predictions


def threshold_for_sensitivity(
    target: ArrayLike, probability: ArrayLike, sensitivity: float = 0.95
) -> float:
    """Return the highest threshold that recognises at least this share of melanomas.

    To be chosen on validation photographs; on others the share will differ. Arguments as
    `metrics.validated`; `sensitivity` above 0, to 1.

    >>> threshold_for_sensitivity([1, 1, 1, 1, 0], [0.2, 0.4, 0.6, 0.8, 0.5], 0.75)
    0.4
    """
    positive, score = validated(target, probability)
    _refuse_share(sensitivity)
    hits = np.sort(score[positive])[::-1]
    return float(hits[_needed(sensitivity, hits.size) - 1])


def threshold_for_specificity(
    target: ArrayLike, probability: ArrayLike, specificity: float = DERMATOLOGISTS.specificity
) -> float:
    """Return the lowest threshold that leaves at least this share of other lesions alone.

    It lies just above a lesion's probability. Arguments as `threshold_for_sensitivity`; without a
    specificity that of dermatologists is matched.

    >>> round(threshold_for_specificity([0, 0, 0, 0, 1], [0.2, 0.4, 0.6, 0.8, 0.5], 0.75), 6)
    0.6
    """
    positive, score = validated(target, probability)
    _refuse_share(specificity)
    others = np.sort(score[~positive])
    return float(np.nextafter(others[_needed(specificity, others.size) - 1], 2.0))


CORNERS = "corners of the intervals of sensitivity and specificity"
BLIND = 1e-12
"""Replicates no wider than this give all the same: the bootstrap sees no uncertainty."""


Measured = tuple[Interval, "Floats"]
"""A share with its replicates."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold does.

    Attributes:
        name: Its purpose.
        threshold: Mean over the parts' thresholds.
        sensitivity: Share of melanomas recognised.
        specificity: Share of others left alone.
        ppv: Share of melanomas among the called, at the prevalence; None where nobody is called.
        npv: Share of others among the rest, at the prevalence; None where everybody is called.
        prevalence: Stated.
    """

    name: str
    threshold: float
    sensitivity: Interval
    specificity: Interval
    ppv: Interval | None
    npv: Interval | None
    prevalence: float


def operating_point(
    predictions: Predictions,
    draws: BootstrapWeights,
    *,
    name: str,
    threshold: Floats,
    prevalence: float,
    confidence: float = 0.95,
) -> OperatingPoint:
    """Measure a threshold, parts pooled, with intervals over groups.

    PPV and NPV follow from sensitivity and specificity by Bayes' rule at the stated prevalence, not
    from the sample's. Where every replicate gives the same share (all melanomas recognised, for
    example), the bootstrap is blind; then Clopper & Pearson's (1934) exact interval over the groups
    that hold the class is given, and PPV and NPV range between what the corners of both intervals
    give, which is wider than 95 % needs.

    Args:
        predictions: Of one network.
        draws: Of its groups.
        name: Purpose of the threshold.
        threshold: Of each prediction's part, shape (n,).
        prevalence: Share of melanomas where the network is to be used, between 0 and 1.
        confidence: Of the intervals.

    Raises:
        StatisticsError: A prevalence out of range, thresholds of another shape or not finite, or
            predictions of one class.
    """
    if not 0 < prevalence < 1:
        raise StatisticsError("a prevalence between 0 and 1", repr(prevalence), "state it as 0.018")
    if np.shape(threshold) != predictions.target.shape or not np.isfinite(threshold).all():
        raise StatisticsError(
            f"finite thresholds of shape {predictions.target.shape}",
            f"others, of shape {np.shape(threshold)}",
            "pass the threshold of each prediction's cell",
        )
    if np.unique(predictions.target).size < 2:
        raise StatisticsError("both melanomas and others", "one class", "use more photographs")
    sensitivity, specificity = _shares(predictions, draws, threshold, confidence)
    n = predictions.n_groups
    return OperatingPoint(
        name,
        float(np.mean(threshold)),
        sensitivity[0],
        specificity[0],
        _predictive_value(sensitivity, specificity, prevalence, n, confidence),
        _predictive_value(specificity, sensitivity, 1 - prevalence, n, confidence),
        prevalence,
    )


def _shares(
    one: Predictions, draws: BootstrapWeights, threshold: Floats, confidence: float
) -> tuple[Measured, Measured]:
    """Sensitivity and specificity."""
    called, hit = one.probability >= threshold, one.target == 1
    row, groups = draws.rows(one.group), draws.groups.size
    found = []
    for right, of in ((called & hit, hit), (~called & ~hit, ~hit)):
        by_group = np.stack([np.bincount(row, mask, groups) for mask in (right, of)])
        hits, total = (by_group.astype(np.float32) @ draws.weights).astype(np.float64)
        values = np.divide(hits, total, out=np.full(total.shape, np.nan), where=total > 0)
        estimate, holders = by_group[0].sum() / by_group[1].sum(), int((by_group[1] > 0).sum())
        found.append((share_interval(float(estimate), values, holders, confidence), values))
    return found[0], found[1]


def _predictive_value(
    right: Measured, other: Measured, prevalence: float, n: int, confidence: float
) -> Interval | None:
    """PPV, or with the classes exchanged NPV; None where the decision is never made."""
    share, spared = right[0], other[0]
    if share.estimate == 0 and spared.estimate == 1:
        return None
    estimate = float(_bayes(share.estimate, 1 - spared.estimate, prevalence))
    values = _bayes(right[1], 1 - other[1], prevalence)
    known = values[np.isfinite(values)]
    if 0.0 in (share.standard_error, spared.standard_error) or known.size < values.size / 2:
        low = float(np.nan_to_num(_bayes(share.low, 1 - spared.low, prevalence), nan=0.0))
        high = float(np.nan_to_num(_bayes(share.high, 1 - spared.high, prevalence), nan=1.0))
        return Interval(estimate, low, high, 0.0, n, CORNERS, "groups", confidence)
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2]).tolist()
    error = float(known.std(ddof=1))
    return Interval(estimate, low, high, error, n, METHOD, "groups", confidence)


def _bayes(right: Floats | float, wrong: Floats | float, prevalence: float) -> Floats:
    """Share of the right among all that were called; NaN where nobody was."""
    true, false = np.multiply(right, prevalence), np.multiply(wrong, 1 - prevalence)
    total = np.asarray(true + false, np.float64)
    value: Floats = np.divide(true, total, out=np.full(total.shape, np.nan), where=total > 0)
    return value


def share_interval(
    estimate: float, values: Floats, holders: int, confidence: float = 0.95
) -> Interval:
    """Percentile interval of a share, or exact bounds where all replicates give the same.

    Then, when every melanoma was recognised for example, a percentile interval would have no width
    at all. Clopper & Pearson (1934) with the share of the groups counts each group once, however
    many photographs it has.

    Args:
        estimate: The share, 0..1.
        values: Its replicates; NaN where one lacks the class.
        holders: Groups that hold the class.
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: One replicate in twenty, or more, lacks the class.
    """
    low, high, error = percentile_bounds(values, confidence)
    if high - low <= BLIND:
        low, high = clopper_pearson_interval(estimate * holders, holders, confidence)
        method = "Clopper-Pearson over groups"
        return Interval(estimate, low, high, 0.0, holders, method, "groups", confidence)
    return Interval(estimate, low, high, error, holders, METHOD, "groups", confidence)


def clopper_pearson_interval(hits: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a share (Clopper & Pearson 1934).

    >>> [round(b, 4) for b in clopper_pearson_interval(10, 10)]
    [0.6915, 1.0]
    """
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def _needed(share: float, n: int) -> int:
    """Fewest of n that make up a share; 0.95 of 20 are 19, whatever rounding makes of it."""
    return max(int(np.ceil(share * n - 1e-9)), 1)


def _refuse_share(share: float) -> None:
    if not 0 < share <= 1:
        raise StatisticsError("a share above 0, to 1", repr(share), "state it as 0.95")
