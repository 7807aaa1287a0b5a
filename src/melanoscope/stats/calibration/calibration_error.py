"""How far probabilities lie from observed rates: expected calibration error, slope, intercept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.classification import Floats, validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BINS = 15
# A probability of exactly 0 or 1 has no logit; a double cannot tell closer ones apart in practice.
_CLIP = 1e-12
_MOST_STEPS = 100
# Logits closer than this differ by rounding: no slope can be told from them.
_CONSTANT = 1e-9


def equal_mass_bins(probability: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """Sort probabilities into bins of equal size, shape (n,), numbered from 0.

    The i-th smallest of n goes to bin floor(i * bins / n); equal probabilities share the bin of the
    first of them, so that the order of rows does not matter. Some bins may therefore be empty.

    Raises:
        StatisticsError: Fewer than one bin.
    """
    if bins < 1:
        raise StatisticsError("at least one bin", str(bins), "use 15")
    order = np.argsort(probability, kind="stable")
    ranked = probability[order]
    first = np.searchsorted(ranked, ranked, side="left")
    member = np.empty(probability.size, np.int64)
    member[order] = first * bins // probability.size
    return member


def expected_calibration_error(
    target: ArrayLike, probability: ArrayLike, bins: int = BINS
) -> float:
    """Mean distance of predicted from observed rate over bins of equal mass, 0..1.

    Naeini, Cooper & Hauskrecht (2015), with the equal-mass bins of Nguyen & O'Connor (2015): with
    equal widths most bins of a rare disease are empty. Above 0 also for perfect calibration, since
    rates vary by chance. Arguments and errors as `metrics.validated`.

    >>> round(expected_calibration_error([0, 0, 1, 1], [0.1, 0.1, 0.9, 0.9], bins=2), 6)
    0.1
    """
    positive, score = validated(target, probability)
    member = equal_mass_bins(score, bins)
    gap = np.bincount(member, positive - score, minlength=bins)
    return float(np.abs(gap).sum() / score.size)


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """Logistic recalibration.

    Attributes:
        slope: Of the outcome's log-odds on the predicted logit; below 1: too extreme.
        at_slope: Intercept that goes with the slope.
        intercept: Calibration-in-the-large: the intercept with the slope held at 1; above 0: too
            low on the whole.
    """

    slope: float
    at_slope: float
    intercept: float


def calibration_line(target: ArrayLike, probability: ArrayLike) -> CalibrationLine:
    """Fit calibration slope and intercept (Cox 1958; Van Calster et al. 2019) by Newton's method.

    Probabilities are cut to 1e-12..1 - 1e-12. Arguments as `metrics.validated`.

    Raises:
        StatisticsError: As `metrics.validated`, constant probabilities, or probabilities that
            separate the classes perfectly, for which no slope is finite.
    """
    positive, score = validated(target, probability)
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
    # Centred and scaled, so that logits that hardly differ lose no digits.
    centre, scale = x.mean(), x.std()
    design = np.stack([np.ones_like(x), (x - centre) / scale], axis=1)
    level, steepness = _newton(design, y, np.zeros_like(x))
    slope = steepness / scale
    (intercept,) = _newton(np.ones((x.size, 1)), y, x)
    return CalibrationLine(float(slope), float(level - slope * centre), float(intercept))


def clipped_logit(probability: Floats) -> Floats:
    """Log-odds of probabilities, cut so that 0 and 1 stay finite."""
    odds: Floats = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    return odds


def _newton(design: Floats, y: Floats, offset: Floats) -> Floats:
    """Maximise the log-likelihood of a logistic regression, halving steps that overshoot."""
    beta: Floats = np.zeros(design.shape[1])
    value = _log_likelihood(design @ beta + offset, y)
    for _ in range(_MOST_STEPS):
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
