"""All metrics of one network under weights of its groups, for many replicates at once.

A replicate weighs each group by how often it was sampled. What a metric needs is added up by group
once; a replicate is then a matrix product, and for the rank metrics a few cumulative sums
(`weighted_rank_metrics`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats, mean_of_known
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.bootstrap.weighted_rank_metrics import (
    RANK_METRICS,
    RankedFold,
    count_matrix,
)
from melanoscope.stats.calibration.calibration_error import (
    BINS,
    calibration_line,
    clipped_logit,
    equal_mass_bins,
)
from melanoscope.stats.metrics.classification import decision_metrics
from melanoscope.stats.predictions import Predictions

THRESHOLD_METRICS = ("accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity")
_PROPER = ("brier", "expected_calibration_error")
_LINE = ("calibration_slope", "calibration_intercept")
PROBABILITY_METRICS = (*_PROPER, *_LINE)
ALL_METRICS = (*RANK_METRICS, *THRESHOLD_METRICS, *PROBABILITY_METRICS)


class WeightedMetrics:
    """The `metrics` of one network's `predictions`, under weights of its groups.

    Args:
        predictions: Test predictions of the network.
        weights: Bootstrap weights of their groups.
        metrics: Metrics to compute, of `ALL_METRICS`.

    Attributes:
        estimate: Metric -> value on all photographs; NaN where it is in `unknown`.
        unknown: Metric -> why it cannot be computed. The others stand all the same.
    """

    # Rank metrics, accuracy, balanced accuracy and F1 are means over folds, as in the tables, since
    # only within a fold do probabilities of one network stand beside each other; the other metrics
    # pool the folds.

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
        self._ranked = [
            RankedFold.of(
                predictions.target[fold], predictions.probability[fold], position[fold], groups
            )
            for fold in (folds if set(metrics) & set(RANK_METRICS) else [])
        ]
        self._confusion = _confusion(predictions, position, groups)
        self.unknown: dict[str, StatisticsError] = {}
        self._sums: list[Callable[[Floats], dict[str, Floats]]] = []
        if set(metrics) & set(_PROPER):
            self._sums.append(_ProperSums(predictions, weights))
        if lines := set(metrics) & set(_LINE):
            try:
                self._sums.append(_LineSums(predictions, weights))
            except StatisticsError as error:  # separated classes have no finite calibration line
                self.unknown = dict.fromkeys(lines, error)
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
        for sums in self._sums:
            values |= sums(weights)
        values |= {metric: np.full(weights.shape[1], np.nan) for metric in self.unknown}
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


class _ProperSums:
    """Brier score, and expected calibration error with the bins of all photographs."""

    # Naeini, Cooper & Hauskrecht (2015), with the equal-mass bins of Nguyen & O'Connor (2015): with
    # equal widths most bins of a rare disease are empty. Above 0 also for perfect calibration.

    def __init__(self, predictions: Predictions, weights: BootstrapWeights) -> None:
        y, p = predictions.target.astype(np.float64), predictions.probability
        member = equal_mass_bins(p)
        gaps = [np.where(member == b, y - p, 0.0) for b in range(BINS)]
        self._sums = weights.by_group(predictions.group, [np.ones_like(p), (p - y) ** 2, *gaps])

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        """Compute the metrics of `_PROPER` under weights of shape (groups, replicates)."""
        n, squares, *gaps = self._sums @ weights
        return {"brier": squares / n, "expected_calibration_error": np.abs(gaps).sum(axis=0) / n}


class _LineSums:
    """Calibration slope and intercept, one Newton step from their fit on all photographs."""

    # Moulton & Zeger (1991): exact to the order of the interval itself.

    def __init__(self, predictions: Predictions, weights: BootstrapWeights) -> None:
        self._line = calibration_line(predictions.target, predictions.probability)
        y, x = predictions.target, clipped_logit(predictions.probability)
        fitted = expit(self._line.slope_intercept + self._line.slope * x)
        moved = expit(self._line.intercept + x)
        v, u = fitted * (1 - fitted), moved * (1 - moved)
        x = x - x.mean()  # The slope is the same, and the determinant below keeps its digits.
        columns = [y - fitted, (y - fitted) * x, v, v * x, v * x * x, y - moved, u]
        self._sums = weights.by_group(predictions.group, columns)

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        """Compute the metrics of `_LINE` under weights of shape (groups, replicates)."""
        g0, g1, h00, h01, h11, g, h = self._sums @ weights
        determinant = h00 * h11 - h01 * h01
        return {
            "calibration_slope": self._line.slope + (h00 * g1 - h01 * g0) / determinant,
            "calibration_intercept": self._line.intercept + g / h,
        }
