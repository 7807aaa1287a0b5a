"""AUROC where the archive's name cannot help: within archives, and with archives balanced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import EvidenceError
from melanoscope.evidence.bootstrap import METHOD
from melanoscope.evidence.interval import Interval
from melanoscope.evidence.pairs import pair_weighted_auroc, percentile_bounds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.evidence.draws import Draws
    from melanoscope.evidence.predictions import Codes, Floats, Predictions


def within_archive_auroc(predictions: Predictions, draws: Draws, archive: ArrayLike) -> Interval:
    """Compare only photographs of one archive, within a part; a guess by archive gets 0.5.

    Args:
        predictions: Of one network.
        draws: Of its groups.
        archive: Name or code of each photograph's archive, shape (n,).

    Raises:
        EvidenceError: No archive holds both classes, or too few groups for an interval.
    """
    codes = np.unique(np.asarray(archive), return_inverse=True)[1].astype(np.int64)
    estimate, values = pair_weighted_auroc(predictions, draws, codes)
    return _interval(estimate, values, predictions)


def source_balanced_auroc(predictions: Predictions, draws: Draws, archive: ArrayLike) -> Interval:
    """Weigh photographs so that every archive has the same prevalence; a guess by archive gets 0.5.

    Unlike `within_archive_auroc` photographs of different archives are compared. Arguments and
    errors as there.
    """
    target = predictions.target
    weight = source_balanced_weights(target, archive)
    kept = weight > 0
    estimate, values = pair_weighted_auroc(predictions.where(kept), draws, None, weight[kept])
    return _interval(estimate, values, predictions.where(kept))


def source_balanced_weights(target: Codes, archive: ArrayLike) -> Floats:
    """Weights under which each archive has the same share of melanomas, shape (n,).

    Archives of one class get weight 0: no weighing can balance them.

    Raises:
        EvidenceError: No archive holds both classes.
    """
    codes = np.unique(np.asarray(archive), return_inverse=True)[1]
    weight = np.zeros(target.size)
    for one in np.unique(codes):
        mine = codes == one
        hits = int(target[mine].sum())
        others = int(mine.sum()) - hits
        if hits and others:
            size = mine.sum() / 2
            weight[mine & (target == 1)] = size / hits
            weight[mine & (target == 0)] = size / others
    if not weight.any():
        raise EvidenceError(
            "an archive with both classes", "none", "add photographs of the missing class"
        )
    return weight


def _interval(estimate: float, values: Floats, one: Predictions) -> Interval:
    low, high, error = percentile_bounds(values)
    return Interval(estimate, low, high, error, one.n_groups, METHOD, "groups")
