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
        groups: Group of each photograph, length n.
        targets: 0 or 1 for each photograph, length n.
        n_folds: Number of folds, at least 2.
        seed: Another seed gives another division among groups of one size.

    Returns:
        Array of shape (n,): the fold of each photograph, 0 to n_folds - 1.

    Raises:
        DataError: One class only, or fewer groups than such folds need.
    """
    counts, member = _count(groups, targets)
    _refuse_impossible(counts, n_folds)

    shuffled = np.random.default_rng(seed).permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled].sum(axis=1), kind="stable")]
    fold_of = np.full(len(counts), -1, np.int64)
    for fold, unit in enumerate(_seed_units(counts, order, n_folds)):
        fold_of[unit] = fold

    share = counts / counts.sum(axis=0)
    load = np.zeros((n_folds, 2))
    np.add.at(load, fold_of[fold_of >= 0], share[fold_of >= 0])
    for group in order[fold_of[order] < 0]:
        added = ((load + share[group]) ** 2 - load**2).sum(axis=1)
        fold_of[group] = fold = int(added.argmin())
        load[fold] += share[group]

    folds = fold_of[member]
    check_folds(groups, np.asarray(targets, np.int64), folds, n_folds)
    return folds


def hold_out(
    groups: Sequence[str], targets: Sequence[int] | NDArray[np.int8], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """Mark about a fraction (above 0, to 0.5) of the photographs, whole groups with both classes.

    Where few groups hold a class, so that so small a part with both is not to be had, the part is
    larger, up to a half.

    Raises:
        DataError: As `assign_folds` with 2 folds.
    """
    parts = min(round(1 / fraction), _most_folds(_count(groups, targets)[0]))
    return np.equal(assign_folds(groups, targets, max(2, parts), seed), 0)


def check_folds(
    groups: Sequence[str],
    targets: NDArray[np.int64],
    folds: NDArray[np.int64],
    n_folds: int,
) -> None:
    """Refuse folds that split a group, or of which one is empty or lacks a class.

    Raises:
        DataError: Names the first group or fold at fault.
    """
    home: dict[str, int] = {}
    for group, fold in zip(groups, folds, strict=True):
        if home.setdefault(group, fold) != fold:
            raise DataError("each group in one fold", f"'{group}' in two", "assign folds by group")
    for fold in range(n_folds):
        melanomas = int(targets[folds == fold].sum())
        photographs = int((folds == fold).sum())
        if not 0 < melanomas < photographs:
            raise DataError(
                "both classes in every fold",
                f"{melanomas} melanomas among {photographs} photographs of fold {fold}",
                "use fewer folds or more photographs",
            )


def _count(
    groups: Sequence[str], targets: Sequence[int] | NDArray[np.int8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each group's photographs by class, shape (groups, 2), and each photograph's group."""
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.zeros((len(names), 2), np.int64)
    np.add.at(counts, (member, np.asarray(targets, np.int64)), 1)
    return counts, member


def _most_folds(counts: NDArray[np.int64]) -> int:
    """A division exists if and only if mixed + min(pure positive, pure negative) >= folds."""
    mixed = (counts > 0).all(axis=1).sum()
    return int(mixed + (counts == 0).sum(axis=0).min())


def _refuse_impossible(counts: NDArray[np.int64], n_folds: int) -> None:
    if n_folds < 2:
        raise DataError("at least 2 folds", str(n_folds), "ask for more folds")
    negatives, positives = counts.sum(axis=0)
    if not positives or not negatives:
        raise DataError(
            "photographs of both classes",
            f"{positives} melanomas and {negatives} others",
            "add the missing class",
        )
    mixed = int(((counts > 0).all(axis=1)).sum())
    pure_positive = int((counts[:, 0] == 0).sum())
    pure_negative = int((counts[:, 1] == 0).sum())
    if _most_folds(counts) < n_folds:
        raise DataError(
            f"groups (patients, lesions, duplicates) of both classes for {n_folds} folds",
            f"{pure_positive} with melanomas only, {pure_negative} with none, {mixed} with both",
            f"use at most {_most_folds(counts)} folds or add photographs",
        )


def _seed_units(
    counts: NDArray[np.int64], order: NDArray[np.int64], n_folds: int
) -> list[list[int]]:
    mixed = [int(g) for g in order if counts[g].all()]
    positive = [int(g) for g in order if not counts[g, 0]]
    negative = [int(g) for g in order if not counts[g, 1]]
    units = [[g] for g in mixed] + [list(pair) for pair in zip(positive, negative, strict=False)]
    return units[:n_folds]
