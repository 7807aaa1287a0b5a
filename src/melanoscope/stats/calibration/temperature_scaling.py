"""Temperature scaling, and moving probabilities to another prevalence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.calibration.logistic import clipped_logit
from melanoscope.stats.validation import (
    check_prevalence,
    check_probability,
    check_target_and_probability,
)

# exp(-4) to exp(4): beyond, the classes are separated and no temperature is best.
_LOG_RANGE = 4.0


def fit_temperature(target: ArrayLike, probability: ArrayLike) -> float:
    """Fit the temperature that makes the log loss least when logits are divided by it.

    Guo et al. (2017); above 1 it tempers a network that is too sure. To be fitted on validation
    photographs only. The loss is convex in 1 / T, so that the one root of its derivative is the
    optimum; it is found to 1e-12.

    Args:
        target: 0 or 1 per validation photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).

    Returns:
        The temperature T.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, or no temperature between
            0.02 and 55 is best: the classes are separated, or the probabilities say nothing.

    >>> target = [0, 0, 0, 1, 0, 1, 1, 1]
    >>> round(fit_temperature(target, [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]), 3)
    2.0
    """
    positive, score = check_target_and_probability(target, probability)
    x, y = clipped_logit(score), positive.astype(np.float64)

    def slope(log_temperature: float) -> float:
        """Derivative of the loss by 1 / T."""
        return float(np.mean(x * (expit(x / np.exp(log_temperature)) - y)))

    if slope(-_LOG_RANGE) <= 0 or slope(_LOG_RANGE) >= 0:
        separated = slope(-_LOG_RANGE) <= 0 and slope(_LOG_RANGE) < 0
        raise StatisticsError(
            "probabilities that some temperature fits best",
            "classes that are separated" if separated else "probabilities that say nothing",
            "use a larger validation part",
        )
    return float(np.exp(brentq(slope, -_LOG_RANGE, _LOG_RANGE, xtol=1e-13, rtol=1e-13)))


def apply_temperature(probability: ArrayLike, temperature: float) -> Floats:
    """Divide the logits of probabilities by a temperature.

    Args:
        probability: Probabilities of any shape, 0..1; cut to 1e-12..1 - 1e-12, as where the
            temperature is fitted.
        temperature: The temperature, above 0 and finite.

    Returns:
        The calibrated probabilities, of the same shape.

    Raises:
        StatisticsError: A temperature that is not above 0 and finite, or values outside 0..1.

    >>> apply_temperature([0.9], 2.0).round(3).tolist()
    [0.75]
    """
    if not 0 < temperature < np.inf:
        raise StatisticsError("a temperature above 0", repr(temperature), "fit it on validation")
    tempered: Floats = expit(clipped_logit(check_probability(probability)) / temperature)
    return tempered


def to_prevalence(probability: ArrayLike, sample: float, stated: float) -> Floats:
    """Move probabilities from the prevalence of a sample to a stated one.

    Bayes' rule on the odds (Saerens, Latinne & Decaestecker 2002, eq. 2.4): right when only the
    share of positives differs and not how positives look. 0 and 1 stay what they are.

    Args:
        probability: Probabilities calibrated to the sample, of any shape, 0..1.
        sample: Share of positives where they were calibrated, between 0 and 1.
        stated: Share of positives where they are to be used, between 0 and 1.

    Returns:
        The probabilities at the stated prevalence, of the same shape.

    Raises:
        StatisticsError: A prevalence or a probability out of range.

    >>> to_prevalence([0.5], 0.5, 0.018).round(3).tolist()
    [0.018]
    """
    check_prevalence(sample)
    check_prevalence(stated)
    p = check_probability(probability)
    positive, negative = p * (stated / sample), (1 - p) * ((1 - stated) / (1 - sample))
    moved: Floats = positive / (positive + negative)
    return moved
