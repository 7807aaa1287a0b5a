"""Calibration with intervals that count how much the number of positives varies.

The weights of the bootstrap are stratified by outcome: each replicate has about as many positives
as the sample. That suits ranking, but Brier score, observed over expected and the intercept depend
on that number, and their percentile intervals would be far too narrow. Here the variance is the
robust one over groups (Liang & Zeger 1986, eq. 5), with t of groups - 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.calibration.calibration_error import calibration_line, clipped_logit
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import clustered_error, wald_interval
from melanoscope.stats.validation import check_target_and_probability, number_groups

METHOD = "robust variance over groups"


def observed_over_expected(target: ArrayLike, probability: ArrayLike, group: ArrayLike) -> Interval:
    """Return the positives observed over those expected; above 1 probabilities are too low.

    The interval is symmetric on the log scale: the error of log(O / E) is the root of the sum over
    groups of (O_g / O - E_g / E) squared.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, not all 0,
            shape (n,).
        group: Unit of resampling, shape (n,), at least two.

    Returns:
        The ratio with its interval.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, fewer than two groups, or
            probabilities that are all 0.

    >>> found = observed_over_expected([0, 1, 0, 1], [0.2, 0.6, 0.1, 0.7], [1, 2, 3, 4])
    >>> [round(x, 2) for x in (found.estimate, found.low, found.high)]
    [1.25, 0.6, 2.58]
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    observed, expected = float(positive.sum()), float(score.sum())
    if not expected > 0:
        raise StatisticsError(
            "probabilities above 0", "0 for every photograph", "check the network"
        )
    ratio = observed / expected
    log_ratio = _interval(0.0, positive / observed - score / expected, member)
    reach = float(np.exp(log_ratio.high))
    return replace(
        log_ratio,
        estimate=ratio,
        low=ratio / reach,
        high=ratio * reach,
        standard_error=ratio * log_ratio.standard_error,
    )


def brier_interval(target: ArrayLike, probability: ArrayLike, group: ArrayLike) -> Interval:
    """Return the Brier score, the mean squared error, with the robust interval over groups.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Unit of resampling, shape (n,), at least two.

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
    squares = (score - positive) ** 2
    mean = float(squares.mean())
    return _interval(mean, (squares - mean) / squares.size, member)


def calibration_line_intervals(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike
) -> tuple[Interval, Interval]:
    """Return calibration slope, and calibration in the large, with robust intervals over groups.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Unit of resampling, shape (n,), at least two.

    Returns:
        The slope, and the intercept with the slope held at 1.

    Raises:
        StatisticsError: As `calibration_error.calibration_line`, or fewer than two groups.
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    line = calibration_line(positive, score)
    x = clipped_logit(score)
    design = np.stack([np.ones_like(x), x], axis=1)
    slope = _influence(design, positive, expit(line.slope_intercept + line.slope * x))[:, 1]
    intercept = _influence(design[:, :1], positive, expit(line.intercept + x))[:, 0]
    return _interval(line.slope, slope, member), _interval(line.intercept, intercept, member)


def _influence(design: Floats, positive: Booleans, fitted: Floats) -> Floats:
    """How far each photograph moves the coefficients of a logistic regression, as `design`."""
    information = (design * (fitted * (1 - fitted))[:, None]).T @ design
    try:
        inverse = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        raise StatisticsError(
            "probabilities that leave some doubt, for an interval of calibration",
            "all so near 0 and 1 that none is left",
            "check whether training diverged",
        ) from None
    influence: Floats = design * (positive - fitted)[:, None] @ inverse
    return influence


def _interval(estimate: float, influence: Floats, member: Codes) -> Interval:
    groups = int(member.max()) + 1
    if groups < 2:
        raise StatisticsError(
            "at least 2 groups (patients)", str(groups), "an interval needs some that vary"
        )
    return wald_interval(
        estimate,
        clustered_error(influence, member),
        n=groups,
        method=METHOD,
        degrees_of_freedom=groups - 1,
    )
