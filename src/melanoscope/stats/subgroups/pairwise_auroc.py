"""Pairs of a positive of one level and a negative of another level, for all levels at once.

Levels are archives, or the levels of a subgroup variable. The share of right pairs within a level,
within any set of levels, or across two follows from sums, so that the groups are weighted once for
all of them. Pairs are first added up to groups: then a replicate is a matrix product, w' M w.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats, safe_divide
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.predictions import Predictions

# Pairs of photographs looked at in one step: 16 MB.
_PAIRS_PER_STEP = 4_000_000


@dataclass(frozen=True, eq=False)
class PairwiseAuroc:
    """Weights of the pairs of a positive and a negative of one fold, by the levels of both.

    Attributes:
        right: Weight of pairs in which the positive scores higher (ties count half), shape
            (levels, levels, 1 + replicates): level of the positive, level of the negative, and
            the sample itself before the replicates.
        total: Weight of all pairs, of the same shape.
    """

    right: Floats
    total: Floats

    def auroc(self, levels: Sequence[int]) -> tuple[float, Floats]:
        """Return the share of right pairs among photographs of `levels`, and its replicates."""
        inside = np.ix_(levels, levels)
        return _share(self.right[inside].sum(axis=(0, 1)), self.total[inside].sum(axis=(0, 1)))

    def within(self) -> tuple[float, Floats]:
        """Return the share of right pairs among pairs of one level, and its replicates."""
        return _share(np.einsum("aar->r", self.right), np.einsum("aar->r", self.total))


def _share(right: Floats, total: Floats) -> tuple[float, Floats]:
    if not total[0] > 0:
        raise StatisticsError(
            "a positive and a negative to compare", "none in any fold", "leave this subset out"
        )
    share = safe_divide(right, total)
    return float(share[0]), share[1:]


def pairwise_auroc(
    predictions: Predictions, weights: BootstrapWeights, level: Codes, levels: int
) -> PairwiseAuroc:
    """Weigh all pairs within a fold by `level`, (n,): 0 to `levels` - 1, or -1 to leave one out."""
    position = weights.positions(predictions.group)
    shape = (levels, levels, 1 + weights.replicates)
    pairs = PairwiseAuroc(np.zeros(shape), np.zeros(shape))
    for fold in predictions.fold_ids:
        inside = (predictions.fold_id == fold) & (level >= 0)
        positives, others = (
            _Side.of(predictions.probability[side], position[side], level[side], weights)
            for side in (inside & (predictions.target == 1), inside & (predictions.target == 0))
        )
        if positives.score.size and others.score.size:
            _add(pairs, positives, others)
    return pairs


@dataclass(frozen=True, eq=False)
class _Side:
    """The photographs of one fold and class; a unit is what one level holds of one group.

    Attributes:
        score: Probabilities, sorted by unit, shape (n,).
        start: Where each unit begins, shape (units,).
        size: Number of photographs of each unit, shape (units,).
        level: Level of each unit, ascending, shape (units,).
        weight: Weight of each unit in the sample and each replicate, shape (units, 1 + replicates).
    """

    score: Floats
    start: Codes
    size: Codes
    level: Codes
    weight: Floats

    @staticmethod
    def of(score: Floats, position: Codes, level: Codes, weights: BootstrapWeights) -> _Side:
        groups = weights.groups.size
        unit, member, size = np.unique(
            level * groups + position, return_inverse=True, return_counts=True
        )
        weight = np.ones((unit.size, 1 + weights.replicates))
        weight[:, 1:] = weights.of_groups(unit % groups)
        order = np.argsort(member, kind="stable")
        return _Side(score[order], np.cumsum(size) - size, size, unit // groups, weight)

    def by_level(self) -> Iterator[tuple[int, _Side]]:
        """Yield each level with its units."""
        levels, first, count = np.unique(self.level, return_index=True, return_counts=True)
        for level, begin, n in zip(levels.tolist(), first.tolist(), count.tolist(), strict=True):
            yield level, self.units(slice(begin, begin + n))

    def units(self, chosen: slice) -> _Side:
        """Keep some neighbouring units."""
        start, size = self.start[chosen], self.size[chosen]
        score = self.score[start[0] : start[-1] + size[-1]]
        return _Side(score, start - start[0], size, self.level[chosen], self.weight[chosen])


def _add(pairs: PairwiseAuroc, positives: _Side, others: _Side) -> None:
    for a, mine in positives.by_level():
        for b, theirs in others.by_level():
            pairs.right[a, b] += _right(mine, theirs)
            pairs.total[a, b] += (mine.size @ mine.weight) * (theirs.size @ theirs.weight)


def _right(positives: _Side, others: _Side) -> Floats:
    """Add up the weights of right pairs: shape (1 + replicates,)."""
    steps = max(1, round(positives.score.size * others.score.size / _PAIRS_PER_STEP))
    right = np.zeros(positives.weight.shape[1])
    units = positives.size.size
    bounds = np.linspace(0, units, min(steps, units) + 1).astype(int)
    for begin, end in pairwise(bounds.tolist()):
        block = positives.units(slice(begin, end))
        above = block.score[:, None]
        wins = (above > others.score).astype(np.float64)
        wins += (above == others.score) * 0.5
        wins = np.add.reduceat(wins, block.start, axis=0)
        wins = np.add.reduceat(wins, others.start, axis=1)
        right += (block.weight * (wins @ others.weight)).sum(axis=0)
    return right
