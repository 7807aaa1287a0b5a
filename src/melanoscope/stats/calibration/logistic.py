"""Logistic regression by maximum likelihood, and its coefficients without each group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats

# A probability of exactly 0 or 1 has no logit; a double cannot tell closer ones apart in practice.
_CLIP = 1e-12
_MAX_STEPS = 100


def clipped_logit(probability: Floats) -> Floats:
    """Return the log-odds of each `probability`, cut to 1e-12..1 - 1e-12 so that all are finite."""
    odds: Floats = logit(np.clip(probability, _CLIP, 1 - _CLIP))
    return odds


def fit_logistic(design: Floats, y: Floats, offset: Floats) -> Floats:
    """Maximise the log-likelihood of a logistic regression, halving steps that overshoot.

    Args:
        design: Columns of about one size, shape (n, k).
        y: 0 or 1, shape (n,).
        offset: Added to the linear predictor with a coefficient of 1, shape (n,).

    Returns:
        The coefficients, shape (k,).

    Raises:
        StatisticsError: No convergence, as where the columns separate the classes.
    """
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
        "a logistic regression that converges", "none in 100 steps", "check the probabilities"
    )


def _log_likelihood(x: Floats, y: Floats) -> float:
    return float((y * x - np.logaddexp(0, x)).sum())


@dataclass(frozen=True, eq=False)
class GroupShifts:
    """What each group does to the coefficients of a logistic regression.

    Attributes:
        shift: Coefficients minus those without the group, shape (groups, k).
        information: The group's part of the information matrix, shape (groups, k, k).
    """

    shift: Floats
    information: Floats


def group_shifts(design: Floats, y: Floats, linear: Floats, member: Codes) -> GroupShifts:
    """Leave each group out of a fitted logistic regression, by one Newton step.

    The group's score times the inverse information of the other groups: the cluster-robust
    jackknife for logit models, "CV3L", of MacKinnon, Nielsen & Webb (2025).

    Args:
        design: As in `fit_logistic`, shape (n, k).
        y: 0 or 1, shape (n,).
        linear: The fitted linear predictor, shape (n,).
        member: Number of each row's group, from 0, shape (n,).

    Returns:
        The shifts.

    Raises:
        StatisticsError: The other groups of one tell nothing of a coefficient.
    """
    groups, k = int(member.max()) + 1, design.shape[1]
    fitted = expit(linear)
    residual, weight = y - fitted, fitted * (1 - fitted)
    score, information = np.empty((groups, k)), np.empty((groups, k, k))
    for i in range(k):
        score[:, i] = np.bincount(member, design[:, i] * residual, groups)
        for j in range(i + 1):
            part = np.bincount(member, design[:, i] * design[:, j] * weight, groups)
            information[:, i, j] = information[:, j, i] = part
    others = information.sum(axis=0) - information
    try:
        shift = np.linalg.solve(others, score[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise StatisticsError(
            "probabilities that leave some doubt, for an interval of calibration",
            "none without one of the groups",
            "check whether training diverged, or use more patients",
        ) from None
    return GroupShifts(shift, information)
