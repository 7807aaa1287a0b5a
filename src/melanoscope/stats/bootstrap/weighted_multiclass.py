"""Metrics of one network for several classes under weights of its groups, for many replicates.

The counterpart of `weighted_metrics`: decisions are counted by group in a confusion matrix, and
each class against all others is ranked by its own probability (`weighted_rank_metrics`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from melanoscope.stats.arrays import Booleans, Codes, Floats, mean_of_known, safe_divide
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold, count_matrix
from melanoscope.stats.intervals.metric_influence import OF_CLASS
from melanoscope.stats.multiclass_predictions import MulticlassPredictions
from melanoscope.stats.validation import check_no_hard_labels

DECISION_METRICS = ("balanced_accuracy", "accuracy", "macro_f1")
MULTICLASS_METRICS = (*DECISION_METRICS, "macro_auroc")
"""Metrics over all classes; of class i alone there is `auroc_<i>`."""


def multiclass_metrics(classes: int) -> tuple[str, ...]:
    """Return the names of all metrics of a network for so many `classes`.

    >>> multiclass_metrics(2)
    ('balanced_accuracy', 'accuracy', 'macro_f1', 'macro_auroc', 'auroc_0', 'auroc_1')
    """
    return (*MULTICLASS_METRICS, *(f"{OF_CLASS}{i}" for i in range(classes)))


class WeightedMulticlass:
    """The `metrics` of one network's `predictions` of several classes, under weights of groups.

    The class with the largest probability is called, of several the first. Balanced accuracy is the
    mean recall over classes, macro F1 the mean F1, macro AUROC the mean over classes of that of one
    against the rest; all are means over folds. Where a replicate leaves a fold without a class,
    balanced accuracy leaves out the fold, macro AUROC that class of it. One that leaves a class
    without weight in every fold has accuracy and macro F1 alone: in the latter such a class counts
    0 where it is called, as in scikit-learn.

    Args:
        predictions: Test predictions of the network.
        weights: Bootstrap weights of their groups.
        metrics: Metrics to compute, of `multiclass_metrics`.

    Attributes:
        estimate: Metric -> value on all photographs.
    """

    def __init__(
        self,
        predictions: MulticlassPredictions,
        weights: BootstrapWeights,
        metrics: tuple[str, ...],
    ) -> None:
        self._metrics = metrics
        self._classes = k = predictions.n_classes
        position, groups = weights.positions(predictions.group), weights.groups.size
        wanted = [i for i in range(k) if {"macro_auroc", f"{OF_CLASS}{i}"} & set(metrics)]
        if wanted:
            check_no_hard_labels(predictions.probability)
        folds = [predictions.fold_id == fold for fold in predictions.fold_ids] if wanted else []
        # Class -> one ranking per fold.
        self._ranked = {
            i: [
                _one_against_rest(
                    predictions.target[fold] == i,
                    predictions.probability[fold, i],
                    position[fold],
                    groups,
                )
                for fold in folds
            ]
            for i in wanted
        }
        self._confusion = _confusion(predictions, position, groups)
        self.estimate = {
            metric: float(values[0])
            for metric, values in self.compute(np.ones((groups, 1))).items()
        }

    def compute(self, weights: Floats) -> dict[str, Floats]:
        """Return metric -> shape (replicates,) under `weights` of shape (groups, replicates)."""
        values = {
            f"{OF_CLASS}{i}": mean_of_known([fold.auroc(weights) for fold in folds])
            for i, folds in self._ranked.items()
        }
        if "macro_auroc" in self._metrics:
            values["macro_auroc"] = np.mean(list(values.values()), axis=0)
        counts = np.asarray(self._confusion @ weights)
        k = self._classes
        values |= _decision_metrics(counts.reshape(-1, k, k, weights.shape[1]))
        return {metric: values[metric] for metric in self._metrics}


def _one_against_rest(mine: Booleans, score: Floats, position: Codes, groups: int) -> RankedFold:
    # Exchanging the classes and turning the scores round leaves the AUROC as it is; its cost goes
    # by the number of positives, so the smaller class is taken for them.
    if 2 * mine.sum() > mine.size:
        return RankedFold.of((~mine).astype(np.int64), -score, position, groups)
    return RankedFold.of(mine.astype(np.int64), score, position, groups)


def _confusion(predictions: MulticlassPredictions, position: Codes, groups: int) -> csr_array:
    """Count each fold's pairs of target and called class by group: (folds * k * k, groups)."""
    k = predictions.n_classes
    folds, fold = np.unique(predictions.fold_id, return_inverse=True)
    row = (fold * k + predictions.target) * k + predictions.probability.argmax(axis=1)
    return count_matrix(row, position, (folds.size * k * k, groups))


def _decision_metrics(counts: Floats) -> dict[str, Floats]:
    """Means over folds from counts of shape (folds, target, called, replicates)."""
    right = np.einsum("fccr->fcr", counts)
    held, called = counts.sum(axis=2), counts.sum(axis=1)
    recall = safe_divide(right, held)
    # A class that is neither held nor called has no F1.
    f1 = safe_divide(2 * right, held + called)
    by_fold = {
        "balanced_accuracy": recall.mean(axis=1),
        "accuracy": safe_divide(right.sum(axis=1), held.sum(axis=1)),
        "macro_f1": f1.mean(axis=1),
    }
    return {metric: mean_of_known([*values]) for metric, values in by_fold.items()}
