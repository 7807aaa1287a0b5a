"""Bootstrap weights of whole groups, shared by everything that is to be compared.

The unit is the group (patient, lesion, near-duplicates), since photographs of one patient are not
independent: Davison & Hinkley (1997), section 3.8. Groups are sampled within strata, so that no
replicate lacks a class and folds keep their share.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_two_units

REPLICATES = 2000


@dataclass(frozen=True, eq=False)
class BootstrapWeights:
    """How often each group was sampled in each replicate.

    Attributes:
        groups: Codes of the groups, ascending, shape (g,).
        counts: Times that each group was sampled, shape (replicates, g), uint8.
        seed: Seed of the sampling; two results can be paired only when they share seed and groups.
    """

    groups: Codes
    counts: NDArray[np.uint8]
    seed: int

    @cached_property
    def matrix(self) -> NDArray[np.float32]:
        """The counts as a factor of matrix products, shape (g, replicates)."""
        return np.ascontiguousarray(self.counts.T, np.float32)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return int(self.counts.shape[0])

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
        # Single precision counts photographs exactly, and is faster.
        replicates = by_group.astype(np.float32) @ self.matrix
        return np.concatenate([by_group.sum(axis=1, keepdims=True), replicates], axis=1)


def sample_group_weights(
    predictions: Predictions, *, replicates: int = REPLICATES, seed: int = 0
) -> BootstrapWeights:
    """Sample the groups of a run's `predictions` with replacement, within strata."""
    # Strata: the first fold that a group is tested in, and whether it holds a positive.
    if replicates < 2:
        raise StatisticsError("at least 2 replicates", str(replicates), "use 2000")
    groups, member = np.unique(predictions.group, return_inverse=True)
    home = np.full(groups.size, np.iinfo(np.int64).max)
    np.minimum.at(home, member, predictions.fold_id)
    holds = np.bincount(member, predictions.target) > 0
    check_two_units(member, predictions.target == 1, "groups (patients)")
    strata = np.unique(np.stack([home, holds]), axis=1, return_inverse=True)[1].ravel()
    rng = np.random.default_rng(seed)
    counts = np.zeros((replicates, groups.size), np.uint8)
    for stratum in range(int(strata.max()) + 1):
        inside = np.flatnonzero(strata == stratum)
        picked = rng.integers(0, inside.size, (replicates, inside.size))
        picked += np.arange(replicates)[:, None] * inside.size
        times = np.bincount(picked.ravel(), minlength=replicates * inside.size)
        counts[:, inside] = times.reshape(replicates, inside.size)
    return BootstrapWeights(groups, counts, seed)
