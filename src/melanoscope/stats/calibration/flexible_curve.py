"""The flexible calibration curve: observed against predicted probability, as a smooth line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats, effective_number
from melanoscope.stats.calibration.logistic import clipped_logit, fit_logistic, group_shifts
from melanoscope.stats.intervals.interval import UPPER_TAIL
from melanoscope.stats.validation import (
    check_enough_groups,
    check_target_and_probability,
    number_groups,
)

# Harrell (2015), "Regression Modeling Strategies", table 2.3, four knots.
KNOTS = (0.05, 0.35, 0.65, 0.95)
_POINTS = 200


def spline_basis(x: Floats, knots: Floats) -> Floats:
    """Return the restricted cubic spline of `x`: linear beyond the outer knots.

    Harrell (2015), "Regression Modeling Strategies", equation 2.25, over the square of the distance
    of the outer knots, as `rcs` of R's package rms.

    Args:
        x: Values, shape (n,).
        knots: Ascending, shape (k,), k at least 3.

    Returns:
        The columns x and k - 2 cubic ones, shape (n, k - 1).

    >>> spline_basis(np.array([-1.0, 0.5]), np.array([0.0, 1.0, 2.0])).tolist()
    [[-1.0, 0.0], [0.5, 0.03125]]
    """
    last, before = knots[-1], knots[-2]

    def cube(knot: float) -> Floats:
        return np.maximum(x - knot, 0) ** 3

    columns = [x]
    for knot in knots[:-2].tolist():
        tail = cube(before) * (last - knot) - cube(last) * (before - knot)
        columns.append((cube(knot) - tail / (last - before)) / (last - knots[0]) ** 2)
    return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False, kw_only=True)
class FlexibleCurve:
    """A flexible calibration curve with its pointwise band, and how far it lies from the diagonal.

    Attributes:
        predicted: Predicted probabilities, ascending, shape (m,).
        observed: Share of positives that the curve expects there, shape (m,).
        low: Lower bound of the 95 % band at each point by itself, shape (m,).
        high: Upper bound, shape (m,).
        ici: Integrated calibration index: mean distance of curve and diagonal over the photographs.
        e50: Median of that distance.
        e90: 90th percentile of it.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    ici: float
    e50: float
    e90: float


def flexible_curve(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, *, widening: float = 1.0
) -> FlexibleCurve:
    """Regress the outcome on a restricted cubic spline of the predicted logit.

    Logistic regression with four knots at quantiles of the logit; the band comes from leaving out
    each group, on the logit scale, with Student's t. ICI, E50 and E90 (Austin & Steyerberg 2019)
    have no interval: like every mean of absolute distances they are above 0 also for a perfect
    network, and a bootstrap's percentiles would miss the truth.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Unit of resampling, shape (n,), at least ten that hold positives and ten negatives.
        widening: Factor of the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The curve between the tenth lowest and the tenth highest of the probabilities (of fewer than
        200 the quantiles 5 and 95 %), as rms draws it: beyond, hardly a photograph speaks for it.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, too few groups, separated
            classes, or fewer than three different knots.
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    check_enough_groups(member, positive)
    x, y = clipped_logit(score), positive.astype(np.float64)
    if x[positive].min() >= x[~positive].max() or x[positive].max() <= x[~positive].min():
        raise StatisticsError(
            "classes whose probabilities overlap, for a calibration curve",
            "perfect separation",
            "use more photographs, and check for a leak",
        )
    knots = np.unique(np.quantile(x, KNOTS))
    if knots.size < 3:
        raise StatisticsError(
            "probabilities of many values, for a calibration curve",
            f"{knots.size} at the four quantiles of its knots",
            "report observed over expected",
        )
    basis = spline_basis(x, knots)
    # Orthogonal columns of one size: those of a spline are nearly the same, and digits are lost.
    design, root = np.linalg.qr(np.concatenate([np.ones((x.size, 1)), basis], axis=1))
    design *= np.sqrt(x.size)
    beta = fit_logistic(design, y, np.zeros_like(x))
    left_out = group_shifts(design, y, design @ beta, member)
    outer = min(10 / max(x.size, 200), 0.5)
    lowest, highest = np.quantile(x, [outer, 1 - outer]).tolist()
    grid = np.linspace(lowest, highest, _POINTS)
    at = np.concatenate([np.ones((grid.size, 1)), spline_basis(grid, knots)], axis=1)
    at = np.sqrt(x.size) * np.linalg.solve(root.T, at.T).T
    groups = left_out.shift.shape[0]
    variance = (groups - 1) / groups * ((at @ left_out.shift.T) ** 2).sum(axis=1)
    freedom = max(effective_number(left_out.information[:, 0, 0]) - 1, 1.0)
    half = float(student.ppf(UPPER_TAIL, freedom)) * np.sqrt(widening * variance)
    distance = np.abs(expit(design @ beta) - score)
    return FlexibleCurve(
        predicted=expit(grid),
        observed=expit(at @ beta),
        low=expit(at @ beta - half),
        high=expit(at @ beta + half),
        ici=float(distance.mean()),
        e50=float(np.median(distance)),
        e90=float(np.quantile(distance, 0.9)),
    )
