"""Bootstrap weights of whole groups, shared by everything that is to be compared.

The unit is the group (patient, lesion, near-duplicates), since photographs of one patient are not
independent: Davison & Hinkley (1997), section 3.8. Groups are sampled within strata, so that folds
keep their share, by the rescaling bootstrap of Rao & Wu (1988), section 2: of the n groups of a
stratum n - 1 are drawn, and count n / (n - 1) times. Drawing n would make the variance of strata
with few groups too small by one part in n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.multiclass_predictions import AnyPredictions
from melanoscope.stats.validation import check_two_units

REPLICATES = 2000
# The replicates of a block follow from the seed and the block's number alone. A fold's sums under
# so many weights stay in the processor's cache.
BLOCK = 50
# Weights of fewer elements are kept, 256 MB; others are drawn anew, block by block.
_MOST_KEPT = 32_000_000


@dataclass(frozen=True, eq=False)
class BootstrapWeights:
    """How much each group weighs in each replicate.

    Attributes:
        groups: Codes of the groups, ascending, shape (g,).
        stratum: Stratum of each group, numbered from 0, shape (g,); each holds two groups or more.
        replicates: Number of replicates.
        seed: Seed of the sampling; two results can be paired only when they share seed and groups.
    """

    groups: Codes
    stratum: Codes
    replicates: int
    seed: int

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """Yield the replicates of each block with the weights in them, shape (g, block)."""
        for start in range(0, self.replicates, BLOCK):
            span = slice(start, min(start + BLOCK, self.replicates))
            kept = self.groups.size * self.replicates <= _MOST_KEPT
            yield span, self._kept[span.start // BLOCK] if kept else self._sample(span)

    @cached_property
    def _kept(self) -> list[Floats]:
        starts = range(0, self.replicates, BLOCK)
        return [self._sample(slice(s, min(s + BLOCK, self.replicates))) for s in starts]

    def _sample(self, span: slice) -> Floats:
        rng = np.random.default_rng((self.seed, span.start // BLOCK))
        weights = np.empty((self.groups.size, span.stop - span.start))
        for members in self._members:
            n, k = members.size, weights.shape[1]
            # All replicates of a block are drawn, so that fewer in the last one are the same.
            picked = rng.integers(0, n, (BLOCK, n - 1))[:k] + n * np.arange(k)[:, None]
            times = np.bincount(picked.ravel(), minlength=n * k).reshape(k, n)
            weights[members] = times.T * (n / (n - 1))
        return weights

    @cached_property
    def _members(self) -> list[Codes]:
        order = np.argsort(self.stratum, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.stratum[order])) + 1)

    def positions(self, group: Codes) -> Codes:
        """Return the position in `groups` of each code of `group`; refuse one without weights."""
        position = np.minimum(np.searchsorted(self.groups, group), self.groups.size - 1)
        if not np.array_equal(self.groups[position], group):
            raise StatisticsError(
                "networks tested on the photographs of one run",
                "a group that the draws do not hold",
                "do not mix runs in one comparison",
            )
        return position.astype(np.int64)

    def by_group(self, group: Codes, columns: Iterable[Floats | Booleans]) -> Floats:
        """Add up k `columns` of shape (n,) by the `group` of each prediction: shape (k, g)."""
        position = self.positions(group)
        return np.stack([np.bincount(position, column, self.groups.size) for column in columns])

    def totals(self, group: Codes, columns: Iterable[Booleans]) -> Floats:
        """Count `columns` of marks in the sample and in each replicate: (k, 1 + replicates)."""
        by_group = self.by_group(group, columns)
        totals = np.empty((by_group.shape[0], 1 + self.replicates))
        totals[:, 0] = by_group.sum(axis=1)
        for span, weights in self.blocks():
            totals[:, 1:][:, span] = by_group @ weights
        return totals


def sample_group_weights(
    predictions: AnyPredictions, *, replicates: int = REPLICATES, seed: int = 0
) -> BootstrapWeights:
    """Sample the groups of a run's `predictions` with replacement, within strata."""
    # Strata: the first fold that a group is tested in, and the class that it counts for.
    if replicates < 2:
        raise StatisticsError("at least 2 replicates", str(replicates), "use 2000")
    groups, member = np.unique(predictions.group, return_inverse=True)
    home = np.full(groups.size, np.iinfo(np.int64).max)
    np.minimum.at(home, member, predictions.fold_id)
    for outcome in range(1, max(2, int(predictions.target.max()) + 1)):
        check_two_units(member, predictions.target == outcome, "groups (patients)")
    kind = group_kind(predictions.target, member)
    return BootstrapWeights(groups, _strata(home, kind), replicates, seed)


def group_kind(target: Codes, member: Codes) -> Codes:
    """Return the class that each group counts for: the rarest among those of its photographs.

    So every class, the rarest first, keeps nearly its number of groups in all replicates, and none
    goes missing. Of two classes it is 1, the positives, as soon as a group holds one.

    Args:
        target: Class of each photograph, from 0, shape (n,).
        member: Number of each photograph's group, from 0, shape (n,).

    Returns:
        Class of each group, shape (groups,).

    >>> target = np.array([0, 2, 0, 1, 0, 0, 1, 0])  # of class 2 there is one group only
    >>> group_kind(target, np.array([0, 0, 1, 1, 2, 3, 4, 4]))
    array([2, 1, 0, 0, 1])
    """
    classes = int(target.max()) + 1
    by_rank = np.arange(classes)
    if classes > 2:
        pairs = np.unique(np.stack([target, member]), axis=1)[0]
        by_rank = np.argsort(-np.bincount(pairs, minlength=classes), kind="stable")
    rank = np.empty(classes, np.int64)
    rank[by_rank] = np.arange(classes)
    rarest = np.zeros(int(member.max()) + 1, np.int64)
    np.maximum.at(rarest, member, rank[target])
    return by_rank[rarest].astype(np.int64)


def _strata(home: Codes, kind: Codes | Booleans) -> Codes:
    """Number the strata of groups by `home` fold and class, none of them of a single group."""
    # A group alone in its stratum would never vary, as if its patient were certain: those of one
    # class make one stratum over the folds, and one that is still alone joins the smallest of it.
    stratum = np.unique(np.stack([home, kind]), axis=1, return_inverse=True)[1].ravel()
    for outcome in np.unique(kind)[::-1]:
        mine = kind == outcome
        alone = mine & (np.bincount(stratum)[stratum] == 1)
        if not alone.any():
            continue
        stratum[alone] = stratum[alone].min()
        if alone.sum() == 1:
            others = stratum[mine & ~alone] if (mine & ~alone).any() else stratum[~mine]
            codes, sizes = np.unique(others, return_counts=True)
            stratum[alone] = codes[sizes.argmin()]
    return np.unique(stratum, return_inverse=True)[1].astype(np.int64)
