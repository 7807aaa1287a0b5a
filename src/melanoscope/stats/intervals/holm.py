"""Holm's adjustment of a family of p-values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p-values so that the chance of any false finding in the family stays below alpha.

    Holm (1979), step-down Bonferroni; valid under any dependence.

    Args:
        p_values: P-values of the family, each 0..1, shape (m,); m may be 0.

    Returns:
        Adjusted p-values in the order given, shape (m,).

    Raises:
        StatisticsError: Values outside 0..1, or another shape.

    >>> [round(float(p), 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise StatisticsError(
            "a list of p-values between 0 and 1", f"{p.tolist()}", "check the tests behind them"
        )
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
