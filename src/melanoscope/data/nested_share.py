"""A share of the groups, drawn so that a smaller share is part of a larger one.

For learning curves: both classes shrink alike, and whole groups are taken, so that the photographs
that are left are what fewer patients would have brought.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melanoscope.data.folds import count_classes
from melanoscope.errors import DataError


def nested_share(
    groups: Sequence[str], targets: Sequence[int] | NDArray[np.int8], share: float, seed: int
) -> NDArray[np.bool_]:
    """Mark about a share of the photographs, whole groups at a time.

    Groups stand in one random order, those with a positive and the others apart. Of the former so
    many are taken that the share of the positives comes nearest, of the latter of the photographs;
    of each at least one.

    Args:
        groups: Name of each photograph's group, length n.
        targets: 0 or 1 for each photograph, length n.
        share: Share to mark, above 0, to 1.
        seed: Seed of the order. By one seed, what a smaller share marks a larger one marks, too.

    Returns:
        True for each photograph that is taken, shape (n,).

    Raises:
        DataError: The share is out of range, or what it marks is of one class.

    >>> groups, targets = list("aabbccddee"), [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]
    >>> nested_share(groups, targets, 0.5, seed=0).sum()
    4
    >>> bool(nested_share(groups, targets, 1, seed=0).all())
    True
    """
    if not 0 < share <= 1:
        raise DataError("a share above 0, to 1", f"{share}", "state a tenth as 0.1")
    counts, group_of = count_classes(groups, targets)
    order = np.random.default_rng(seed).permutation(len(counts))
    taken = np.zeros(len(counts), bool)
    holds = counts[order, 1] > 0
    for stratum, weight in ((order[holds], counts[:, 1]), (order[~holds], counts.sum(axis=1))):
        if stratum.size:
            reached = np.cumsum(weight[stratum])
            nearest = int(np.abs(reached - share * reached[-1]).argmin())
            taken[stratum[: nearest + 1]] = True
    marked: NDArray[np.bool_] = taken[group_of]
    positives = int(np.asarray(targets)[marked].sum())
    if positives in (0, int(marked.sum())):
        raise DataError(
            f"photographs of both classes in a share of {share:g}",
            f"{positives} positive of {int(marked.sum())}",
            "use larger shares, or add photographs",
        )
    return marked
