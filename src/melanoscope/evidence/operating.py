"""Operating points: thresholds for a purpose, and what they do at a stated prevalence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import beta

from melanoscope.errors import EvidenceError
from melanoscope.evidence.bootstrap import METHOD
from melanoscope.evidence.interval import Interval
from melanoscope.evidence.metrics import Floats, validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.evidence.draws import Draws
    from melanoscope.evidence.predictions import Predictions


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
    needed = int(np.ceil(sensitivity * hits.size - 1e-9))
    return float(hits[needed - 1])


def threshold_for_specificity(
    target: ArrayLike, probability: ArrayLike, specificity: float
) -> float:
    """Return the lowest threshold that leaves at least this share of other lesions alone.

    It lies just above a lesion's probability. Arguments as `threshold_for_sensitivity`.
    """
    positive, score = validated(target, probability)
    _refuse_share(specificity)
    others = np.sort(score[~positive])
    spared = int(np.ceil(specificity * others.size - 1e-9))
    return float(np.nextafter(others[spared - 1], 2.0))


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
    draws: Draws,
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
    that hold the class is given.

    Args:
        predictions: Of one network.
        draws: Of its groups.
        name: Purpose of the threshold.
        threshold: Of each prediction's part, shape (n,).
        prevalence: Share of melanomas where the network is to be used, between 0 and 1.
        confidence: Of the intervals.
    """
    if not 0 < prevalence < 1:
        raise EvidenceError("a prevalence between 0 and 1", repr(prevalence), "state it as 0.018")
    called, hit = predictions.probability >= threshold, predictions.target == 1
    row, groups = draws.rows(predictions.group), draws.groups.size
    sums = np.stack(
        [np.bincount(row, mask, groups) for mask in (called & hit, hit, ~called & ~hit, ~hit)],
        axis=1,
    )
    drawn = (sums.T.astype(np.float32) @ draws.weights).T.astype(np.float64)
    whole = sums.sum(axis=0)
    shares = []
    for top in (0, 2):
        holders = int((sums[:, top + 1] > 0).sum())
        values = drawn[:, top] / drawn[:, top + 1]
        shares.append((_share(whole[top] / whole[top + 1], values, holders, confidence), values))
    (sensitivity, sens), (specificity, spec) = shares
    se, sp = sensitivity.estimate, specificity.estimate
    n = groups
    ppv = npv = None
    if se > 0 or sp < 1:
        ppv = _bayes(
            _predictive(se, 1 - sp, prevalence),
            _predictive(sens, 1 - spec, prevalence),
            _bounds(sensitivity, specificity, prevalence, positive=True),
            n,
            confidence,
        )
    if se < 1 or sp > 0:
        npv = _bayes(
            _predictive(sp, 1 - se, 1 - prevalence),
            _predictive(spec, 1 - sens, 1 - prevalence),
            _bounds(sensitivity, specificity, prevalence, positive=False),
            n,
            confidence,
        )
    return OperatingPoint(
        name, float(np.mean(threshold)), sensitivity, specificity, ppv, npv, prevalence
    )


def _predictive(right: Floats | float, wrong: Floats | float, prevalence: float) -> Floats:
    true, false = np.multiply(right, prevalence), np.multiply(wrong, 1 - prevalence)
    total = np.asarray(true + false, np.float64)
    value: Floats = np.divide(true, total, out=np.full(total.shape, np.nan), where=total > 0)
    return value


def _bounds(
    sensitivity: Interval, specificity: Interval, prevalence: float, *, positive: bool
) -> tuple[float, float]:
    """Predictive values at the corners of both intervals, for when the bootstrap is blind."""
    if positive:
        low = _predictive(sensitivity.low, 1 - specificity.low, prevalence)
        high = _predictive(sensitivity.high, 1 - specificity.high, prevalence)
    else:
        low = _predictive(specificity.low, 1 - sensitivity.low, 1 - prevalence)
        high = _predictive(specificity.high, 1 - sensitivity.high, 1 - prevalence)
    return float(np.nan_to_num(low, nan=0.0)), float(np.nan_to_num(high, nan=1.0))


def _bayes(
    estimate: Floats, values: Floats, corners: tuple[float, float], n: int, confidence: float
) -> Interval:
    known = values[np.isfinite(values)]
    if known.size < values.size / 2 or np.ptp(known) == 0:
        low, high = corners
        return Interval(
            float(estimate), low, high, 0.0, n, "corners of exact intervals", "groups", confidence
        )
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    error = float(known.std(ddof=1))
    return Interval(
        float(estimate), float(low), float(high), error, n, METHOD, "groups", confidence
    )


def _share(estimate: float, values: Floats, holders: int, confidence: float) -> Interval:
    known = values[np.isfinite(values)]
    if np.ptp(known) == 0:
        low, high = clopper_pearson(estimate * holders, holders, confidence)
        method = "Clopper-Pearson over groups"
        return Interval(float(estimate), low, high, 0.0, holders, method, "groups", confidence)
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    error = float(known.std(ddof=1))
    return Interval(
        float(estimate), float(low), float(high), error, holders, METHOD, "groups", confidence
    )


def clopper_pearson(hits: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact bounds of a share (Clopper & Pearson 1934).

    >>> [round(b, 4) for b in clopper_pearson(10, 10)]
    [0.6915, 1.0]
    """
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits >= n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def _refuse_share(share: float) -> None:
    if not 0 < share <= 1:
        raise EvidenceError("a share above 0, to 1", repr(share), "state it as 0.95")
