"""AUROC, sensitivity and specificity of any levels of a variable, from sums made once.

Where every replicate gives the same value, because nothing was missed or the classes are separated,
the bootstrap is blind: it would report certainty. Exact bounds take its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from melanoscope.stats.bootstrap.group_bootstrap import METHOD
from melanoscope.stats.intervals.interval import Interval, percentile_bounds
from melanoscope.stats.metrics.operating_points import (
    BLIND,
    Measured,
    clopper_pearson_interval,
    share_interval,
)
from melanoscope.stats.subgroups.pairwise_auroc import PairwiseAuroc, pairwise_auroc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.predictions import Codes, Floats, Predictions


@dataclass(frozen=True, eq=False)
class SubgroupSums:
    """What all levels need; the last axis holds the sample at 0, then the replicates.

    Attributes:
        pairs: Of melanomas and others.
        counts: Melanomas called, melanomas, others not called, others; by level, shape
            (levels, 4, 1 + replicates).
        holds: Whether a group holds melanomas, and others, in a level; shape (levels, 2, groups).
        home: First part of each group, shape (groups,).
    """

    pairs: PairwiseAuroc
    counts: Floats
    holds: NDArray[np.bool_]
    home: Codes

    @staticmethod
    def of(one: Predictions, draws: BootstrapWeights, level: Codes, levels: int) -> SubgroupSums:
        """Add up a network's predictions; arguments as `pairwise_auroc`."""
        row, groups = draws.rows(one.group), draws.groups.size
        hit, called = one.target == 1, one.probability >= one.threshold
        counts = np.zeros((levels, 4, 1 + draws.replicates))
        holds = np.zeros((levels, 2, groups), bool)
        for code in range(levels):
            mine = level == code
            columns = (mine & hit & called, mine & hit, mine & ~hit & ~called, mine & ~hit)
            by_group = np.stack([np.bincount(row, column, groups) for column in columns])
            counts[code, :, 0] = by_group.sum(axis=1)
            counts[code, :, 1:] = by_group.astype(np.float32) @ draws.weights
            holds[code] = by_group[[1, 3]] > 0
        home = np.full(groups, np.iinfo(np.int64).max)
        np.minimum.at(home, row, one.part)
        return SubgroupSums(pairwise_auroc(one, draws, level, levels), counts, holds, home)

    def measure(self, metric: str, levels: list[int]) -> Measured:
        """Interval and replicates of "auroc", "sensitivity" or "specificity" over some levels.

        Raises:
            StatisticsError: No pair to compare, or none in more than one replicate of twenty.
        """
        holders: NDArray[np.bool_] = np.logical_or.reduce(self.holds[levels], axis=0)
        if metric == "auroc":
            estimate, values = self.pairs.auroc(levels)
            return self._auroc(estimate, values, holders), values
        side = ("sensitivity", "specificity").index(metric)
        right, total = self.counts[levels].sum(axis=0)[2 * side : 2 * side + 2]
        share = np.divide(right, total, out=np.full(total.shape, np.nan), where=total > 0)
        interval = share_interval(float(share[0]), share[1:], int(holders[side].sum()))
        return interval, share[1:]

    def groups(self, levels: list[int]) -> int:
        """How many groups some levels hold."""
        return int(self.holds[levels].any(axis=(0, 1)).sum())

    def _auroc(self, estimate: float, values: Floats, holders: NDArray[np.bool_]) -> Interval:
        low, high, error = percentile_bounds(values)
        groups = int(holders.any(axis=0).sum())
        if high - low > BLIND:
            return Interval(estimate, low, high, error, groups, METHOD, "groups")
        # All of m pairs that share no group are right with chance AUROC ** m at most.
        pairs = self._disjoint(holders)
        low, high = clopper_pearson_interval(estimate * pairs, pairs)
        method = "Clopper-Pearson over disjoint pairs of groups"
        return Interval(estimate, low, high, 0.0, pairs, method, "groups")

    def _disjoint(self, holders: NDArray[np.bool_]) -> int:
        """How many pairs of a melanoma and another of one part can use each group once."""
        found = 0
        for part in np.unique(self.home):
            mine = holders[:, self.home == part]
            found += min(*mine.sum(axis=1).tolist(), int(mine.any(axis=0).sum()) // 2)
        return max(found, 1)


def difference_of(a: Measured, b: Measured, n: int) -> tuple[Interval, float]:
    """Interval of a - b from joint replicates, and the two-sided p-value that it is not 0.

    p = 2 (1 + fewer of the replicates on one side of 0) / (1 + replicates), at most 1: Davison &
    Hinkley (1997), eq. 4.11, doubled. Where the bootstrap is blind for a or b, their intervals are
    squared and added (Newcombe 1998, method 10), and p is that of the confidence at which the
    result would reach 0; shared patients, not counted then, would make both smaller.

    Args:
        a: Interval and replicates of one set of levels.
        b: Of another, from the same draws.
        n: Groups in both together.
    """
    (one, first), (other, second) = a, b
    estimate = one.estimate - other.estimate
    if one.standard_error > 0 and other.standard_error > 0:
        values = first - second
        known = values[np.isfinite(values)]
        low, high = np.quantile(known, [0.025, 0.975])
        fewer = min(int((known <= 0).sum()), int((known >= 0).sum()))
        p = min(2 * (1 + fewer) / (1 + known.size), 1.0)
        error = float(known.std(ddof=1))
        return Interval(estimate, float(low), float(high), error, n, METHOD, "groups"), p
    down = float(np.hypot(one.estimate - one.low, other.high - other.estimate))
    up = float(np.hypot(one.high - one.estimate, other.estimate - other.low))
    z = float(norm.ppf(0.975))
    toward = down if estimate > 0 else up
    p = 1.0 if estimate == 0 else float(2 * norm.sf(z * abs(estimate) / toward))
    method = "Newcombe, from exact bounds"
    return Interval(estimate, estimate - down, estimate + up, toward / z, n, method, "groups"), p
