"""How far probabilities lie from observed rates: bins of equal mass, and the calibration line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.proportion import wilson_interval
from melanoscope.stats.validation import check_target_and_probability

BINS = 15
# A probability of exactly 0 or 1 has no logit; a double cannot tell closer ones apart in practice.
_CLIP = 1e-12
_MAX_STEPS = 100
# Logits closer than this differ by rounding: no slope can be told from them.
_CONSTANT = 1e-9


def equal_mass_bins(probability: Floats, bins: int = BINS) -> Codes:
    """Return the bin, 0 to `bins` - 1, of each `probability`, shape (n,), in bins of equal size."""
    # The i-th smallest of n goes to bin floor(i * bins / n). Equal probabilities share the bin of
    # the first of them, so that the order of rows does not matter; bins may then be empty.
    if bins < 1:
        raise StatisticsError("at least one bin", str(bins), "use 15")
    first = rankdata(probability, method="min").astype(np.int64) - 1
    member: Codes = first * bins // probability.size
    return member


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bin of a reliability plot.

    Attributes:
        predicted: Mean predicted probability.
        observed: Share of positives with Wilson's interval, photographs as if independent.
    """

    predicted: float
    observed: Interval


def calibration_curve(
    target: ArrayLike, probability: ArrayLike, bins: int = 10
) -> tuple[CalibrationBin, ...]:
    """Compare predicted with observed rates over bins of equal mass.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        bins: Number of bins, at least 1.

    Returns:
        The bins from the lowest probabilities up; empty ones are left out.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, or no bin.
    """
    positive, score = check_target_and_probability(target, probability)
    member = equal_mass_bins(score, bins)
    return tuple(
        CalibrationBin(
            predicted=float(score[member == code].mean()),
            observed=wilson_interval(
                int(positive[member == code].sum()), int((member == code).sum())
            ),
        )
        for code in np.unique(member)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationLine:
    """Logistic recalibration: the outcome's log-odds as a line of the predicted logit.

    Attributes:
        slope: Slope of the line; 1 is right, below: probabilities are too extreme.
        slope_intercept: Intercept of that line.
        intercept: Calibration in the large, the intercept with the slope held at 1; 0 is right,
            above: probabilities are too low on the whole.
    """

    slope: float
    slope_intercept: float
    intercept: float


def calibration_line(target: ArrayLike, probability: ArrayLike) -> CalibrationLine:
    """Fit calibration slope and intercept, with `probability` cut to 1e-12..1 - 1e-12."""
    # Cox (1958); Van Calster et al. (2019).
    positive, score = check_target_and_probability(target, probability)
    x = clipped_logit(score)
    if np.ptp(x) < _CONSTANT:
        raise StatisticsError(
            "probabilities that differ, to fit a calibration slope",
            f"{float(score[0]):.12g} for every photograph",
            "report calibration in the large only",
        )
    if x[positive].min() >= x[~positive].max() or x[positive].max() <= x[~positive].min():
        raise StatisticsError(
            "classes whose probabilities overlap, to fit a calibration slope",
            "perfect separation",
            "use more photographs, and check for a leak",
        )
    y = positive.astype(np.float64)
    # Centered and scaled, so that logits that hardly differ lose no digits.
    center, scale = x.mean(), x.std()
    design = np.stack([np.ones_like(x), (x - center) / scale], axis=1)
    level, steepness = _newton(design, y, np.zeros_like(x))
    slope = steepness / scale
    (intercept,) = _newton(np.ones((x.size, 1)), y, x)
    return CalibrationLine(
        slope=float(slope),
        slope_intercept=float(level - slope * center),
        intercept=float(intercept),
    )


def clipped_logit(probability: Floats) -> Floats:
    """Return the log-odds of each `probability`, cut to 1e-12..1 - 1e-12 so that all are finite."""
    odds: Floats = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    return odds


def _newton(design: Floats, y: Floats, offset: Floats) -> Floats:
    """Maximise the log-likelihood of a logistic regression, halving steps that overshoot."""
    beta: Floats = np.zeros(design.shape[1])
    value = _log_likelihood(design @ beta + offset, y)
    for _ in range(_MAX_STEPS):
        fitted = expit(design @ beta + offset)
        gradient = design.T @ (y - fitted)
        hessian = (design * (fitted * (1 - fitted))[:, None]).T @ design
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        for _ in range(60):
            new = _log_likelihood(design @ (beta + step) + offset, y)
            if new >= value - 1e-12 * abs(value):
                break
            step = step / 2
        beta, value = beta + step, new
        if np.abs(step).max() <= 1e-12 * (1 + np.abs(beta).max()):
            return beta
    raise StatisticsError(
        "a calibration line that converges", "none in 100 steps", "check the probabilities"
    )


def _log_likelihood(x: Floats, y: Floats) -> float:
    return float((y * x - np.logaddexp(0, x)).sum())
