"""Operating points: what a decision threshold does, at a stated prevalence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.stats.intervals.clustered import ClusteredShare
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.mover import METHOD, correlation, square_and_add
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_both_classes, check_prevalence

CORNERS = "corners of the intervals of sensitivity and specificity"


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
    *,
    name: str,
    threshold: Floats,
    prevalence: float,
    widening: float = UNTOUCHED,
) -> OperatingPoint:
    """Evaluate a threshold, folds pooled, with intervals over groups.

    Sensitivity and specificity have the exact interval for clustered data (`ClusteredShare`). PPV
    and NPV follow from them by Bayes' rule at the stated prevalence; their bounds are those of the
    likelihood ratio, whose logarithm is a difference (`mover`). Where that is infinite, PPV and NPV
    range between what the corners of both intervals give, which is wider than 95 % needs.

    Args:
        predictions: Test predictions of one network.
        name: Purpose of the threshold.
        threshold: Threshold of each prediction's fold, finite, shape (n,).
        prevalence: Share of positives where the network is to be used, between 0 and 1.
        widening: Factor on variances for cross-validation (`CrossValidation.factor`); 1 for
            photographs that no network was trained on.

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
    called = predictions.probability >= threshold
    sensitivity, specificity = shares(predictions, called, widening)
    return OperatingPoint(
        name=name,
        threshold=float(np.mean(threshold)),
        sensitivity=sensitivity.interval,
        specificity=specificity.interval,
        ppv=_predictive_value(sensitivity, specificity, prevalence, predictions.n_groups),
        npv=_predictive_value(specificity, sensitivity, 1 - prevalence, predictions.n_groups),
        prevalence=prevalence,
    )


def shares(
    predictions: Predictions,
    called: Booleans,
    widening: float = UNTOUCHED,
    inside: Booleans | None = None,
) -> tuple[ClusteredShare, ClusteredShare]:
    """Return sensitivity and specificity where photographs are `called`, of those `inside`."""
    member = np.unique(predictions.group, return_inverse=True)[1]
    sides = predictions.target == 1, predictions.target == 0
    if inside is not None:
        sides = sides[0] & inside, sides[1] & inside
    image = predictions.image_index
    return (
        ClusteredShare.of(called, sides[0], member, image, widening),
        ClusteredShare.of(~called, sides[1], member, image, widening),
    )


def _predictive_value(
    right: ClusteredShare, other: ClusteredShare, prevalence: float, n: int
) -> Interval | None:
    """PPV, or with the classes exchanged NPV; None where the decision is never made."""
    wrong = 1 - other.estimate
    if right.estimate == wrong == 0:
        return None
    share, spared = right.interval, other.interval
    if right.estimate == 0 or wrong == 0:
        low = _bayes(share.low, 1 - spared.low, prevalence)
        high = _bayes(share.high, 1 - spared.high, prevalence)
        method = CORNERS
    else:
        # The log of the likelihood ratio: log(right) - log(wrong). Where right decisions of one
        # class go with wrong ones of the other in the same patients, it varies less.
        with np.errstate(divide="ignore"):
            right_low, right_high = np.log([share.low, share.high]) - np.log(share.estimate)
            wrong_low, wrong_high = np.log([1 - spared.high, 1 - spared.low]) - np.log(wrong)
        shared = -correlation(right, other)
        down = square_and_add(-right_low, wrong_high, shared)
        up = square_and_add(right_high, -wrong_low, shared)
        low, high = (
            _bayes(right.estimate * np.exp(reach), wrong, prevalence) for reach in (-down, up)
        )
        method = METHOD
    return Interval(
        estimate=_bayes(right.estimate, wrong, prevalence),
        low=low,
        high=high,
        standard_error=float("nan"),
        n=n,
        method=method,
        unit="groups",
    )


def _bayes(right: float, wrong: float, prevalence: float) -> float:
    """Share of the right among all that were called, an infinite ratio of both included."""
    if np.isinf(right):
        return 1.0
    true, false = right * prevalence, wrong * (1 - prevalence)
    return float(true / (true + false)) if true + false > 0 else float("nan")
