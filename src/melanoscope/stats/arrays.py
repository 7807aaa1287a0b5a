"""Types of the arrays that statistics work on, and a division that tolerates 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def safe_divide(numerator: Floats, denominator: Floats, fill: float = np.nan) -> Floats:
    """Divide two arrays of one shape; where the denominator is not above 0 the result is `fill`."""
    filled = np.full(denominator.shape, fill)
    np.divide(numerator, denominator, out=filled, where=denominator > 0)
    return filled
