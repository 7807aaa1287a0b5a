"""All metrics of one network under weights of its groups, for many replicates at once.

A replicate weighs each group by how often it was drawn. What a metric needs is added up by group
once; a replicate is then a matrix product, and for the rank metrics a few cumulative sums
(`ranked`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.bootstrap.weighted_rank_metrics import RANK_METRICS, RankedFold, Weights
from melanoscope.stats.calibration.calibration_error import (
    BINS,
    calibration_line,
    clipped_logit,
    equal_mass_bins,
)
from melanoscope.stats.predictions import Floats, Predictions

Add = Callable[..., Floats]
PROPER = ("brier", "expected_calibration_error")
LINE = ("calibration_slope", "calibration_intercept")


class WeightedMetrics:
    """Sums of one network by group, and what follows from them under weights."""

    def __init__(self, one: Predictions, draws: BootstrapWeights, metrics: tuple[str, ...]) -> None:
        self.draws, self.metrics = draws, metrics
        self.row = draws.rows(one.group)
        self.groups = draws.groups.size
        parts = [one.part == part for part in one.parts]
        for part in parts:
            if len(np.unique(one.target[part])) < 2:
                raise StatisticsError(
                    "both classes in every part", "one class in one", "use fewer folds"
                )
        self.ranked = [
            RankedFold.of(one.target[p], one.probability[p], self.row[p], self.groups)
            for p in (parts if set(metrics) & set(RANK_METRICS) else [])
        ]
        self.counted = self._confusion(one)
        # Only where one is asked for: separated classes have no finite calibration line.
        self.proper = ProperSums(one, self._sums) if set(metrics) & set(PROPER) else None
        self.line = LineSums(one, self._sums) if set(metrics) & set(LINE) else None
        whole = self._all(np.ones((self.groups, 1), np.float32))
        self.estimate = {metric: float(whole[metric][0]) for metric in metrics}
        self.found: dict[str, list[Floats]] = {metric: [] for metric in metrics}

    def resample(self, weights: Weights) -> None:
        """Add the replicates of weights of shape (groups, replicates)."""
        values = self._all(weights)
        for metric in self.metrics:
            self.found[metric].append(values[metric])

    def replicates(self) -> dict[str, Floats]:
        """Return what was gathered: metric -> shape (replicates,)."""
        return {metric: np.concatenate(chunks) for metric, chunks in self.found.items()}

    def _all(self, weights: Weights) -> dict[str, Floats]:
        values: dict[str, Floats] = {}
        if self.ranked:
            ranked = [part.metrics(weights) for part in self.ranked]
            values = {m: np.mean([one[m] for one in ranked], axis=0) for m in RANK_METRICS}
        counted = np.asarray(self.counted @ weights, np.float64)
        values |= _decided(counted.reshape(-1, 4, weights.shape[1]))
        for sums in (self.proper, self.line):
            if sums is not None:
                values |= sums.metrics(weights.astype(np.float64))
        return values

    def _sums(self, *columns: Floats) -> Floats:
        """Add up columns of shape (n,) by group: shape (groups, columns)."""
        return np.stack([np.bincount(self.row, c, self.groups) for c in columns], axis=1)

    def _confusion(self, one: Predictions) -> csr_array:
        """Count TP, FP, TN, FN of each part by group: shape (4 * parts, groups), mostly zeros."""
        called, hit = one.probability >= one.threshold, one.target == 1
        parts, part = np.unique(one.part, return_inverse=True)
        cell = 4 * part + np.select([called & hit, called, ~hit], [0, 1, 2], 3)
        # Single precision counts photographs exactly.
        counts = np.ones(cell.size, np.float32)
        return csr_array((counts, (cell, self.row)), shape=(4 * parts.size, self.groups))


def _decided(counted: Floats) -> dict[str, Floats]:
    """Metrics at a threshold from counts TP, FP, TN, FN: shape (parts, 4, replicates)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        per_part = [
            (
                (tp + tn) / (tp + fp + tn + fn),
                (tp / (tp + fn) + tn / (tn + fp)) / 2,
                2 * tp / (2 * tp + fp + fn),
            )
            for tp, fp, tn, fn in counted
        ]
        tp, fp, tn, fn = np.sum(counted, axis=0)
        accuracy, balanced, f1 = np.mean(per_part, axis=0)
        return {
            "accuracy": accuracy,
            "balanced_accuracy": balanced,
            "f1": f1,
            "sensitivity": tp / (tp + fn),
            "specificity": tn / (tn + fp),
        }


class ProperSums:
    """Brier score, and calibration error with the bins of all photographs."""

    def __init__(self, one: Predictions, add: Add) -> None:
        y, p = one.target.astype(np.float64), one.probability
        member = equal_mass_bins(p)
        gaps = [np.where(member == b, y - p, 0.0) for b in range(BINS)]
        self.sums: Floats = add(np.ones_like(p), (p - y) ** 2, *gaps)

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Compute the metrics of `PROPER` under weights of shape (groups, replicates)."""
        n, squares, *gaps = self.sums.T @ weights
        return {"brier": squares / n, "expected_calibration_error": np.abs(gaps).sum(axis=0) / n}


class LineSums:
    """Calibration slope and intercept, one Newton step from their fit on all photographs."""

    def __init__(self, one: Predictions, add: Add) -> None:
        self.line = calibration_line(one.target, one.probability)
        y, x = one.target, clipped_logit(one.probability)
        fitted = expit(self.line.at_slope + self.line.slope * x)
        moved = expit(self.line.intercept + x)
        v, u = fitted * (1 - fitted), moved * (1 - moved)
        x = x - x.mean()  # The slope is the same, and the determinant below keeps its digits.
        self.sums: Floats = add(y - fitted, (y - fitted) * x, v, v * x, v * x * x, y - moved, u)

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Compute the metrics of `LINE` under weights of shape (groups, replicates)."""
        g0, g1, h00, h01, h11, g, h = self.sums.T @ weights
        determinant = h00 * h11 - h01 * h01
        return {
            "calibration_slope": self.line.slope + (h00 * g1 - h01 * g0) / determinant,
            "calibration_intercept": self.line.intercept + g / h,
        }
