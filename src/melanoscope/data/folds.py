"""Folds that never split a group and always hold both classes.

scikit-learn's StratifiedGroupKFold may leave a fold without a class although a better division
exists; here every division that is possible is found, and what is impossible is said.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import DataError


def assign_folds(
    groups: Sequence[str], targets: Sequence[int] | NDArray[np.int8], n_folds: int, seed: int
) -> NDArray[np.int64]:
    """Divide photographs into folds, whole groups at a time, alike in size and outcome.

    One seed unit with both classes (a mixed group, or a pair of pure ones) goes to each fold; the
    other groups follow from the largest, each to the fold where it adds least to the squared share
    of both classes.

    Args:
        groups: Name of each photograph's group, length n.
        targets: 0 or 1 for each photograph, length n.
        n_folds: Number of folds, at least 2.
        seed: Another seed gives another division among groups of one size.

    Returns:
        The fold of each photograph, 0 to n_folds - 1; shape (n,).

    Raises:
        DataError: One class only, or fewer groups than such folds need.

    Example:
        >>> assign_folds(["P1", "P1", "P2", "P3", "P4"], [0, 1, 0, 1, 0], n_folds=2, seed=0)
        array([0, 0, 1, 1, 0])
    """
    counts, group_of = count_classes(groups, targets)
    _refuse_impossible(counts, n_folds)

    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled].sum(axis=1), kind="stable")]
    fold_of = np.full(len(counts), -1, np.int64)
    for fold, unit in enumerate(_seed_units(counts, order)[:n_folds]):
        fold_of[unit] = fold

    share = counts / counts.sum(axis=0)
    load = np.zeros((n_folds, 2))
    np.add.at(load, fold_of[fold_of >= 0], share[fold_of >= 0])
    for group in order[fold_of[order] < 0]:
        added = ((load + share[group]) ** 2 - load**2).sum(axis=1)
        fold_of[group] = fold = int(added.argmin())
        load[fold] += share[group]

    return fold_of[group_of]


def hold_out(
    groups: Sequence[str], targets: Sequence[int] | NDArray[np.int8], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Mark about a fraction of the photographs, whole groups with both classes.

    Where few groups hold a class, so that no part of this size can hold both, the part is larger,
    up to a half.

    Args:
        groups: Name of each photograph's group, length n.
        targets: 0 or 1 for each photograph, length n.
        fraction: Share of the photographs to mark, above 0, to 0.5.
        seed: Another seed marks other groups.

    Returns:
        True for each photograph that is held out, shape (n,).

    Raises:
        DataError: One class only, or fewer groups than two such parts need.
    """
    n_folds = min(round(1 / fraction), _most_folds(count_classes(groups, targets)[0]))
    return np.equal(assign_folds(groups, targets, max(2, n_folds), seed), 0)


def count_classes(
    groups: Sequence[str], targets: Sequence[int] | NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each group's photographs by class, shape (groups, 2), and each photograph's group."""
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.zeros((len(names), 2), np.int64)
    np.add.at(counts, (group_of, np.asarray(targets, np.int64)), 1)
    return counts, group_of


def _most_folds(counts: NDArray[np.int64]) -> int:
    """A division exists if and only if mixed + min(pure positive, pure negative) >= folds."""
    return int((counts > 0).all(axis=1).sum() + (counts == 0).sum(axis=0).min())


def _refuse_impossible(counts: NDArray[np.int64], n_folds: int) -> None:
    if n_folds < 2:
        raise DataError("at least 2 folds", str(n_folds), "ask for more folds")
    negatives, positives = counts.sum(axis=0)
    if not positives or not negatives:
        raise DataError(
            "photographs of both classes",
            f"{positives} positive and {negatives} negative",
            "add the missing class",
        )
    if _most_folds(counts) < n_folds:
        only_positive, only_negative = (counts == 0).sum(axis=0)
        mixed = len(counts) - only_positive - only_negative
        raise DataError(
            f"groups (patients, lesions, duplicates) of both classes for {n_folds} folds",
            f"{only_positive} positive, {only_negative} negative, {mixed} of both classes",
            f"use at most {_most_folds(counts)} folds or add photographs",
        )


def _seed_units(counts: NDArray[np.int64], order: NDArray[np.int64]) -> list[list[int]]:
    """List the smallest sets of groups that hold both classes, mixed groups first."""
    mixed = [[int(g)] for g in order if counts[g].all()]
    positive = (int(g) for g in order if not counts[g, 0])
    negative = (int(g) for g in order if not counts[g, 1])
    return mixed + [list(pair) for pair in zip(positive, negative, strict=False)]
