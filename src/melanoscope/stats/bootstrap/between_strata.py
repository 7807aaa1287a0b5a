"""The variance that a stratified bootstrap lacks: how many groups hold positives is chance, too."""

from __future__ import annotations

import numpy as np

from melanoscope.stats.arrays import Booleans
from melanoscope.stats.bootstrap.weighted_metrics import WeightedMetrics

# Step of the weights' logarithm for the derivative.
_STEP = 0.01


def between_strata_variance(network: WeightedMetrics, holds: Booleans) -> dict[str, float]:
    """Return what chance in the number of groups that hold positives adds to each variance.

    Replicates keep that number. With G groups drawn at random the variance of a metric is that
    within the strata, which the bootstrap has, and that between them (Cochran 1977, section 5.6),
    by the delta method (D^2) (1 / G1 + 1 / G0): the bracket is the variance of the log odds that a
    group holds a positive, and D the derivative of the metric by that log odds, with the weights of
    G1 groups times e^h. AUROC hardly depends on it; AUPRC, accuracy and F1 do (Boyd, Eng & Page
    2013 give intervals of AUPRC for a given number of positives).

    Args:
        network: The metrics under weights of the groups.
        holds: Whether each group holds a positive, shape (groups,).

    Returns:
        Metric -> the variance to be added; 0 where there is one stratum only.
    """
    n_holds = int(holds.sum())
    if n_holds in (0, holds.size):
        return dict.fromkeys(network.estimate, 0.0)
    tilted = np.where(holds[:, None], np.exp([_STEP, -_STEP]), 1.0)
    log_odds_variance = 1 / n_holds + 1 / (holds.size - n_holds)
    return {
        metric: float(((up - down) / (2 * _STEP)) ** 2 * log_odds_variance)
        for metric, (up, down) in network.compute(tilted).items()
    }
