"""AUROC of the archive's name alone, and where that cannot help: within archives, and balanced."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.intervals.clustered import ClusteredAuroc
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_target_and_probability, number_groups


def archive_prevalence(
    archive: ArrayLike, *, train_target: ArrayLike, train_archive: ArrayLike
) -> Floats:
    """Predict each photograph by its archive's share of positives among training photographs.

    Args:
        archive: Archive of each photograph to predict, shape (n,).
        train_target: 0 or 1 of each training photograph, shape (m,), m above 0.
        train_archive: Archive of each training photograph, shape (m,).

    Returns:
        The shares, shape (n,); archives that are not among the training photographs get the
        overall share.

    Raises:
        StatisticsError: No training photograph, or targets and archives of different shapes.

    >>> archive_prevalence(["a", "b", "c"], train_target=[1, 1, 0, 0], train_archive=list("aabb"))
    array([1. , 0. , 0.5])
    """
    target, known = np.asarray(train_target, np.float64), np.asarray(train_archive)
    if target.ndim != 1 or target.shape != known.shape or not target.size:
        raise StatisticsError(
            "targets and archives to learn from, of one shape (m,)",
            f"shapes {target.shape} and {known.shape}",
            "pass those of the training photographs",
        )
    share = {name: float(target[known == name].mean()) for name in np.unique(known).tolist()}
    overall = float(target.mean())
    return np.array([share.get(name, overall) for name in np.asarray(archive).tolist()])


def archive_only_auroc(target: ArrayLike, archive: ArrayLike) -> float:
    """Return the AUROC of a guess by the archive's name alone; 0.5 means it gives nothing away.

    Args:
        target: 0 or 1 of each photograph, shape (n,), both present.
        archive: Archive of each photograph, shape (n,).

    Returns:
        The AUROC of each archive's own share of positives: at least 0.5, also by chance.

    Raises:
        StatisticsError: Targets and archives of different shapes, or one class.

    >>> archive_only_auroc([0, 0, 1, 1], ["a", "a", "a", "b"])
    0.75
    """
    guess = archive_prevalence(archive, train_target=target, train_archive=archive)
    positive, score = check_target_and_probability(target, guess)
    return area_under_roc(positive, score)  # where each archive has one class, it holds 0 and 1


def within_archive_auroc(
    predictions: Predictions, archive: ArrayLike, widening: float = UNTOUCHED
) -> Interval:
    """Return the AUROC over pairs of photographs of one archive and fold.

    A guess by the archive's name gets 0.5. Each pair counts once: large archives weigh most.

    Args:
        predictions: Test predictions of one network.
        archive: Name or code of each photograph's archive, shape (n,).
        widening: Factor on the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The AUROC with its interval over groups.

    Raises:
        StatisticsError: No archive holds both classes in a fold.
    """
    codes = number_groups(archive, predictions.target.size, "archives")
    part = predictions.fold_id * (int(codes.max()) + 1) + codes
    return pooled_auroc(replace(predictions, fold_id=part), widening=widening).interval


def source_balanced_auroc(
    predictions: Predictions, archive: ArrayLike, widening: float = UNTOUCHED
) -> Interval:
    """Return the AUROC where photographs are weighted so that all archives have one prevalence.

    A guess by the archive's name gets 0.5. Unlike `within_archive_auroc` photographs of different
    archives are compared: the sum over archives a and b of w_a w_b AUROC(positives of a, others of
    b), where w is an archive's share of the photographs. Archives of one class are left out: no
    weighting can balance them.

    Args:
        predictions: Test predictions of one network.
        archive: Name or code of each photograph's archive, shape (n,).
        widening: Factor on the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The AUROC with its interval over groups; the shares w count as known.

    Raises:
        StatisticsError: No archive holds both classes, or two archives never meet in a fold.
    """
    codes = number_groups(archive, predictions.target.size, "archives")
    positives, photographs = np.bincount(codes, predictions.target), np.bincount(codes)
    mixed = ((positives > 0) & (positives < photographs))[codes]
    if not mixed.any():
        raise StatisticsError(
            "an archive with both classes", "none", "add photographs of the missing class"
        )
    kept = predictions.where(mixed)
    codes = number_groups(codes[mixed], kept.target.size)
    share = np.bincount(codes) / codes.size
    whole = pooled_auroc(kept, widening=widening)
    estimate, moves = 0.0, np.zeros_like(whole.moves)
    for a, b in product(range(share.size), repeat=2):
        pairs = _between(kept, codes, a, b)
        estimate += share[a] * share[b] * pairs.estimate
        moves += share[a] * share[b] * pairs.moves
    return replace(whole, estimate=float(estimate), moves=moves).interval


def _between(predictions: Predictions, archive: Codes, a: int, b: int) -> ClusteredAuroc:
    """Compare the positives of archive `a` with the others of archive `b`."""
    positive = predictions.target == 1
    inside = np.where(positive, archive == a, archive == b)
    try:
        return pooled_auroc(predictions, inside)
    except StatisticsError:
        raise StatisticsError(
            "photographs of all archives in one fold",
            "two archives never tested together",
            "use folds that mix the archives",
        ) from None
