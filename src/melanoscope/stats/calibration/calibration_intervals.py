"""Calibration with intervals that count how much the number of melanomas varies.

The draws of the bootstrap are stratified by outcome: each replicate has about as many melanomas as
the sample. That suits ranking, but Brier score, observed over expected and the intercept depend on
that number, and their percentile intervals would be far too narrow. Here the variance is the robust
one over groups (Liang & Zeger 1986, eq. 5), with t of groups - 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_error import calibration_line, clipped_logit
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.classification import validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from melanoscope.stats.predictions import Codes, Floats

METHOD = "robust variance over groups"


def observed_over_expected(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Melanomas observed over melanomas expected; 1 is right, above 1: probabilities too low.

    The interval is symmetric on the log scale: the error of log(O / E) is the root of the sum over
    groups of (O_g / O - E_g / E) squared.

    Args:
        target: As `metrics.validated`.
        probability: As `metrics.validated`; not all 0.
        group: Unit of resampling, shape (n,).
        confidence: Between 0 and 1.

    Raises:
        StatisticsError: As `metrics.validated`, fewer than two groups, or probabilities that are
            all 0.

    >>> found = observed_over_expected([0, 1, 0, 1], [0.2, 0.6, 0.1, 0.7], [1, 2, 3, 4])
    >>> [round(x, 2) for x in (found.estimate, found.low, found.high)]
    [1.25, 0.6, 2.58]
    """
    positive, score = validated(target, probability)
    groups, member = _members(group, positive.size)
    observed, expected = float(positive.sum()), float(score.sum())
    if not expected > 0:
        raise StatisticsError(
            "probabilities above 0", "0 for every photograph", "check the network"
        )
    pull = np.bincount(member, positive / observed - score / expected, groups)
    error = float(np.sqrt(groups / (groups - 1) * (pull @ pull)))
    ratio = observed / expected
    reach = float(np.exp(_quantile(groups, confidence) * error))
    return Interval(
        ratio, ratio / reach, ratio * reach, ratio * error, groups, METHOD, "groups", confidence
    )


def brier_interval(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Brier score with the robust interval of a mean over groups.

    Arguments as `observed_over_expected`.

    Raises:
        StatisticsError: As `metrics.validated`, or fewer than two groups.

    >>> found = brier_interval([0, 1, 0, 1], [0.2, 0.6, 0.1, 0.7], [1, 2, 3, 4])
    >>> [round(x, 3) for x in (found.estimate, found.standard_error)]
    [0.075, 0.033]
    """
    positive, score = validated(target, probability)
    groups, member = _members(group, positive.size)
    squares = (score - positive) ** 2
    mean = float(squares.mean())
    pull = np.bincount(member, squares - mean, groups) / squares.size
    error = float(np.sqrt(groups / (groups - 1) * (pull @ pull)))
    half = _quantile(groups, confidence) * error
    return Interval(mean, mean - half, mean + half, error, groups, METHOD, "groups", confidence)


def calibration_line_intervals(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, confidence: float = 0.95
) -> tuple[Interval, Interval]:
    """Calibration slope, and calibration in the large (the intercept with the slope held at 1).

    Arguments as `observed_over_expected`.

    Raises:
        StatisticsError: As `calibration_error.calibration_line`, or fewer than two groups.
    """
    positive, score = validated(target, probability)
    groups, member = _members(group, positive.size)
    line = calibration_line(positive, score)
    x = clipped_logit(score)
    both = np.stack([np.ones_like(x), x], axis=1)
    _, slope = _errors(both, positive, expit(line.at_slope + line.slope * x), member, groups)
    (large,) = _errors(both[:, :1], positive, expit(line.intercept + x), member, groups)
    half = _quantile(groups, confidence)
    made = [
        Interval(value, value - half * e, value + half * e, e, groups, METHOD, "groups", confidence)
        for value, e in ((line.slope, float(slope)), (line.intercept, float(large)))
    ]
    return made[0], made[1]


def _errors(
    design: Floats, positive: NDArray[np.bool_], fitted: Floats, member: Codes, groups: int
) -> Floats:
    """Robust standard errors of a logistic regression, shape (columns,)."""
    inverse = np.linalg.inv((design * (fitted * (1 - fitted))[:, None]).T @ design)
    pulls = design * (positive - fitted)[:, None]
    added = np.stack([np.bincount(member, column, groups) for column in pulls.T], axis=1)
    covariance = groups / (groups - 1) * inverse @ (added.T @ added) @ inverse
    errors: Floats = np.sqrt(np.diag(covariance))
    return errors


def _members(group: ArrayLike, n: int) -> tuple[int, Codes]:
    codes = np.asarray(group)
    if codes.shape != (n,):
        raise StatisticsError(f"groups of shape ({n},)", f"shape {codes.shape}", "pass one each")
    names, member = np.unique(codes, return_inverse=True)
    if names.size < 2:
        raise StatisticsError(
            "at least 2 groups (patients)", str(names.size), "an interval needs some that vary"
        )
    return int(names.size), member.astype(np.int64)


def _quantile(groups: int, confidence: float) -> float:
    return float(student.ppf((1 + confidence) / 2, groups - 1))
