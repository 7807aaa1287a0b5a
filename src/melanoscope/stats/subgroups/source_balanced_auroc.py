"""AUROC of the archive's name alone, and where that cannot help: within archives, and balanced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import METHOD
from melanoscope.stats.intervals.interval import Interval, percentile_bounds
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.subgroups.pairwise_auroc import pairwise_auroc

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.predictions import Codes, Floats, Predictions


def archive_prevalence(
    archive: ArrayLike, *, learnt_target: ArrayLike, learnt_archive: ArrayLike
) -> Floats:
    """Predict each photograph by its archive's share of melanomas elsewhere, shape (n,).

    Args:
        archive: Of the photographs to predict, shape (n,).
        learnt_target: 0 or 1 of those learnt from, shape (m,), m above 0.
        learnt_archive: Their archives, shape (m,). One that is not among them gets the overall
            share.

    Raises:
        StatisticsError: Nothing to learn from, or targets and archives of different shapes.

    >>> archive_prevalence(["a", "b", "c"], learnt_target=[1, 1, 0, 0], learnt_archive=list("aabb"))
    array([1. , 0. , 0.5])
    """
    target, learnt = np.asarray(learnt_target, np.float64), np.asarray(learnt_archive)
    if target.ndim != 1 or target.shape != learnt.shape or not target.size:
        raise StatisticsError(
            "targets and archives to learn from, of one shape (m,)",
            f"shapes {target.shape} and {learnt.shape}",
            "pass those of the training photographs",
        )
    share = {name: float(target[learnt == name].mean()) for name in np.unique(learnt).tolist()}
    overall = float(target.mean())
    return np.array([share.get(name, overall) for name in np.asarray(archive).tolist()])


def archive_only_auroc(
    target: ArrayLike,
    archive: ArrayLike,
    *,
    learnt_target: ArrayLike | None = None,
    learnt_archive: ArrayLike | None = None,
) -> float:
    """AUROC of a guess by the archive's name alone; 0.5 means that it gives nothing away.

    Args:
        target: 0 or 1 of the photographs to predict, shape (n,), both present.
        archive: Their archives, shape (n,).
        learnt_target: Of the training photographs, shape (m,). Without them the shares are those
            of the photographs themselves: at least 0.5 then, also by chance.
        learnt_archive: Likewise.

    Raises:
        StatisticsError: As `archive_prevalence` and `metrics.validated`.

    >>> archive_only_auroc([0, 0, 1, 1], ["a", "a", "a", "b"])
    0.75
    """
    if learnt_target is None or learnt_archive is None:
        learnt_target, learnt_archive = target, archive
    guess = archive_prevalence(archive, learnt_target=learnt_target, learnt_archive=learnt_archive)
    return auroc(target, guess)


def within_archive_auroc(
    predictions: Predictions, draws: BootstrapWeights, archive: ArrayLike
) -> Interval:
    """Compare only photographs of one archive, within a part; a guess by archive gets 0.5.

    Each pair counts once, so that large archives weigh most.

    Args:
        predictions: Of one network.
        draws: Of its groups.
        archive: Name or code of each photograph's archive, shape (n,).

    Raises:
        StatisticsError: No archive holds both classes, or too few groups for an interval.
    """
    names, codes = np.unique(_named(archive, predictions.target), return_inverse=True)
    pairs = pairwise_auroc(predictions, draws, codes.astype(np.int64), names.size)
    estimate, values = pairs.within()
    return _interval(estimate, values, predictions)


def source_balanced_auroc(
    predictions: Predictions, draws: BootstrapWeights, archive: ArrayLike
) -> Interval:
    """Weigh photographs so that every archive has the same prevalence; a guess by archive gets 0.5.

    Unlike `within_archive_auroc` photographs of different archives are compared: the sum over
    archives a and b of w_a w_b AUROC(melanomas of a, others of b), where w is an archive's share of
    the photographs. That is the AUROC under `source_balanced_weights`, with the balance kept in
    every part and replicate. Archives of one class are left out (`one_class_archives`).

    Arguments as `within_archive_auroc`.

    Raises:
        StatisticsError: No archive holds both classes, two archives never meet in a part, or too
            few groups for an interval.
    """
    weight = source_balanced_weights(predictions.target, archive)
    kept = predictions.where(weight > 0)
    names, codes = np.unique(np.asarray(archive)[weight > 0], return_inverse=True)
    pairs = pairwise_auroc(kept, draws, codes.astype(np.int64), names.size)
    if not (pairs.total[:, :, 0] > 0).all():
        raise StatisticsError(
            "photographs of all archives in one fold",
            "two archives never tested together",
            "use folds that mix the archives",
        )
    share = np.divide(
        pairs.right, pairs.total, out=np.full(pairs.total.shape, np.nan), where=pairs.total > 0
    )
    size = np.bincount(codes) / codes.size
    values = np.einsum("a,b,abr->r", size, size, share)
    return _interval(float(values[0]), values[1:], kept)


def source_balanced_weights(target: Codes, archive: ArrayLike) -> Floats:
    """Weights under which each archive has the same share of melanomas, one half; shape (n,).

    An archive's weights add up to its photographs. Archives of one class get weight 0: no weighing
    can balance them; `one_class_archives` names them.

    Raises:
        StatisticsError: No archive holds both classes.

    >>> source_balanced_weights(np.array([1, 0, 0, 0, 1]), list("aaaab")).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667, 0.0]
    """
    names = _named(archive, target)
    weight = np.zeros(target.size)
    for name in np.unique(names):
        mine = names == name
        hits = int(target[mine].sum())
        others = int(mine.sum()) - hits
        if hits and others:
            size = mine.sum() / 2
            weight[mine & (target == 1)] = size / hits
            weight[mine & (target == 0)] = size / others
    if not weight.any():
        raise StatisticsError(
            "an archive with both classes", "none", "add photographs of the missing class"
        )
    return weight


def one_class_archives(target: Codes, archive: ArrayLike) -> tuple[str, ...]:
    """Names of the archives that hold one class, and that `source_balanced_auroc` leaves out.

    >>> one_class_archives(np.array([1, 0, 1]), ["isic2020", "isic2020", "isic2019"])
    ('isic2019',)
    """
    names = _named(archive, target)
    return tuple(
        str(name) for name in np.unique(names) if np.unique(target[names == name]).size == 1
    )


def _named(archive: ArrayLike, target: Codes) -> Codes:
    names = np.asarray(archive)
    if names.shape != target.shape:
        raise StatisticsError(
            f"archives of shape {target.shape}", f"shape {names.shape}", "pass one per prediction"
        )
    return names


def _interval(estimate: float, values: Floats, one: Predictions) -> Interval:
    low, high, error = percentile_bounds(values)
    return Interval(estimate, low, high, error, one.n_groups, METHOD, "groups")
