"""Pairs of a melanoma of one level and another lesion of another level, for all levels at once.

Levels are archives, or the levels of a subgroup variable. The share of right pairs within a level,
within any set of levels, or across two follows from sums, so that the groups are weighted once for
all of them. Pairs are first added up to groups: then a replicate is a matrix product, w' M w.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.predictions import Codes, Floats, Predictions

# Pairs of photographs looked at in one step: 16 MB.
_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class PairwiseAuroc:
    """Weights of pairs within a part, by the levels of both: (levels, levels, 1 + replicates).

    The first index is the melanoma's level, the second the other lesion's; the last one holds the
    sample itself at 0, then the replicates.

    Attributes:
        right: Pairs in which the melanoma scores higher; ties count half.
        total: All pairs.
    """

    right: Floats
    total: Floats

    def auroc(self, levels: Sequence[int]) -> tuple[float, Floats]:
        """Share of right pairs among the photographs of some levels, and its replicates.

        Replicates without a pair are NaN.

        Raises:
            StatisticsError: The sample has no pair.
        """
        inside = np.ix_(levels, levels)
        return _share(self.right[inside].sum(axis=(0, 1)), self.total[inside].sum(axis=(0, 1)))

    def within(self) -> tuple[float, Floats]:
        """Share of right pairs whose photographs are of one level, and its replicates.

        Replicates without a pair are NaN.

        Raises:
            StatisticsError: The sample has no such pair.
        """
        return _share(np.einsum("aar->r", self.right), np.einsum("aar->r", self.total))


def _share(right: Floats, total: Floats) -> tuple[float, Floats]:
    if not total[0] > 0:
        raise StatisticsError(
            "a melanoma and another lesion to compare", "none in any part", "leave this subset out"
        )
    share = np.divide(right, total, out=np.full(total.shape, np.nan), where=total > 0)
    return float(share[0]), share[1:]


def pairwise_auroc(
    predictions: Predictions, draws: BootstrapWeights, level: Codes, levels: int
) -> PairwiseAuroc:
    """Weigh all pairs of a melanoma and another lesion of one part.

    Args:
        predictions: Of one network.
        draws: Of its groups.
        level: Level of each prediction, 0 to levels - 1, or -1 to leave it out; shape (n,).
        levels: How many levels there are.
    """
    row = draws.rows(predictions.group)
    shape = (levels, levels, 1 + draws.replicates)
    found = PairwiseAuroc(np.zeros(shape), np.zeros(shape))
    for part in predictions.parts:
        mine = (predictions.part == part) & (level >= 0)
        hits, others = (
            _Side.of(predictions.probability[one], row[one], level[one], draws)
            for one in (mine & (predictions.target == 1), mine & (predictions.target == 0))
        )
        if hits.score.size and others.score.size:
            _add(found, hits, others)
    return found


@dataclass(frozen=True, eq=False)
class _Side:
    """The photographs of one part and class; units are what a level holds of a group.

    Attributes:
        score: Probabilities, sorted by unit, shape (n,).
        start: Where each unit begins, shape (units,).
        size: Photographs of each unit, shape (units,).
        level: Level of each unit, ascending, shape (units,).
        weight: Of each unit in the sample and each replicate, shape (units, 1 + replicates).
    """

    score: Floats
    start: Codes
    size: Codes
    level: Codes
    weight: NDArray[np.float32]

    @staticmethod
    def of(score: Floats, row: Codes, level: Codes, draws: BootstrapWeights) -> _Side:
        groups = draws.groups.size
        unit, member, size = np.unique(
            level * groups + row, return_inverse=True, return_counts=True
        )
        weight = np.ones((unit.size, 1 + draws.replicates), np.float32)
        weight[:, 1:] = draws.weights[unit % groups]
        order = np.argsort(member, kind="stable")
        return _Side(score[order], np.cumsum(size) - size, size, unit // groups, weight)

    def by_level(self) -> Iterator[tuple[int, slice]]:
        """Yield each level with its units."""
        names, first, count = np.unique(self.level, return_index=True, return_counts=True)
        for name, begin, n in zip(names.tolist(), first.tolist(), count.tolist(), strict=True):
            yield name, slice(begin, begin + n)

    def units(self, chosen: slice) -> _Side:
        """Keep some neighbouring units."""
        start, size = self.start[chosen], self.size[chosen]
        score = self.score[start[0] : start[-1] + size[-1]]
        return _Side(score, start - start[0], size, self.level[chosen], self.weight[chosen])


def _add(found: PairwiseAuroc, hits: _Side, others: _Side) -> None:
    for a, mine in hits.by_level():
        for b, theirs in others.by_level():
            left, other = hits.units(mine), others.units(theirs)
            found.right[a, b] += _right(left, other)
            found.total[a, b] += (left.size @ left.weight) * (other.size @ other.weight)


def _right(hits: _Side, others: _Side) -> Floats:
    """Weight of right pairs, shape (1 + replicates,).

    Single precision is exact for halves below 2 ** 23, and so here; the last sum is double.
    """
    steps = max(1, round(hits.score.size * others.score.size / _AT_ONCE))
    found = np.zeros(hits.weight.shape[1])
    bounds = np.linspace(0, hits.size.size, min(steps, hits.size.size) + 1).astype(int)
    for begin, end in pairwise(bounds.tolist()):
        block = hits.units(slice(begin, end))
        above = block.score[:, None]
        wins = (above > others.score).astype(np.float32)
        wins += (above == others.score) * np.float32(0.5)
        wins = np.add.reduceat(wins, block.start, axis=0)
        wins = np.add.reduceat(wins, others.start, axis=1)
        found += (block.weight * (wins @ others.weight)).sum(axis=0, dtype=np.float64)
    return found
