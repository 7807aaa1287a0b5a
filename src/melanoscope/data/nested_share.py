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
    many are taken that the share of the positives comes nearest, of the latter of the photographs,
    and at least so many that both classes are there.

    Args:
        groups: Name of each photograph's group, length n.
        targets: 0 or 1 for each photograph, length n.
        share: Share to mark, above 0, to 1.
        seed: Seed of the order. By one seed, what a smaller share marks a larger one marks, too.

    Returns:
        True for each photograph that is taken, shape (n,).

    Raises:
        DataError: The share is out of range, or there is one class only.

    >>> groups, targets = list("aabbccddee"), [1, 1, 0, 0, 0, 0, 0, 0, 1, 1]
    >>> int(nested_share(groups, targets, 0.5, seed=0).sum())
    4
    >>> bool(nested_share(groups, targets, 1, seed=0).all())
    True
    """
    if not 0 < share <= 1:
        raise DataError("a share above 0, to 1", f"{share}", "state a tenth as 0.1")
    counts, group_of = count_classes(groups, targets)
    if not counts.sum(axis=0).all():
        raise DataError("photographs of both classes", "of one", "add the missing class")
    order = np.random.default_rng(seed).permutation(len(counts))
    holds = counts[order, 1] > 0
    positives, others = order[holds], order[~holds]
    n = _nearest(counts[positives, 1], share)
    if not others.size:  # all others belong to patients with a positive
        n = max(n, 1 + int((counts[positives, 0] > 0).argmax()))
    taken = np.zeros(len(counts), bool)
    taken[positives[:n]] = True
    taken[others[: _nearest(counts[others].sum(axis=1), share)]] = True
    marked: NDArray[np.bool_] = taken[group_of]
    return marked


def _nearest(sizes: NDArray[np.int64], share: float) -> int:
    """Return how many of the first groups come nearest to a share of all, at least one of any."""
    if not sizes.size:
        return 0
    reached = np.cumsum(sizes)
    return 1 + int(np.abs(reached - share * reached[-1]).argmin())
