"""Recalibration to other photographs: a new intercept, or intercept and slope, and what they cost.

Logistic recalibration (Cox 1958; Steyerberg et al. 2004, Statistics in Medicine 23:2567-2586): the
outcome's log-odds as a line of the network's logit. It needs labelled photographs of the new place;
`recalibration_cost` says how many, by drawing that many patients and looking at the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.calibration.logistic import fit_logistic

SIZES = (25, 50, 100, 200, 400, 800, 1600, 3200)
"""Numbers of labelled photographs that `recalibration_cost` looks at."""

SURE = 0.95
"""Share of draws that recalibration must improve to be called worth its photographs."""

_DRAWS = 200
# The others must be enough to judge by.
_MOST_DRAWN = 0.7


@dataclass(frozen=True, slots=True)
class Recalibration:
    """A line from the network's logit to the outcome's log-odds."""

    intercept: float
    slope: float

    def probability(self, logit: Floats) -> Floats:
        """Return the probabilities of `logit`, of any shape."""
        found: Floats = expit(self.intercept + self.slope * logit)
        return found


def fit_recalibration(target: Codes, logit: Floats, *, slope: bool) -> Recalibration:
    """Fit the line by maximum likelihood.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        logit: Log-odds that the network gives, shape (n,).
        slope: Whether the slope is fitted too; else it is 1.

    Returns:
        The line.

    Raises:
        StatisticsError: One class, or classes that the logit separates.

    >>> logit = np.array([-1.0, -1, -1, -1, 1, 1, 1, 1])
    >>> target = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    >>> found = fit_recalibration(target, logit, slope=True)
    >>> abs(round(found.intercept, 6)), round(found.slope, 4)  # log 3
    (0.0, 1.0986)
    """
    if np.unique(target).size < 2 or (slope and _separated(target, logit)):
        raise StatisticsError(
            "photographs of both classes that the network does not separate, to recalibrate by",
            "others",
            "label more photographs",
        )
    ones = np.ones((target.size, 1))
    y = target.astype(np.float64)
    if not slope:
        return Recalibration(float(fit_logistic(ones, y, logit)[0]), 1.0)
    scale = float(logit.std())
    design = np.column_stack([ones, (logit - logit.mean()) / scale])
    level, steepness = fit_logistic(design, y, np.zeros_like(y)).tolist()
    return Recalibration(level - steepness * float(logit.mean()) / scale, steepness / scale)


def _separated(target: Codes, logit: Floats) -> bool:
    """Return whether no line is best: one class lies wholly above the other, or nothing varies."""
    positive, negative = logit[target == 1], logit[target == 0]
    apart = negative.max() <= positive.min() or positive.max() <= negative.min()
    return bool(apart or np.ptp(logit) <= 0)


def cross_fitted(target: Codes, logit: Floats, fold: Codes, *, slope: bool) -> Floats:
    """Recalibrate each fold by the others, so that no photograph's own label takes part.

    Args:
        target: 0 or 1 per photograph, shape (n,).
        logit: Log-odds that the network gives, shape (n,).
        fold: Fold of each photograph, none of which splits a group, shape (n,).
        slope: Whether the slope is fitted too.

    Returns:
        The recalibrated probabilities, shape (n,).

    Raises:
        StatisticsError: As `fit_recalibration`.
    """
    found = np.empty_like(logit)
    for one in np.unique(fold):
        inside = fold == one
        line = fit_recalibration(target[~inside], logit[~inside], slope=slope)
        found[inside] = line.probability(logit[inside])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RecalibrationCost:
    """What recalibration by some labelled photographs does to the others, over draws of patients.

    Attributes:
        photographs: Number of labelled photographs, on average.
        positives: Number of positives among them, on average.
        gain: Mean log loss before minus after, on the other photographs; median over draws.
        low: 5 % quantile of the gain over draws.
        high: 95 % quantile.
        improved: Share of draws in which the log loss fell, 0..1; draws by which nothing can be
            fitted count as none.
    """

    photographs: float
    positives: float
    gain: float
    low: float
    high: float
    improved: float


def recalibration_cost(
    target: Codes,
    logit: Floats,
    group: Codes,
    *,
    sizes: Sequence[int] = SIZES,
    draws: int = _DRAWS,
    seed: int = 0,
) -> tuple[RecalibrationCost, ...]:
    """Recalibrate (intercept and slope) by some patients and judge it by the others.

    Args:
        target: 0 or 1 per photograph, shape (n,).
        logit: Log-odds that would be used without recalibration, shape (n,).
        group: Unit that is drawn as a whole, shape (n,).
        sizes: Numbers of photographs to label; larger ones than 70 % of all are passed over.
        draws: Number of draws for each size.
        seed: Seed of the draws.

    Returns:
        What each size does, in the order of `sizes`.
    """
    member = np.unique(group, return_inverse=True)[1]
    sizes = [size for size in sizes if size <= _MOST_DRAWN * target.size]
    rng = np.random.default_rng(seed)
    before = _log_loss(target, logit)
    found = []
    for size in sizes:
        tried = [_try(target, logit, before, _drawn(rng, member, size)) for _ in range(draws)]
        photographs, positives, gains = np.array(tried).T
        low, median, high = np.quantile(gains, [0.05, 0.5, 0.95])
        found.append(
            RecalibrationCost(
                photographs=float(photographs.mean()),
                positives=float(positives.mean()),
                gain=float(median),
                low=float(low),
                high=float(high),
                improved=float((gains > 0).mean()),
            )
        )
    return tuple(found)


def photographs_needed(costs: Sequence[RecalibrationCost]) -> RecalibrationCost | None:
    """Return the smallest size from which on recalibration surely helps; None where none does."""
    needed = None
    for cost in reversed(costs):
        if cost.improved < SURE:
            break
        needed = cost
    return needed


def _drawn(rng: np.random.Generator, member: Codes, size: int) -> Booleans:
    """Return which photographs are those of randomly drawn groups, about `size` in all, (n,)."""
    sizes = np.bincount(member)
    order = rng.permutation(sizes.size)
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = np.zeros(sizes.size, np.bool_)
    chosen[order[before < size]] = True
    found: Booleans = chosen[member]
    return found


def _try(
    target: Codes, logit: Floats, before: Floats, drawn: Booleans
) -> tuple[float, float, float]:
    """Return the number of photographs drawn, of positives, and what the others gain."""
    counts = float(drawn.sum()), float(target[drawn].sum())
    try:
        line = fit_recalibration(target[drawn], logit[drawn], slope=True)
    except StatisticsError:
        return *counts, 0.0
    others = ~drawn
    after = _log_loss(target[others], line.intercept + line.slope * logit[others])
    return *counts, float((before[others] - after).mean())


def _log_loss(target: Codes, logit: Floats) -> Floats:
    loss: Floats = np.logaddexp(0, logit) - target * logit
    return loss
