"""Checks of arguments that several statistics share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats

FEWEST_GROUPS = 10
"""Least number of groups of either class that an interval is given for."""


def check_prevalence(prevalence: float) -> None:
    """Refuse a `prevalence` that is not between 0 and 1."""
    if not 0 < prevalence < 1:
        raise StatisticsError("a prevalence between 0 and 1", repr(prevalence), "state it as 0.018")


def check_probability(probability: ArrayLike) -> Floats:
    """Return `probability` as floats of its own shape; refuse NaN and values outside 0..1."""
    values = np.asarray(probability, np.float64)
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        raise StatisticsError(
            "probabilities between 0 and 1",
            f"{int(wrong.sum())} outside or NaN, the first {float(values[wrong][0])!r}",
            "check whether logits were passed, or whether training diverged",
        )
    return values


def check_both_classes(target: Codes) -> None:
    """Refuse a `target` of shape (n,) that holds one class only."""
    if np.unique(target).size < 2:
        raise StatisticsError("both positives and negatives", "one class", "use more photographs")


def check_target_and_probability(
    target: ArrayLike, probability: ArrayLike
) -> tuple[Booleans, Floats]:
    """Return `target` as booleans and `probability` as floats, both (n,); refuse all others."""
    outcome, score = np.asarray(target), np.asarray(probability)
    if outcome.ndim != 1 or outcome.shape != score.shape:
        raise StatisticsError(
            "targets and probabilities of one shape (n,)",
            f"shapes {outcome.shape} and {score.shape}",
            "pass one probability per photograph",
        )
    if score.dtype.kind != "f":
        raise StatisticsError(
            "probabilities as floating point",
            f"{score.dtype}, which can only be hard labels",
            "pass the probabilities before any threshold",
        )
    if outcome.dtype.kind not in "buif" or not np.isin(outcome, (0, 1)).all():
        raise StatisticsError(
            "targets that are 0 or 1", f"other values ({outcome.dtype})", "check the target column"
        )
    checked = check_probability(score)
    positive = outcome.astype(bool)
    if positive.all() or not positive.any():
        raise StatisticsError(
            "both positives and negatives",
            f"{int(positive.sum())} positives among {positive.size} photographs",
            "use fewer folds or more photographs",
        )
    return positive, checked


def check_no_hard_labels(score: Floats) -> None:
    """Refuse a `score`, (n,), that holds only 0 and 1: decisions, whose ranking says little."""
    if np.isin(score, (0.0, 1.0)).all():
        raise StatisticsError(
            "probabilities, to rank photographs by",
            "only 0 and 1, as of rounded predictions",
            "pass the probabilities before any threshold, or check whether training diverged",
        )


def check_fold_results(values: ArrayLike) -> Floats:
    """Return `values`, one result per fold and repeat, as finite floats of shape (J,), J >= 2."""
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or sample.size < 2 or not np.isfinite(sample).all():
        raise StatisticsError(
            "at least two finite results, one per fold",
            f"{sample.tolist()}",
            "run two folds or more, and check the cells' predictions",
        )
    return sample


def number_groups(group: ArrayLike, n: int, what: str = "groups") -> Codes:
    """Number the groups (patients, archives) of `n` photographs, given by name or code, from 0."""
    codes = np.asarray(group)
    if codes.shape != (n,):
        raise StatisticsError(f"{what} of shape ({n},)", f"shape {codes.shape}", "pass one each")
    if codes.dtype.kind == "O" and any(one is None for one in codes.tolist()):
        raise StatisticsError("a group for every photograph", "None", "give it one of its own")
    if codes.dtype.kind == "f" and np.isnan(codes).any():
        raise StatisticsError("a group for every photograph", "NaN", "give it one of its own")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def check_enough_groups(member: Codes, positive: Booleans) -> None:
    """Refuse a class that fewer than `FEWEST_GROUPS` groups, numbered by `member`, (n,), hold."""
    for side, lesions in ((positive, "positives"), (~positive, "negatives")):
        holders = np.unique(member[side]).size
        if holders < FEWEST_GROUPS:
            raise StatisticsError(
                f"at least {FEWEST_GROUPS} groups (patients) with {lesions} for an interval",
                str(holders),
                "use more patients",
            )


def check_enough_groups_of_classes(member: Codes, target: Codes) -> None:
    """Refuse a class, 0 to k - 1, that fewer than `FEWEST_GROUPS` groups, numbered, hold."""
    pairs = np.unique(np.stack([target, member]), axis=1)[0]
    holders = np.bincount(pairs)
    if holders.min() < FEWEST_GROUPS:
        raise StatisticsError(
            f"at least {FEWEST_GROUPS} groups (patients) of every class for an interval",
            f"{holders.min()} of class {holders.argmin()}",
            "use more patients, or leave out or join rare classes",
        )


def check_two_units(member: Codes, positive: Booleans, unit: str) -> None:
    """Refuse a class that fewer than two of the units `member`, shape (n,), hold."""
    for side, lesions in ((positive, "positives"), (~positive, "negatives")):
        holders = np.unique(member[side]).size
        if holders < 2:
            raise StatisticsError(
                f"at least 2 {unit} with {lesions}",
                str(holders),
                f"use more {unit}: an interval needs some that vary",
            )
