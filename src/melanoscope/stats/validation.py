"""Checks of arguments that several statistics share."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats


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
        raise StatisticsError("both melanomas and others", "one class", "use more photographs")


def check_target_and_probability(
    target: ArrayLike, probability: ArrayLike
) -> tuple[Booleans, Floats]:
    """Check that outcomes and probabilities allow honest numbers.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Probability of melanoma per photograph, shape (n,), floating point, 0..1.

    Returns:
        The two arrays, as booleans and floats.

    Raises:
        StatisticsError: Other shapes, NaN, values outside the range, hard labels, or one class.
    """
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
            "both melanomas and others",
            f"{int(positive.sum())} melanomas among {positive.size} photographs",
            "use fewer folds or more photographs",
        )
    return positive, checked


def number_groups(group: ArrayLike, n: int) -> Codes:
    """Number the groups (patients, lesions) from 0.

    Args:
        group: Name or code of each photograph's group, shape (n,).
        n: Number of photographs.

    Returns:
        The group of each photograph, 0 to groups - 1, shape (n,).

    Raises:
        StatisticsError: Another shape, or NaN for a group.
    """
    codes = np.asarray(group)
    if codes.shape != (n,):
        raise StatisticsError(f"groups of shape ({n},)", f"shape {codes.shape}", "pass one each")
    if codes.dtype.kind == "f" and np.isnan(codes).any():
        raise StatisticsError("a group for every photograph", "NaN", "give it one of its own")
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
