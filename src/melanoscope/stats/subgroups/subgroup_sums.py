"""AUROC, sensitivity and specificity of any levels of a variable, from sums made once.

Where every replicate gives the same value, because nothing was missed or the classes are separated,
the bootstrap is blind: it would report certainty. Exact bounds take its place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.percentile import percentile_interval
from melanoscope.stats.intervals.proportion import clopper_pearson_interval, is_blind
from melanoscope.stats.metrics.operating_points import Resampled
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.pairwise_auroc import PairwiseAuroc, pairwise_auroc


@dataclass(frozen=True, eq=False)
class SubgroupSums:
    """What the metrics of all levels follow from.

    Attributes:
        pairs: Pairs of a positive and a negative, by level.
        counts: Positives called, positives, others not called, others; by level, in the sample and
            in each replicate, shape (levels, 4, 1 + replicates).
        holds: Whether a group holds positives, and others, in a level, shape (levels, 2, groups).
        home: First fold that each group is tested in, shape (groups,).
    """

    pairs: PairwiseAuroc
    counts: Floats
    holds: Booleans
    home: Codes

    @staticmethod
    def of(
        predictions: Predictions, weights: BootstrapWeights, level: Codes, levels: int
    ) -> SubgroupSums:
        """Add up `predictions` by `level`, (n,): 0 to `levels` - 1, or -1 to leave one out."""
        group, called = predictions.group, predictions.probability >= predictions.threshold
        positive = predictions.target == 1
        counts = np.zeros((levels, 4, 1 + weights.replicates))
        holds = np.zeros((levels, 2, weights.groups.size), bool)
        for code in range(levels):
            positives, others = (level == code) & positive, (level == code) & ~positive
            columns = (positives & called, positives, others & ~called, others)
            counts[code] = weights.totals(group, columns)
            holds[code] = weights.by_group(group, (positives, others)) > 0
        home = np.full(weights.groups.size, np.iinfo(np.int64).max)
        np.minimum.at(home, weights.positions(group), predictions.fold_id)
        return SubgroupSums(
            pairwise_auroc(predictions, weights, level, levels), counts, holds, home
        )

    def resampled(self, metric: str, levels: list[int]) -> Resampled:
        """Return AUROC, sensitivity or specificity over the photographs of some `levels`."""
        holders: Booleans = np.logical_or.reduce(self.holds[levels], axis=0)
        if metric == "auroc":
            estimate, replicates = self.pairs.auroc(levels)
            return Resampled(self._auroc(estimate, replicates, holders), replicates)
        side = ("sensitivity", "specificity").index(metric)
        right, total = self.counts[levels].sum(axis=0)[2 * side : 2 * side + 2]
        return Resampled.share(right, total, int(holders[side].sum()))

    def n_groups(self, levels: list[int]) -> int:
        """Count the groups that have photographs in any of `levels`."""
        return int(self.holds[levels].any(axis=(0, 1)).sum())

    def _auroc(self, estimate: float, replicates: Floats, holders: Booleans) -> Interval:
        found = percentile_interval(estimate, replicates, n=int(holders.any(axis=0).sum()))
        if not is_blind(found):
            return found
        # All of m pairs that share no group are right with chance AUROC ** m at most.
        method = "Clopper-Pearson over disjoint pairs of groups"
        return clopper_pearson_interval(estimate, self._disjoint_pairs(holders), method)

    def _disjoint_pairs(self, holders: Booleans) -> int:
        """Count the pairs of a positive and a negative of one fold that can use each group once."""
        pairs = 0
        for fold in np.unique(self.home):
            inside = holders[:, self.home == fold]
            pairs += min(*inside.sum(axis=1).tolist(), int(inside.any(axis=0).sum()) // 2)
        return max(pairs, 1)


def difference_of(a: Resampled, b: Resampled, n: int) -> tuple[Interval, float]:
    """Return a - b with its interval over `n` groups, and the two-sided p that it is not 0."""
    # p = 2 (1 + fewer of the replicates on one side of 0) / (1 + replicates), at most 1: Davison &
    # Hinkley (1997), eq. 4.11, doubled. Where the bootstrap is blind for a or b, their intervals
    # are squared and added (Newcombe 1998, method 10), and p is that of the confidence at which the
    # result would reach 0; shared patients, not counted then, would make both smaller.
    one, other = a.interval, b.interval
    estimate = one.estimate - other.estimate
    if one.standard_error > 0 and other.standard_error > 0:
        replicates = a.replicates - b.replicates
        known = replicates[np.isfinite(replicates)]
        fewer = min(int((known <= 0).sum()), int((known >= 0).sum()))
        p_value = min(2 * (1 + fewer) / (1 + known.size), 1.0)
        return percentile_interval(estimate, known, n=n), p_value
    down = float(np.hypot(one.estimate - one.low, other.high - other.estimate))
    up = float(np.hypot(one.high - one.estimate, other.estimate - other.low))
    z = float(norm.ppf(0.975))
    toward = down if estimate > 0 else up
    difference = Interval(
        estimate=estimate,
        low=estimate - down,
        high=estimate + up,
        standard_error=toward / z,
        n=n,
        method="Newcombe, from exact bounds",
        unit="groups",
    )
    return difference, 1.0 if estimate == 0 else float(2 * norm.sf(z * abs(estimate) / toward))
