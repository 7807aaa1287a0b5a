"""Decision curves: whether acting on a network does more good than treating all or nobody.

Vickers & Elkin (2006): net benefit = true positives - false positives x odds of the threshold, per
person; the threshold is the risk at which one would act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import EvidenceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.evidence.draws import Draws
    from melanoscope.evidence.predictions import Codes, Floats, Predictions


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit by risk threshold; all of shape (t,).

    Attributes:
        threshold: Risk at which one would act.
        network: Acting on the network.
        low: Lower bound, 95 % over groups.
        high: Upper bound.
        treat_all: Acting on everybody; acting on nobody gives 0.
        prevalence: Share of melanomas it holds for.
    """

    threshold: Floats
    network: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    prevalence: float


def decision_curve(
    predictions: Predictions, draws: Draws, *, prevalence: float, thresholds: Floats
) -> DecisionCurve:
    """Compute net benefit at a stated prevalence.

    Args:
        predictions: Their probabilities calibrated to that prevalence.
        draws: Of their groups.
        prevalence: Share of melanomas, between 0 and 1; sensitivity and specificity are taken from
            the sample and weighted by it.
        thresholds: Risks, each between 0 and 1 (excluded), shape (t,).

    Raises:
        EvidenceError: A prevalence or threshold out of range.
    """
    t = np.asarray(thresholds, np.float64)
    if not 0 < prevalence < 1 or t.ndim != 1 or not ((t > 0) & (t < 1)).all():
        raise EvidenceError(
            "a prevalence and thresholds between 0 and 1",
            f"{prevalence!r} and {t.tolist()[:3]}...",
            "use 0.018 and 0.01 to 0.5, for example",
        )
    row, groups = draws.rows(predictions.group), draws.groups.size
    hit = predictions.target == 1
    called = predictions.probability[:, None] >= t
    sums = np.stack([_by_group(called & side[:, None], row, groups) for side in (hit, ~hit)])
    sizes = np.stack([np.bincount(row, side, groups) for side in (hit, ~hit)])
    weights = draws.weights.T
    odds = t / (1 - t)

    def benefit(shares: Floats) -> Floats:
        value: Floats = prevalence * shares[0] - (1 - prevalence) * shares[1] * odds
        return value

    whole = sums.sum(axis=1) / sizes.sum(axis=1)[:, None]
    drawn = np.stack([(weights @ sums[k]) / (weights @ sizes[k])[:, None] for k in (0, 1)])
    low, high = np.quantile(benefit(drawn), [0.025, 0.975], axis=0)
    return DecisionCurve(t, benefit(whole), low, high, benefit(np.ones((2, t.size))), prevalence)


def _by_group(mask: NDArray[np.bool_], row: Codes, groups: int) -> Floats:
    """Count marks of shape (n, t) by group, shape (groups, t)."""
    added = np.zeros((groups, mask.shape[1]))
    np.add.at(added, row, mask)
    return added
