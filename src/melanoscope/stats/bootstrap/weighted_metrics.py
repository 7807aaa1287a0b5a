"""Metrics of one network under weights of its groups, for many replicates at once.

A replicate weighs each group by how often it was sampled. What a metric needs is added up by group
once; a replicate is then a matrix product, and for the rank metrics a few cumulative sums
(`weighted_rank_metrics`).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats, mean_of_known
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.bootstrap.weighted_rank_metrics import (
    RANK_METRICS,
    RankedFold,
    count_matrix,
)
from melanoscope.stats.calibration.probability_metrics import PROBABILITY_METRICS
from melanoscope.stats.metrics.classification import decision_metrics
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_no_hard_labels

THRESHOLD_METRICS = ("accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity")
RESAMPLED_METRICS = (*RANK_METRICS, *THRESHOLD_METRICS)
"""Metrics with replicates."""
ALL_METRICS = (*RESAMPLED_METRICS, *PROBABILITY_METRICS)


class WeightedMetrics:
    """The `metrics` of one network's `predictions`, under weights of its groups.

    Args:
        predictions: Test predictions of the network.
        weights: Bootstrap weights of their groups.
        metrics: Metrics to compute, of `RESAMPLED_METRICS`.

    Attributes:
        estimate: Metric -> value on all photographs.
    """

    # Rank metrics, accuracy, balanced accuracy and F1 are means over folds, as in the tables, since
    # only within a fold do probabilities of one network stand beside each other; sensitivity and
    # specificity pool the folds.

    def __init__(
        self, predictions: Predictions, weights: BootstrapWeights, metrics: tuple[str, ...]
    ) -> None:
        self._metrics = metrics
        position = weights.positions(predictions.group)
        groups = weights.groups.size
        folds = [predictions.fold_id == fold for fold in predictions.fold_ids]
        for fold in folds:
            if len(np.unique(predictions.target[fold])) < 2:
                raise StatisticsError(
                    "both classes in every fold", "one class in one", "use fewer folds"
                )
        if set(metrics) & set(RANK_METRICS):
            check_no_hard_labels(predictions.probability)
        self._ranked = [
            RankedFold.of(
                predictions.target[fold], predictions.probability[fold], position[fold], groups
            )
            for fold in (folds if set(metrics) & set(RANK_METRICS) else [])
        ]
        self._confusion = _confusion(predictions, position, groups)
        self.estimate = {
            metric: float(values[0])
            for metric, values in self.compute(np.ones((groups, 1))).items()
        }

    def compute(self, weights: Floats) -> dict[str, Floats]:
        """Return metric -> shape (replicates,) under `weights` of shape (groups, replicates)."""
        values: dict[str, Floats] = {}
        if self._ranked:
            by_fold = [fold.metrics(weights) for fold in self._ranked]
            # A fold whose positives are one patient's has none in some replicates.
            values = {m: mean_of_known([fold[m] for fold in by_fold]) for m in RANK_METRICS}
        counts = np.asarray(self._confusion @ weights)
        values |= _threshold_metrics(counts.reshape(-1, 4, weights.shape[1]))
        return {metric: values[metric] for metric in self._metrics}


def _confusion(predictions: Predictions, position: Codes, groups: int) -> csr_array:
    """Count TP, FP, TN, FN of each fold by group: shape (4 * folds, groups), mostly zeros."""
    called, positive = predictions.probability >= predictions.threshold, predictions.target == 1
    folds, fold = np.unique(predictions.fold_id, return_inverse=True)
    row = 4 * fold + np.select([called & positive, called, ~positive], [0, 1, 2], 3)
    return count_matrix(row, position, (4 * folds.size, groups))


def _threshold_metrics(counts: Floats) -> dict[str, Floats]:
    """Metrics at a threshold from counts TP, FP, TN, FN: shape (folds, 4, replicates)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        by_fold = decision_metrics(*counts.swapaxes(0, 1))
        pooled = decision_metrics(*counts.sum(axis=0))
    means = ("accuracy", "balanced_accuracy", "f1")
    return pooled | {metric: mean_of_known([*by_fold[metric]]) for metric in means}
