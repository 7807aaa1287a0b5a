"""How far each photograph moves a metric: by it a paired difference's degrees of freedom are told.

The variance of a difference of two networks comes from the groups that the two answer differently;
where those are few, or one has many photographs, it is known by few degrees of freedom, however
many groups there are.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.intervals.auroc_interval import auroc_influence
from melanoscope.stats.intervals.wald import effective_degrees_of_freedom
from melanoscope.stats.multiclass_predictions import AnyPredictions, MulticlassPredictions
from melanoscope.stats.predictions import Predictions

OF_CLASS = "auroc_"
"""What the AUROC of one class against the others begins with; its number follows."""


def metric_influences(predictions: AnyPredictions, metric: str) -> tuple[Floats, ...]:
    """Return how far each photograph moves a `metric`, or metrics that stand in for it.

    Those of AUROC (also of one class, and their mean), accuracy, balanced accuracy, sensitivity and
    specificity are the metric's own. The others have no simple one, and those of the metrics that
    they are made of stand in: of AUPRC and the partial AUROC the AUROC's, with all photographs and
    with the positives alone; of F1 accuracy's and sensitivity's (with several classes balanced
    accuracy's).

    Args:
        predictions: Test predictions of one network.
        metric: Name of the metric.

    Returns:
        One or more influences, each of shape (n,).

    Raises:
        StatisticsError: An unknown metric, or a fold of one class.
    """
    if isinstance(predictions, MulticlassPredictions):
        return _of_classes(predictions, metric)
    return _binary(predictions, metric)


def fewest_degrees_of_freedom(influences: Iterable[Floats], member: Codes) -> float:
    """Return the degrees of freedom by which groups tell the variance of a metric or difference.

    Those of `effective_degrees_of_freedom`; where several influences stand in for the metric's own,
    the fewest: a quantile of t that is too large errs towards finding nothing.

    Args:
        influences: `metric_influences` of one network, or their differences between two, each of
            shape (n,).
        member: Number of each photograph's group, from 0, shape (n,).

    Returns:
        The degrees of freedom, 1 to the number of groups - 1.
    """
    return min(effective_degrees_of_freedom(one, member) for one in influences)


def _binary(predictions: Predictions, metric: str) -> tuple[Floats, ...]:
    target, fold_id = predictions.target, predictions.fold_id
    if metric in ("auroc", "auprc", "pauc_above_sensitivity"):
        _, whole = auroc_influence(target, predictions.probability, fold_id)
        return (whole,) if metric == "auroc" else (whole, np.where(target == 1, whole, 0.0))
    correct = (predictions.probability >= predictions.threshold) == (target == 1)
    found = {
        "accuracy": (accuracy := _accuracy(correct, fold_id),),
        "balanced_accuracy": (_recalls(correct, target, fold_id) / 2,),
        "sensitivity": (caught := _recalls(correct, target, fold_id) * (target == 1),),
        "specificity": (_recalls(correct, target, fold_id) * (target == 0),),
        "f1": (accuracy, caught),
    }
    return _pick(found, metric)


def _of_classes(predictions: MulticlassPredictions, metric: str) -> tuple[Floats, ...]:
    target, fold_id, k = predictions.target, predictions.fold_id, predictions.n_classes

    def auroc(i: int) -> Floats:
        one = (target == i).astype(np.int64)
        return auroc_influence(one, predictions.probability[:, i], fold_id)[1]

    if metric == "macro_auroc":
        return (np.mean([auroc(i) for i in range(k)], axis=0),)
    if metric in [f"{OF_CLASS}{i}" for i in range(k)]:
        return (auroc(int(metric.removeprefix(OF_CLASS))),)
    accuracy = _accuracy(predictions.correct, fold_id)
    balanced = _recalls(predictions.correct, target, fold_id) / k
    found = {
        "accuracy": (accuracy,),
        "balanced_accuracy": (balanced,),
        "macro_f1": (accuracy, balanced),
    }
    return _pick(found, metric)


def _pick(found: dict[str, tuple[Floats, ...]], metric: str) -> tuple[Floats, ...]:
    if metric not in found:
        raise StatisticsError("a metric that is resampled", metric, "correct it")
    return found[metric]


def _accuracy(correct: Booleans, fold_id: Codes) -> Floats:
    """Of the mean accuracy over folds."""
    return _within(correct, np.unique(fold_id, return_inverse=True)[1]) / np.unique(fold_id).size


def _recalls(correct: Booleans, target: Codes, fold_id: Codes) -> Floats:
    """Of the sum over classes of their mean recall over folds."""
    fold = np.unique(fold_id, return_inverse=True)[1]
    part = np.unique(np.stack([fold, target]), axis=1, return_inverse=True)[1].ravel()
    return _within(correct, part) / (int(fold.max()) + 1)


def _within(correct: Booleans, part: Codes) -> Floats:
    """(correct - its mean in the part) / size of the part."""
    sizes = np.bincount(part)
    share = np.bincount(part, correct) / sizes
    influence: Floats = (correct - share[part]) / sizes[part]
    return influence
