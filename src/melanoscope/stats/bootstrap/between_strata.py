"""The variance that a stratified bootstrap lacks: how many groups hold a class is chance, too."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from melanoscope.stats.arrays import Codes, Floats

# Step of the weights' logarithm for the derivative.
_STEP = 0.01


class Weighted(Protocol):
    """The metrics of one network under weights of its groups."""

    estimate: dict[str, float]

    def compute(self, weights: Floats) -> dict[str, Floats]:
        """Return metric -> shape (replicates,) under `weights` of shape (groups, replicates)."""


def between_strata_shifts(network: Weighted, kind: Codes) -> dict[str, Floats]:
    """Return what chance in the number of groups of each kind moves each metric by.

    Replicates keep those numbers. With G groups drawn at random the variance of a metric is that
    within the strata, which the bootstrap has, and that between them (Cochran 1977, section 5.6):
    by the delta method the sum over kinds of D^2 / G_kind, with D the derivative of the metric by
    the logarithm of the weight of the groups of a kind. Of two kinds both derivatives are alike but
    for their sign, and the sum is D^2 (1 / G1 + 1 / G0): the bracket is the variance of the log
    odds that a group holds a positive. AUROC hardly depends on it; AUPRC, accuracy and F1 do (Boyd,
    Eng & Page 2013 give intervals of AUPRC for a given number of positives).

    Args:
        network: The metrics under weights of the groups.
        kind: Which class each group counts for, as `group_weights.group_kind` has it, shape
            (groups,).

    Returns:
        Metric -> D / root of G_kind of each kind, shape (kinds,): their sum of squares is the
        variance to be added, and that of the difference of two networks' is the one to be added
        for their paired difference. 0 where there is one kind only.
    """
    kinds, sizes = np.unique(kind, return_counts=True)
    if kinds.size < 2:
        return {metric: np.zeros(1) for metric in network.estimate}
    mine = (kind[:, None] == kinds).astype(np.float64)
    up, down = (network.compute(np.exp(step * mine)) for step in (_STEP, -_STEP))
    return {
        metric: (up[metric] - down[metric]) / (2 * _STEP) / np.sqrt(sizes)
        for metric in network.estimate
    }
