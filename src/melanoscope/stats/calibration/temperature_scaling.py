"""Bringing probabilities to observed rates, and to the prevalence they are to be read at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_error import clipped_logit, equal_mass_bins
from melanoscope.stats.metrics.classification import Floats, validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# exp(-4) to exp(4): beyond, the classes are separated and no temperature is best.
_LOG_RANGE = 4.0


def fit_temperature(target: ArrayLike, probability: ArrayLike) -> float:
    """Fit the temperature that validation photographs ask for.

    Guo et al. (2017): the logit divided by T has the least log loss; T above 1 tempers what is too
    sure. To be fitted on validation photographs only. The loss is convex in 1 / T, so that the one
    root of its derivative is the optimum; it is found to 1e-12.

    Args:
        target: As `metrics.validated`.
        probability: As `metrics.validated`.

    Raises:
        StatisticsError: As `metrics.validated`, or no temperature between 0.02 and 55 is best: the
            classes are separated, or the probabilities say nothing.

    >>> target = [0, 0, 0, 1, 0, 1, 1, 1]
    >>> round(fit_temperature(target, [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]), 3)
    2.0
    """
    positive, score = validated(target, probability)
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
    """Divide logits by a temperature; shape as given.

    Probabilities are cut to 1e-12..1 - 1e-12 before, as where it is fitted.

    Raises:
        StatisticsError: A temperature that is not above 0 and finite, or values outside 0..1.

    >>> apply_temperature([0.9], 2.0).round(3).tolist()
    [0.75]
    """
    if not 0 < temperature < np.inf:
        raise StatisticsError("a temperature above 0", repr(temperature), "fit it on validation")
    tempered: Floats = expit(clipped_logit(_in_range(probability)) / temperature)
    return tempered


def to_prevalence(probability: ArrayLike, sample: float, stated: float) -> Floats:
    """Move probabilities from the prevalence of a sample to a stated one.

    Bayes' rule on the odds (Saerens, Latinne & Decaestecker 2002, eq. 2.4): right when only the
    share of melanomas differs and not how melanomas look. 0 and 1 stay what they are.

    Args:
        probability: Calibrated to the sample, 0..1.
        sample: Share of melanomas where they were calibrated, between 0 and 1.
        stated: Share where they are to be read, between 0 and 1.

    Raises:
        StatisticsError: A prevalence or a probability out of range.

    >>> to_prevalence([0.5], 0.5, 0.018).round(3).tolist()
    [0.018]
    """
    for value in (sample, stated):
        if not 0 < value < 1:
            raise StatisticsError("a prevalence between 0 and 1", repr(value), "state it as 0.018")
    p = _in_range(probability)
    melanoma, other = p * (stated / sample), (1 - p) * ((1 - stated) / (1 - sample))
    moved: Floats = melanoma / (melanoma + other)
    return moved


def _in_range(probability: ArrayLike) -> Floats:
    p = np.asarray(probability, np.float64)
    bad = ~((p >= 0) & (p <= 1))
    if bad.any():
        raise StatisticsError(
            "probabilities between 0 and 1",
            f"{int(bad.sum())} outside or NaN, the first {float(p[bad][0])!r}",
            "check whether logits were passed, or whether training diverged",
        )
    return p


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bin of a reliability plot.

    Attributes:
        predicted: Mean probability.
        observed: Share of melanomas.
        low: Lower bound of the share (Wilson 1927, 95 %; photographs as if independent).
        high: Upper bound.
        n: Photographs.
    """

    predicted: float
    observed: float
    low: float
    high: float
    n: int


def calibration_curve(
    target: ArrayLike, probability: ArrayLike, bins: int = 10
) -> tuple[CalibrationBin, ...]:
    """Compare predicted with observed rates over bins of equal mass; empty bins are left out.

    Arguments and errors as `metrics.validated`; `bins` at least 1.
    """
    if bins < 1:
        raise StatisticsError("at least 1 bin", str(bins), "use 10")
    positive, score = validated(target, probability)
    member = equal_mass_bins(score, bins)
    found = []
    for one in np.unique(member):
        mine = member == one
        n, hits = int(mine.sum()), int(positive[mine].sum())
        low, high = wilson_interval(hits, n)
        found.append(CalibrationBin(float(score[mine].mean()), hits / n, low, high, n))
    return tuple(found)


def wilson_interval(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds of a share (Wilson 1927); `hits` from 0 to `n`, `n` above 0.

    >>> [round(b, 4) for b in wilson_interval(0, 10)]
    [0.0, 0.2775]
    """
    if not (0 <= hits <= n and n > 0):
        raise StatisticsError("hits of some photographs", f"{hits} of {n}", "count again")
    z = float(norm.ppf((1 + confidence) / 2))
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)
