"""Bringing probabilities to observed rates, and to the prevalence they are to be read at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit
from scipy.stats import norm

from melanoscope.errors import EvidenceError
from melanoscope.evidence.calibration_error import clipped_logit, equal_mass_bins
from melanoscope.evidence.metrics import Floats, validated

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# exp(-4) to exp(4): beyond, the classes are separated and no temperature is best.
_LOG_RANGE = 4.0


def fit_temperature(target: ArrayLike, probability: ArrayLike) -> float:
    """Fit the temperature that validation photographs ask for.

    Guo et al. (2017): the logit divided by T has the least log loss; T above 1 tempers what is too
    sure. To be fitted on validation photographs only.

    Args:
        target: As `metrics.validated`.
        probability: As `metrics.validated`.

    Raises:
        EvidenceError: As `metrics.validated`, or no temperature between 0.02 and 55 is best: the
            classes are separated, or the probabilities say nothing.

    >>> target = [0, 0, 0, 1, 0, 1, 1, 1]
    >>> round(fit_temperature(target, [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9]), 3)
    2.0
    """
    positive, score = validated(target, probability)
    x, y = clipped_logit(score), positive.astype(np.float64)

    def loss(log_temperature: float) -> float:
        scaled = x / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - y * scaled))

    found = minimize_scalar(
        loss, bounds=(-_LOG_RANGE, _LOG_RANGE), method="bounded", options={"xatol": 1e-10}
    )
    if abs(found.x) > _LOG_RANGE - 1e-3:
        raise EvidenceError(
            "probabilities that some temperature fits best",
            "classes that are separated" if found.x < 0 else "probabilities that say nothing",
            "use a larger validation part",
        )
    return float(np.exp(found.x))


def apply_temperature(probability: ArrayLike, temperature: float) -> Floats:
    """Divide logits by a temperature; shape as given.

    >>> apply_temperature([0.9], 2.0).round(3).tolist()
    [0.75]
    """
    if not temperature > 0:
        raise EvidenceError("a temperature above 0", repr(temperature), "fit it on validation")
    tempered: Floats = expit(clipped_logit(np.asarray(probability, np.float64)) / temperature)
    return tempered


def to_prevalence(probability: ArrayLike, sample: float, stated: float) -> Floats:
    """Move probabilities from the prevalence of a sample to a stated one.

    Bayes' rule on the odds (Saerens, Latinne & Decaestecker 2002, eq. 2.4): right when only the
    share of melanomas differs and not how melanomas look.

    Args:
        probability: Calibrated to the sample, 0..1.
        sample: Share of melanomas where they were calibrated, between 0 and 1.
        stated: Share where they are to be read, between 0 and 1.

    >>> to_prevalence([0.5], 0.5, 0.018).round(3).tolist()
    [0.018]
    """
    for value in (sample, stated):
        if not 0 < value < 1:
            raise EvidenceError("a prevalence between 0 and 1", repr(value), "state it as 0.018")
    shift = np.log(stated / (1 - stated)) - np.log(sample / (1 - sample))
    moved: Floats = expit(clipped_logit(np.asarray(probability, np.float64)) + shift)
    return moved


@dataclass(frozen=True, slots=True)
class Bin:
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


def reliability(target: ArrayLike, probability: ArrayLike, bins: int = 10) -> tuple[Bin, ...]:
    """Compare predicted with observed rates over bins of equal mass; empty bins are left out.

    Arguments as `metrics.validated`.
    """
    positive, score = validated(target, probability)
    member = equal_mass_bins(score, bins)
    found = []
    for one in np.unique(member):
        mine = member == one
        n, hits = int(mine.sum()), int(positive[mine].sum())
        low, high = wilson(hits, n)
        found.append(Bin(float(score[mine].mean()), hits / n, low, high, n))
    return tuple(found)


def wilson(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Bounds of a share (Wilson 1927).

    >>> [round(b, 4) for b in wilson(0, 10)]
    [0.0, 0.2775]
    """
    z = float(norm.ppf((1 + confidence) / 2))
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)
