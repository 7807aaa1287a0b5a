"""The AUROC that probabilities promise on the photographs that they were given for.

The model-based concordance of van Klaveren et al. (2016), Statistics in Medicine 35:4136-4152: the
chance that of two photographs the one with the higher probability is the positive one, were every
probability true. It is low where photographs are alike and high where they differ, whatever the
network is worth; so it tells a harder case mix from a network that ranks worse.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.validation import check_probability


@dataclass(frozen=True, eq=False)
class ExpectedAuroc:
    """An expected AUROC, and how far each photograph moves it, shape (n,)."""

    estimate: float
    influence: Floats


def expected_auroc(probability: ArrayLike) -> ExpectedAuroc:
    """Return the AUROC that would be found were every probability true.

    Each photograph counts as a positive with its probability p and as a negative with 1 - p; pairs
    of a photograph with itself do not count.

    Args:
        probability: Predicted probability of the positive class, 0..1, shape (n,).

    Returns:
        The expected AUROC.

    Raises:
        StatisticsError: Fewer than two photographs, values outside 0..1, or only 0 or only 1.

    >>> round(expected_auroc([0.2, 0.4, 0.9]).estimate, 4)
    0.8977
    """
    p = check_probability(probability)
    negative = 1 - p
    pairs = float(p.sum() * negative.sum() - (p * negative).sum())
    if p.ndim != 1 or p.size < 2 or pairs <= 0:
        raise StatisticsError(
            "probabilities of two photographs or more, of which some leave a doubt",
            f"shape {p.shape}" if p.ndim != 1 or p.size < 2 else "only 0, or only 1",
            "check the network",
        )
    level = np.unique(p, return_inverse=True)[1]
    below = _mass_below(negative, level) - negative / 2
    above = p.sum() - _mass_below(p, level) - p / 2
    estimate = float(p @ below) / pairs
    moves_pairs = p * (negative.sum() - negative) + negative * (p.sum() - p)
    influence: Floats = (p * below + negative * above - estimate * moves_pairs) / pairs
    return ExpectedAuroc(estimate, influence)


def _mass_below(mass: Floats, level: Codes) -> Floats:
    """Return the `mass` at lower levels than each one's, and half of that at its own, (n,)."""
    at = np.bincount(level, mass)
    below: Floats = (np.cumsum(at) - at / 2)[level]
    return below
