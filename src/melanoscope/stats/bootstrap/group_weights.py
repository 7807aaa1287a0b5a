"""Draws of whole groups with replacement, shared by everything that is to be compared.

The unit is the group (patient, lesion, near-duplicates), since photographs of one patient are not
independent: Davison & Hinkley (1997), section 3.8. Groups are drawn within strata, so that no
replicate lacks a class and folds keep their share.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.stats.predictions import Codes, Predictions

REPLICATES = 2000


@dataclass(frozen=True, eq=False)
class BootstrapWeights:
    """How often each group was drawn in each replicate.

    Attributes:
        groups: Codes of the groups, ascending, shape (g,).
        counts: Shape (replicates, g), uint8.
        seed: Of the draws; two results can be paired only when they share seed and groups.
    """

    groups: Codes
    counts: NDArray[np.uint8]
    seed: int

    @cached_property
    def weights(self) -> NDArray[np.float32]:
        """The counts the other way round, shape (g, replicates)."""
        return np.ascontiguousarray(self.counts.T, np.float32)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return int(self.counts.shape[0])

    def rows(self, group: Codes) -> Codes:
        """Position in `groups` of each code, shape as given.

        Raises:
            StatisticsError: A group that was not drawn.
        """
        position = np.minimum(np.searchsorted(self.groups, group), self.groups.size - 1)
        if not np.array_equal(self.groups[position], group):
            raise StatisticsError(
                "networks tested on the photographs of one run",
                "a group that the draws do not hold",
                "do not mix runs in one comparison",
            )
        return position.astype(np.int64)


def draw_group_weights(
    predictions: Predictions, *, replicates: int = REPLICATES, seed: int = 0
) -> BootstrapWeights:
    """Draw groups within strata: first part a group is tested in, and whether it has a melanoma.

    Args:
        predictions: Of any network of the run.
        replicates: How many draws.
        seed: Equal seeds give equal draws for equal groups.

    Raises:
        StatisticsError: Fewer than two groups hold a class: nothing varies then.
    """
    if replicates < 2:
        raise StatisticsError("at least 2 replicates", str(replicates), "use 2000")
    groups, member = np.unique(predictions.group, return_inverse=True)
    home = np.full(groups.size, np.iinfo(np.int64).max)
    np.minimum.at(home, member, predictions.part)
    holds = np.zeros(groups.size, bool)
    np.logical_or.at(holds, member, predictions.target == 1)
    for what, outcome in (("melanomas", 1), ("other lesions", 0)):
        n = np.unique(member[predictions.target == outcome]).size
        if n < 2:
            raise StatisticsError(
                f"at least 2 groups (patients) with {what}",
                str(n),
                "use more patients: an interval needs some that vary",
            )
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
