"""The AUROC over pairs of photographs of different groups (patients)."""

from __future__ import annotations

import numpy as np

from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_both_classes


def between_groups_auroc(predictions: Predictions) -> float:
    """Return the AUROC, mean over folds, over pairs of a positive and a negative of two groups.

    The AUROC proper also counts the pairs within one patient, who is asked another question there:
    which of one's own lesions? Obuchowski (1997) calls that the within-cluster part.

    Args:
        predictions: Test predictions of one network, both classes in every fold.

    Returns:
        The AUROC; NaN where a fold has no such pair.

    Raises:
        StatisticsError: A fold of one class.

    >>> predictions = Predictions(
    ...     target=np.array([1, 0, 1, 0]),
    ...     probability=np.array([0.9, 0.1, 0.4, 0.6]),
    ...     threshold=np.full(4, 0.5),
    ...     fold_id=np.zeros(4, np.int64),
    ...     group=np.array([0, 0, 1, 1]),
    ...     image_index=np.arange(4),
    ... )
    >>> between_groups_auroc(predictions)  # 0.9 above 0.6, and 0.4 above 0.1
    1.0
    """
    areas = []
    for fold in predictions.fold_ids:
        rows = predictions.fold_id == fold
        target, score = predictions.target[rows], predictions.probability[rows]
        positive = target == 1
        check_both_classes(target)
        pairs = float(positive.sum()) * float((~positive).sum())
        right = area_under_roc(positive, score) * pairs
        inside_right, inside = _within(positive, score, predictions.group[rows])
        areas.append((right - inside_right) / (pairs - inside) if pairs > inside else np.nan)
    return float(np.mean(areas))


def _within(positive: Booleans, score: Floats, group: Codes) -> tuple[float, float]:
    """Count right pairs, ties by half, and all pairs within the groups that hold both classes."""
    mixed = np.intersect1d(group[positive], group[~positive])
    right = pairs = 0.0
    for one in mixed.tolist():
        mine = group == one
        above = score[mine & positive][:, None]
        others = score[mine & ~positive]
        right += float((above > others).sum()) + float((above == others).sum()) / 2
        pairs += above.size * others.size
    return right, pairs
