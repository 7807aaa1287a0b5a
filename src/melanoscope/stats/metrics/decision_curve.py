"""Decision curves: whether acting on a network does more good than treating all or nobody.

Vickers & Elkin (2006): net benefit = true positives - false positives x odds of the threshold, per
person; the threshold is the risk at which one would act.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Floats, safe_divide
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_both_classes


@dataclass(frozen=True, eq=False, kw_only=True)
class DecisionCurve:
    """Net benefit by risk threshold.

    Attributes:
        threshold: Risks at which one would act, shape (t,).
        network: Net benefit of acting on the network, shape (t,).
        low: Lower bound of `network`, 95 % over groups, shape (t,).
        high: Upper bound of `network`, shape (t,).
        treat_all: Net benefit of acting on everybody, shape (t,); acting on nobody gives 0.
        prevalence: Share of positives that the curve holds for.
    """

    threshold: Floats
    network: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    prevalence: float


def decision_curve(
    predictions: Predictions, weights: BootstrapWeights, *, prevalence: float, thresholds: Floats
) -> DecisionCurve:
    """Compute net benefit at a stated prevalence.

    Args:
        predictions: Test predictions of one network, calibrated to that prevalence.
        weights: Bootstrap weights of their groups.
        prevalence: Share of positives, between 0 and 1, that weighs sensitivity and specificity.
        thresholds: Risks, each from 0 to below 1, shape (t,).

    Returns:
        The curve; its band is too narrow where hardly anybody is called.

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
    check_both_classes(predictions.target)
    called = predictions.probability >= t[:, None]
    positive = predictions.target == 1

    def rate(side: Booleans) -> Floats:
        """Share of one class that is called, shape (t, 1 + replicates)."""
        hits = weights.totals(predictions.group, called & side)
        total = weights.totals(predictions.group, side[None])
        return safe_divide(hits, np.broadcast_to(total, hits.shape))

    odds = (t / (1 - t))[:, None]
    benefit = prevalence * rate(positive) - (1 - prevalence) * rate(~positive) * odds
    low, high = np.nanquantile(benefit[:, 1:], [0.025, 0.975], axis=1)
    return DecisionCurve(
        threshold=t,
        network=benefit[:, 0],
        low=low,
        high=high,
        treat_all=prevalence - (1 - prevalence) * odds[:, 0],
        prevalence=prevalence,
    )
