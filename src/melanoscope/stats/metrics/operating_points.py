"""Operating points: what a decision threshold does, at a stated prevalence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats, safe_divide
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.percentile import percentile_interval
from melanoscope.stats.intervals.proportion import proportion_interval
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_both_classes, check_prevalence

CORNERS = "corners of the intervals of sensitivity and specificity"


class Resampled(NamedTuple):
    """An interval with its bootstrap replicates, (replicates,); NaN where a class is missing."""

    interval: Interval
    replicates: Floats

    @staticmethod
    def share(right: Floats, total: Floats, holders: int) -> Resampled:
        """Divide `right` by `total`, the sample before its replicates, over `holders` groups."""
        share = safe_divide(right, total)
        return Resampled(proportion_interval(float(share[0]), share[1:], holders), share[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """What a threshold does.

    Attributes:
        name: Purpose of the threshold.
        threshold: Mean over the folds' thresholds.
        sensitivity: Share of positives that are recognised.
        specificity: Share of negatives that are not called positive.
        ppv: Share of positives among the called, at `prevalence`; None where nobody is called.
        npv: Share of negatives among the rest; None where everybody is called.
        prevalence: Stated share of positives, between 0 and 1.
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
    weights: BootstrapWeights,
    *,
    name: str,
    threshold: Floats,
    prevalence: float,
) -> OperatingPoint:
    """Evaluate a threshold, folds pooled, with intervals over groups.

    PPV and NPV follow from sensitivity and specificity by Bayes' rule at the stated prevalence.
    Where every replicate gives the same share (all positives recognised, for example), exact bounds
    over the groups that hold the class are given, and PPV and NPV range between what the corners of
    both intervals give, which is wider than 95 % needs.

    Args:
        predictions: Test predictions of one network.
        weights: Bootstrap weights of their groups.
        name: Purpose of the threshold.
        threshold: Threshold of each prediction's fold, finite, shape (n,).
        prevalence: Share of positives where the network is to be used, between 0 and 1.

    Returns:
        The operating point.

    Raises:
        StatisticsError: A prevalence out of range, thresholds of another shape or not finite, or
            predictions of one class.
    """
    check_prevalence(prevalence)
    if np.shape(threshold) != predictions.target.shape or not np.isfinite(threshold).all():
        raise StatisticsError(
            f"finite thresholds of shape {predictions.target.shape}",
            f"others, of shape {np.shape(threshold)}",
            "pass the threshold of each prediction's cell",
        )
    check_both_classes(predictions.target)
    called, positive = predictions.probability >= threshold, predictions.target == 1
    group = predictions.group
    sensitivity = _share(group, called & positive, positive, weights)
    specificity = _share(group, ~called & ~positive, ~positive, weights)
    n = predictions.n_groups
    return OperatingPoint(
        name=name,
        threshold=float(np.mean(threshold)),
        sensitivity=sensitivity.interval,
        specificity=specificity.interval,
        ppv=_predictive_value(sensitivity, specificity, prevalence, n),
        npv=_predictive_value(specificity, sensitivity, 1 - prevalence, n),
        prevalence=prevalence,
    )


def _share(group: Codes, right: Booleans, among: Booleans, weights: BootstrapWeights) -> Resampled:
    hits, total = weights.totals(group, (right, among))
    return Resampled.share(hits, total, np.unique(group[among]).size)


def _predictive_value(
    right: Resampled, other: Resampled, prevalence: float, n: int
) -> Interval | None:
    """PPV, or with the classes exchanged NPV; None where the decision is never made."""
    share, spared = right.interval, other.interval
    if share.estimate == 0 and spared.estimate == 1:
        return None
    estimate = float(_bayes(share.estimate, 1 - spared.estimate, prevalence))
    replicates = _bayes(right.replicates, 1 - other.replicates, prevalence)
    missing = np.isnan(replicates).mean()
    if 0.0 not in (share.standard_error, spared.standard_error) and missing <= 0.5:
        return percentile_interval(estimate, replicates, n=n, missing=0.5)
    return Interval(
        estimate=estimate,
        low=float(np.nan_to_num(_bayes(share.low, 1 - spared.low, prevalence), nan=0.0)),
        high=float(np.nan_to_num(_bayes(share.high, 1 - spared.high, prevalence), nan=1.0)),
        standard_error=0.0,
        n=n,
        method=CORNERS,
        unit="groups",
    )


def _bayes(right: Floats | float, wrong: Floats | float, prevalence: float) -> Floats:
    """Share of the right among all that were called; NaN where nobody was."""
    true, false = np.multiply(right, prevalence), np.multiply(wrong, 1 - prevalence)
    return safe_divide(np.asarray(true, np.float64), np.asarray(true + false, np.float64))
