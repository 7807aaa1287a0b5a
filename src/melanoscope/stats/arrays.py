"""Types of the arrays that statistics work on, and a division that tolerates 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def safe_divide(numerator: Floats, denominator: Floats | Codes, fill: float = np.nan) -> Floats:
    """Divide two arrays of one shape; where the denominator is not above 0 the result is `fill`."""
    filled = np.full(denominator.shape, fill)
    np.divide(numerator, denominator, out=filled, where=denominator > 0)
    return filled


def effective_number(sizes: Floats) -> float:
    """Return how many parts of one size are worth as much as those of `sizes`, shape (k,).

    (Sum of sizes)^2 / sum of squared sizes (Kish 1965; Satterthwaite 1946); 0 of nothing.

    >>> effective_number(np.array([1.0, 1, 1, 1])), effective_number(np.array([3.0, 1]))
    (4.0, 1.6)
    """
    squares = float(sizes @ sizes)
    return float(sizes.sum()) ** 2 / squares if squares > 0 else 0.0


def mean_of_known(values: Sequence[Floats]) -> Floats:
    """Return the mean over arrays of one shape, of those that are not NaN; NaN where all are.

    >>> mean_of_known([np.array([1.0, np.nan]), np.array([2.0, np.nan])])
    array([1.5, nan])
    """
    stacked = np.stack(values)
    known = np.isfinite(stacked)
    return safe_divide(np.where(known, stacked, 0.0).sum(axis=0), known.sum(axis=0))
