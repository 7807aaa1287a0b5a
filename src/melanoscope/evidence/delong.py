"""DeLong's variance of the AUROC, its interval, and the test of two networks on one set.

DeLong, DeLong & Clarke-Pearson (1988), by mid-ranks (Sun & Xu 2014); with groups, Obuchowski's
(1997) extension to clustered data. A cross-check of the bootstrap, and valid only for one set of
photographs scored by one network: not for folds pooled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm, rankdata

from melanoscope.errors import EvidenceError
from melanoscope.evidence.interval import Interval, PairedTest
from melanoscope.evidence.metrics import Floats, auroc, validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

DELONG = "DeLong"
OBUCHOWSKI = "DeLong for clustered data (Obuchowski 1997)"


def delong_interval(
    target: ArrayLike,
    probability: ArrayLike,
    group: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Return the AUROC with its interval, cut at 0 and 1.

    Args:
        target: As `metrics.validated`.
        probability: As `metrics.validated`.
        group: Patients, shape (n,); None where each photograph has its own.
        confidence: Between 0 and 1.

    Raises:
        EvidenceError: As `metrics.validated`, or fewer than two units of a class.
    """
    effects, units = _effects(target, [probability], group)
    estimate = auroc(target, probability)
    error = float(np.sqrt(_covariance(effects)[0, 0]))
    half = float(norm.ppf((1 + confidence) / 2)) * error
    low, high = max(estimate - half, 0.0), min(estimate + half, 1.0)
    method, unit = _named(group)
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
    effects, units = _effects(target, [a, b], group)
    covariance = _covariance(effects)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    error = float(np.sqrt(max(variance, 0.0)))
    estimate = auroc(target, a) - auroc(target, b)
    half = float(norm.ppf((1 + confidence) / 2)) * error
    method, unit = _named(group)
    difference = Interval(
        estimate, estimate - half, estimate + half, error, units, method, unit, confidence
    )
    if error == 0:
        sign = float(np.sign(estimate))
        return PairedTest(difference, sign * np.inf if sign else 0.0, (1 - sign) / 2)
    return PairedTest(difference, estimate / error, float(norm.sf(estimate / error)))


def _named(group: ArrayLike | None) -> tuple[str, str]:
    return (DELONG, "photographs") if group is None else (OBUCHOWSKI, "groups")


def _effects(
    target: ArrayLike, scores: list[ArrayLike], group: ArrayLike | None
) -> tuple[list[Floats], int]:
    """Return what each unit adds to each AUROC: of positives, of negatives, or of whole groups."""
    positive, _ = validated(target, scores[0])
    n, m = int(positive.sum()), int((~positive).sum())
    if min(n, m) < 2:
        raise EvidenceError(
            "at least 2 photographs of each class", f"{n} and {m}", "use more photographs"
        )
    above, below = [], []
    for score in scores:
        s = validated(target, score)[1]
        ranks, own, others = rankdata(s), rankdata(s[positive]), rankdata(s[~positive])
        above.append((ranks[positive] - own) / m)
        below.append(1 - (ranks[~positive] - others) / n)
    v, w = np.stack(above), np.stack(below)
    if group is None:
        effects = [
            (v - v.mean(axis=1, keepdims=True)) / np.sqrt(n * (n - 1)),
            (w - w.mean(axis=1, keepdims=True)) / np.sqrt(m * (m - 1)),
        ]
        return effects, n + m
    member = np.unique(np.asarray(group), return_inverse=True)[1]
    units = int(member.max()) + 1
    _refuse_few(member, positive)
    deviation = np.empty((len(scores), positive.size))
    deviation[:, positive] = (v - v.mean(axis=1, keepdims=True)) / n
    deviation[:, ~positive] = (w - w.mean(axis=1, keepdims=True)) / m
    # Obuchowski's factors differ by class; they meet in the covariance of mixed groups.
    holders = [np.unique(member[side]).size for side in (positive, ~positive)]
    scale = [np.sqrt(h / (h - 1)) for h in holders]
    deviation[:, positive] *= scale[0]
    deviation[:, ~positive] *= scale[1]
    summed: Floats = np.stack([np.bincount(member, row, units) for row in deviation])

    return [summed], units


def _refuse_few(member: NDArray[np.int64], positive: NDArray[np.bool_]) -> None:
    for side, what in ((positive, "melanomas"), (~positive, "other lesions")):
        holders = np.unique(member[side]).size
        if holders < 2:
            raise EvidenceError(f"at least 2 groups with {what}", str(holders), "use more patients")


def _covariance(effects: list[Floats]) -> Floats:
    covariance: Floats = sum((e @ e.T for e in effects), np.zeros((len(effects[0]),) * 2))
    return covariance
