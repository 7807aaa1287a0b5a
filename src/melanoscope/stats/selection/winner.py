"""How much the best of several networks is flattered by having been chosen for its result.

Tsamardinos, Greasidou & Borboudakis (2018), "Bootstrapping the out-of-sample predictions for
efficient and accurate cross-validation", Machine Learning 107:1895-1922 (BBC-CV): in each replicate
the best is chosen anew, and valued on the patients that the replicate left out. That value is taken
to the first order here, as 2 x estimate - replicate, so that no fold lacks a class: what a
replicate holds too much of, the rest lacks. It is right among equals where the folds show no chance
in training, and else rather too large: networks differ less in truth than in their results.
"""

from __future__ import annotations

import numpy as np

from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.wald import ROUNDING
from melanoscope.stats.selection.paired_differences import PairedDifferences, without_gaps


def winners_flattery(estimate: Floats, replicates: Floats, differences: PairedDifferences) -> float:
    """Estimate by how much the largest of k estimates is above what its network would reach anew.

    Args:
        estimate: Metric of each network, shape (k,), k at least 2.
        replicates: The same in each replicate of one bootstrap, shape (k, r), as for
            `paired_differences`.
        differences: Their differences by `paired_differences`; replicates spread too little for
            cross-validation, and are spread as these errors say.

    Returns:
        The bias of the largest estimate, 0 or more.
    """
    seen = (differences.replicated_error**2).sum()
    if seen <= ROUNDING**2:
        return 0.0
    replicates = without_gaps(replicates)
    spread = np.sqrt((differences.standard_error**2).sum() / seen)
    deviations = spread * (replicates - replicates.mean(axis=1, keepdims=True))
    chosen = (estimate[:, None] + deviations).argmax(axis=0)
    left_out = estimate[chosen] - deviations[chosen, np.arange(chosen.size)]
    return max(float(estimate.max() - left_out.mean()), 0.0)
