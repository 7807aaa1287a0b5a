"""Decision curves: whether acting on a network does more good than treating all or nobody.

Vickers & Elkin (2006): net benefit = true positives - false positives x odds of the threshold, per
person; the threshold is the risk at which one would act.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.predictions import Codes, Floats, Predictions


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
    predictions: Predictions, draws: BootstrapWeights, *, prevalence: float, thresholds: Floats
) -> DecisionCurve:
    """Compute net benefit at a stated prevalence.

    Args:
        predictions: Their probabilities calibrated to that prevalence.
        draws: Of their groups.
        prevalence: Share of melanomas, between 0 and 1; sensitivity and specificity are taken from
            the sample and weighted by it.
        thresholds: Risks, each from 0 to below 1, shape (t,).

    Returns:
        The curve. Its band is narrow where hardly anybody is called: the bootstrap does not know
        what was never seen.

    Raises:
        StatisticsError: A prevalence or threshold out of range, or predictions of one class.
    """
    t = np.asarray(thresholds, np.float64)
    if not 0 < prevalence < 1 or t.ndim != 1 or not t.size or not ((t >= 0) & (t < 1)).all():
        raise StatisticsError(
            "a prevalence and thresholds between 0 and 1",
            f"{prevalence!r} and {t.tolist()[:3]}...",
            "use 0.018 and 0.01 to 0.5, for example",
        )
    if np.unique(predictions.target).size < 2:
        raise StatisticsError("both melanomas and others", "one class", "use more photographs")
    row, groups = draws.rows(predictions.group), draws.groups.size
    hit = predictions.target == 1
    called = predictions.probability[:, None] >= t
    sums = np.stack([_by_group(called & side[:, None], row, groups) for side in (hit, ~hit)])
    sizes = np.stack([np.bincount(row, side, groups)[:, None] for side in (hit, ~hit)])
    odds = t / (1 - t)

    def benefit(shares: Floats) -> Floats:
        value: Floats = prevalence * shares[0] - (1 - prevalence) * shares[1] * odds
        return value

    whole = sums.sum(axis=1) / sizes.sum(axis=1)
    with np.errstate(invalid="ignore"):  # a replicate without a class
        drawn = np.stack([_weighted(sums[k], draws) / _weighted(sizes[k], draws) for k in (0, 1)])
    low, high = np.nanquantile(benefit(drawn), [0.025, 0.975], axis=0)
    return DecisionCurve(t, benefit(whole), low, high, benefit(np.ones((2, t.size))), prevalence)


def _weighted(sums: Floats, draws: BootstrapWeights) -> Floats:
    """Add up counts of shape (groups, t) in each replicate, shape (replicates, t).

    Single precision counts photographs exactly, and does without a copy of the weights.
    """
    added: Floats = (sums.T.astype(np.float32) @ draws.weights).T.astype(np.float64)
    return added


def _by_group(mask: NDArray[np.bool_], row: Codes, groups: int) -> Floats:
    """Count marks of shape (n, t) by group, shape (groups, t)."""
    added = np.zeros((groups, mask.shape[1]))
    np.add.at(added, row, mask)
    return added
