"""Patients whose photographs hang together, with true risks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from scipy.stats import norm


@dataclass(frozen=True, eq=False)
class Sample:
    """Outcomes, what a network says of them, their true risks, and their patients."""

    target: np.ndarray
    probability: np.ndarray
    group: np.ndarray
    risk: np.ndarray


def draw_patients(
    rng: np.random.Generator,
    *,
    groups: int,
    mean: int,
    icc: float,
    stretch: float = 1.0,
    shift: float = 0.0,
) -> Sample:
    """Draw patients of unequal size; `stretch` and `shift` are what is wrong with the logits.

    Features and outcomes of one patient share `icc` of their variance. Given the features of all,
    each outcome has its true risk.
    """
    sizes = np.ones(groups, int)
    if mean > 1:
        sizes += rng.poisson(rng.gamma(1.2, (mean - 1) / 1.2, groups))
    group = np.repeat(np.arange(groups), sizes)

    def shared() -> np.ndarray:
        own, common = rng.normal(size=group.size), rng.normal(size=groups)[group]
        return np.sqrt(1 - icc) * own + np.sqrt(icc) * common

    x = -1 + 1.3 * shared()
    target = (norm.cdf(shared()) < expit(x)).astype(int)
    return Sample(target, expit(stretch * x + shift), group, expit(x))
