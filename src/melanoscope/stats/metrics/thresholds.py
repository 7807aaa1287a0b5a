"""Thresholds that turn a probability into a decision."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError


def highest_f1(targets: NDArray[np.int64], probabilities: NDArray[np.float64]) -> float:
    """Return the threshold with the highest F1, midway between two neighbouring probabilities.

    To be chosen on validation photographs only. Among equals the highest threshold is taken.

    Args:
        targets: 0 or 1, shape (n,).
        probabilities: Of class 1, shape (n,).

    Raises:
        StatisticsError: No photograph of class 1.

    >>> highest_f1(np.array([0, 0, 1, 1]), np.array([0.1, 0.25, 0.75, 0.9]))
    0.5
    """
    positives = int(np.sum(targets == 1))
    if not positives:
        raise StatisticsError("melanomas to choose a threshold on", "none", "use a larger part")
    order = np.argsort(-probabilities, kind="stable")
    score = probabilities[order]
    caught = np.cumsum(targets[order] == 1)
    # A threshold can only fall behind the last of several equal probabilities.
    last = np.append(score[1:] != score[:-1], True)
    called = np.arange(1, len(score) + 1)
    f1 = np.where(last, 2 * caught / (called + positives), -1.0)
    best = int(f1.argmax())
    following = score[best + 1] if best + 1 < len(score) else 0.0
    return float((score[best] + following) / 2)
