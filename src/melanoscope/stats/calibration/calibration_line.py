"""The calibration line: the outcome's log-odds as a line of the predicted logit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.logistic import clipped_logit, fit_logistic
from melanoscope.stats.validation import check_target_and_probability

# Logits closer than this differ by rounding: no slope can be told from them.
_CONSTANT = 1e-9


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
    level, steepness = fit_logistic(design, y, np.zeros_like(x))
    slope = steepness / scale
    (intercept,) = fit_logistic(np.ones((x.size, 1)), y, x)
    return CalibrationLine(
        slope=float(slope),
        slope_intercept=float(level - slope * center),
        intercept=float(intercept),
    )
