"""Decision curves: whether acting on a network does more good than treating all or nobody.

Vickers & Elkin (2006): net benefit = true positives - false positives x odds of the threshold, per
person; the threshold is the risk at which one would act.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.intervals.mover import correlation, square_and_add
from melanoscope.stats.metrics.operating_points import shares
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_both_classes


@dataclass(frozen=True, eq=False, kw_only=True)
class DecisionCurve:
    """Net benefit by risk threshold.

    Attributes:
        threshold: Risks at which one would act, shape (t,).
        network: Net benefit of acting on the network, shape (t,).
        low: Lower bound of `network`, 95 % over groups at each threshold by itself (pointwise, not
            for the curve as a whole), shape (t,).
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

    def useful_runs(self) -> list[tuple[float, float]]:
        """Return the connected runs of thresholds where acting on the network is surely better.

        Better than acting on everybody and on nobody: the lower bound lies above both. A run goes
        from its first to its last threshold, with none between them where it does not hold. The one
        that holds the prevalence, the risk of anybody, comes first; the others ascend.
        """
        above = self.low > np.maximum(self.treat_all, 0)
        edges = np.flatnonzero(np.diff(above, prepend=False, append=False)).reshape(-1, 2)
        runs = [(float(self.threshold[a]), float(self.threshold[b - 1])) for a, b in edges]
        return sorted(runs, key=lambda run: (not run[0] <= self.prevalence <= run[1], run))


def decision_curve(
    predictions: Predictions,
    *,
    prevalence: float,
    thresholds: Floats,
    widening: float = UNTOUCHED,
) -> DecisionCurve:
    """Compute net benefit at a stated prevalence.

    The band follows from the exact intervals for clustered data of both shares (`ClusteredShare`),
    of which net benefit is a weighted difference (`mover`), so that it is honest too where hardly
    anybody is called.

    Args:
        predictions: Test predictions of one network, calibrated to that prevalence.
        prevalence: Share of positives, between 0 and 1, that weighs sensitivity and specificity.
        thresholds: Risks, each from 0 to below 1, ascending, shape (t,).
        widening: Factor on variances for cross-validation (`CrossValidation.factor`); 1 for
            photographs that no network was trained on.

    Returns:
        The curve.

    Raises:
        StatisticsError: A prevalence or threshold out of range, or predictions of one class.
    """
    t = np.asarray(thresholds, np.float64)
    inside = t.ndim == 1 and t.size and ((t >= 0) & (t < 1)).all()
    if not 0 < prevalence < 1 or not inside or not (np.diff(t) > 0).all():
        raise StatisticsError(
            "a prevalence and ascending thresholds between 0 and 1",
            f"{prevalence!r} and {t.tolist()[:3]}...",
            "use 0.018 and 0.01 to 0.5, for example",
        )
    check_both_classes(predictions.target)
    odds = t / (1 - t)
    network, low, high = np.array(
        [
            _net_benefit(predictions, risk, prevalence, (1 - prevalence) * ratio, widening)
            for risk, ratio in zip(t.tolist(), odds.tolist(), strict=True)
        ]
    ).T
    return DecisionCurve(
        threshold=t,
        network=network,
        low=low,
        high=high,
        treat_all=prevalence - (1 - prevalence) * odds,
        prevalence=prevalence,
    )


def _net_benefit(
    predictions: Predictions, risk: float, gain: float, cost: float, widening: float
) -> tuple[float, float, float]:
    """Return gain x sensitivity - cost x (1 - specificity), with its bounds."""
    sensitivity, specificity = shares(predictions, predictions.probability >= risk, widening)
    benefit = gain * sensitivity.estimate - cost * (1 - specificity.estimate)
    (se_low, se_high), (sp_low, sp_high) = sensitivity.bounds(), specificity.bounds()
    # More called lesions of one class in the patients with more of the other: less varies.
    shared = -correlation(sensitivity, specificity)
    down = square_and_add(
        gain * (sensitivity.estimate - se_low), cost * (specificity.estimate - sp_low), shared
    )
    up = square_and_add(
        gain * (se_high - sensitivity.estimate), cost * (sp_high - specificity.estimate), shared
    )
    return benefit, benefit - down, benefit + up
