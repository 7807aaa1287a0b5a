"""Intervals by resampling groups: all metrics of many networks from the same draws.

Replicates are conditional on the trained networks: they say how much the result would vary with
other patients to test on, not with other patients to train on; the corrected resampled t interval
(`resampled`) counts both. AUROC, AUPRC, partial AUROC, accuracy, balanced accuracy and F1 are means
over parts, as in the tables; the other metrics pool the parts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from melanoscope.errors import EvidenceError
from melanoscope.evidence.calibration_error import (
    BINS,
    calibration_line,
    clipped_logit,
    equal_mass_bins,
)
from melanoscope.evidence.draws import REPLICATES, Draws, draw_groups
from melanoscope.evidence.interval import Interval, PairedTest
from melanoscope.evidence.predictions import Floats, Predictions
from melanoscope.evidence.ranked import RANKED, RankedPart, Weights

METHOD = "group bootstrap, percentile"
DECIDED = ("accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity")
PROBABILISTIC = (
    "brier",
    "expected_calibration_error",
    "calibration_slope",
    "calibration_intercept",
)
ALL_METRICS = (*RANKED, *DECIDED, *PROBABILISTIC)
# Weights of so many replicates stay in the processor's cache.
_CHUNK = 200


@dataclass(frozen=True, eq=False)
class Bootstrapped:
    """The metrics of one network and their replicates.

    Attributes:
        estimate: Metric -> value on all photographs.
        replicates: Metric -> shape (replicates,).
        draws: What was drawn; equal draws make two results comparable in pairs.
        n_groups: Groups drawn from.
    """

    estimate: dict[str, float]
    replicates: dict[str, Floats]
    draws: Draws
    n_groups: int

    def interval(self, metric: str, confidence: float = 0.95) -> Interval:
        """Percentile interval of one metric."""
        return _percentile(
            self.estimate[metric], self.replicates[metric], self.n_groups, confidence
        )


def group_bootstrap(
    predictions: Predictions,
    *,
    metrics: tuple[str, ...] = ALL_METRICS,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Bootstrapped:
    """Resample the groups of one network's predictions; see `bootstrap_many`."""
    return bootstrap_many({"": predictions}, metrics=metrics, replicates=replicates, seed=seed)[""]


def bootstrap_many(
    networks: Mapping[str, Predictions],
    *,
    metrics: tuple[str, ...] = ALL_METRICS,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, Bootstrapped]:
    """Resample the groups of several networks tested on the same photographs, by the same draws.

    Calibration error keeps the bins of all photographs; calibration slope and intercept take one
    Newton step from their fit on all photographs (Moulton & Zeger 1991), which is exact to the
    order of the interval itself.

    Args:
        networks: Name -> predictions; all on the same photographs.
        metrics: Of `ALL_METRICS`.
        replicates: How many.
        seed: Of the draws.

    Returns:
        Name -> metrics with replicates.

    Raises:
        EvidenceError: Networks on other photographs, a part of one class, fewer than two groups of
            a kind, or no finite calibration line where one is asked for.
    """
    if not networks:
        return {}
    unknown = sorted(set(metrics) - set(ALL_METRICS))
    if unknown:
        raise EvidenceError(f"metrics among {', '.join(ALL_METRICS)}", unknown[0], "correct it")
    first = next(iter(networks.values()))
    for name, one in networks.items():
        if not _same_photographs(one, first):
            raise EvidenceError(
                "networks tested on the same photographs", f"others for '{name}'", "do not mix runs"
            )
    draws = draw_groups(first, replicates=replicates, seed=seed)
    ready = {name: _Resampler(one, draws, metrics) for name, one in networks.items()}
    starts = range(0, replicates, _CHUNK)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # One chunk of weights for all networks: the product of both would not fit in memory.
        for start in starts:
            chunk = np.ascontiguousarray(draws.counts[start : start + _CHUNK].T, np.float32)
            list(pool.map(lambda one: one.resample(chunk), ready.values()))  # noqa: B023
    return {name: one.result() for name, one in ready.items()}


def paired_difference(
    a: Bootstrapped, b: Bootstrapped, metric: str, confidence: float = 0.95
) -> PairedTest:
    """Compare two networks on the same draws: a - b, and one-sided p for "a above b".

    p = (1 + replicates at or below 0) / (1 + replicates), Davison & Hinkley (1997), eq. 4.11.

    Raises:
        EvidenceError: Results of other draws.
    """
    same = a.draws is b.draws or (
        a.draws.seed == b.draws.seed
        and np.array_equal(a.draws.groups, b.draws.groups)
        and np.array_equal(a.draws.counts, b.draws.counts)
    )
    if not same:
        raise EvidenceError(
            "two results of the same draws", "others", "resample both in one call, with one seed"
        )
    values = a.replicates[metric] - b.replicates[metric]
    difference = _percentile(
        a.estimate[metric] - b.estimate[metric], values, a.n_groups, confidence
    )
    error = difference.standard_error
    statistic = difference.estimate / error if error > 0 else float(np.sign(difference.estimate))
    p_value = (1 + int((values <= 0).sum())) / (1 + values.size)
    return PairedTest(difference, float(statistic), float(p_value))


def _percentile(estimate: float, values: Floats, n: int, confidence: float) -> Interval:
    if not np.isfinite(values).all():
        raise EvidenceError(
            "both classes in every part of every replicate",
            f"{int((~np.isfinite(values)).sum())} replicates without",
            "use fewer folds or more patients",
        )
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    error = float(values.std(ddof=1))
    return Interval(estimate, float(low), float(high), error, n, METHOD, "groups", confidence)


def _same_photographs(a: Predictions, b: Predictions) -> bool:
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("target", "part", "group", "photograph")
    )


class _Resampler:
    """Sums of one network by group, and what follows from them under weights."""

    def __init__(self, one: Predictions, draws: Draws, metrics: tuple[str, ...]) -> None:
        self.draws, self.metrics = draws, metrics
        self.row = draws.rows(one.group)
        self.groups = draws.groups.size
        parts = [one.part == part for part in one.parts]
        for part in parts:
            if len(np.unique(one.target[part])) < 2:
                raise EvidenceError(
                    "both classes in every part", "one class in one", "use fewer folds"
                )
        self.ranked = [
            RankedPart.of(one.target[p], one.probability[p], self.row[p], self.groups)
            for p in (parts if set(metrics) & set(RANKED) else [])
        ]
        self.counted = [self._confusion(one, p) for p in parts]
        self.probabilistic = (
            _Probabilistic(one, self._sums) if set(metrics) & set(PROBABILISTIC) else None
        )
        whole = self._all(np.ones((self.groups, 1), np.float32))
        self.estimate = {metric: float(whole[metric][0]) for metric in metrics}
        self.found: dict[str, list[Floats]] = {metric: [] for metric in metrics}

    def resample(self, weights: Weights) -> None:
        """Add the replicates of weights of shape (groups, replicates)."""
        values = self._all(weights)
        for metric in self.metrics:
            self.found[metric].append(values[metric])

    def result(self) -> Bootstrapped:
        """Return what was gathered."""
        joined = {metric: np.concatenate(parts) for metric, parts in self.found.items()}
        return Bootstrapped(self.estimate, joined, self.draws, self.groups)

    def _all(self, weights: Weights) -> dict[str, Floats]:
        values: dict[str, Floats] = {}
        ranked = [part.metrics(weights) for part in self.ranked]
        for metric in RANKED if ranked else ():
            values[metric] = np.mean([one[metric] for one in ranked], axis=0)
        counted = [sums.T @ weights.astype(np.float64) for sums in self.counted]
        values |= _decided(counted)
        if self.probabilistic is not None:
            values |= self.probabilistic.metrics(weights.astype(np.float64))
        return values

    def _sums(self, *columns: Floats) -> Floats:
        """Add up columns of shape (n,) by group: shape (groups, columns)."""
        return np.stack([np.bincount(self.row, c, self.groups) for c in columns], axis=1)

    def _confusion(self, one: Predictions, part: NDArray[np.bool_]) -> Floats:
        called, hit = one.probability >= one.threshold, one.target == 1
        return self._sums(
            part & called & hit, part & called & ~hit, part & ~called & ~hit, part & ~called & hit
        )


def _decided(counted: list[Floats]) -> dict[str, Floats]:
    """Metrics at a threshold from counts of shape (4, replicates) per part: TP, FP, TN, FN."""
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


class _Probabilistic:
    """Brier score and calibration, from sums by group."""

    def __init__(self, one: Predictions, add: Callable[..., Floats]) -> None:
        y, p = one.target.astype(np.float64), one.probability
        x = clipped_logit(p)
        member = equal_mass_bins(p)
        self.size: Floats = add(np.ones_like(p), (p - y) ** 2)
        gaps = [np.where(member == b, y - p, 0.0) for b in range(BINS)]
        self.gaps: Floats = add(*gaps)
        self.line = calibration_line(one.target, p)
        fitted = expit(self.line.at_slope + self.line.slope * x)
        moved = expit(self.line.intercept + x)
        v, u = fitted * (1 - fitted), moved * (1 - moved)
        self.score: Floats = add(y - fitted, (y - fitted) * x, v, v * x, v * x * x, y - moved, u)

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Compute the metrics of `PROBABILISTIC` under weights of shape (groups, replicates)."""
        n, squares = self.size.T @ weights
        g0, g1, h00, h01, h11, g, h = self.score.T @ weights
        determinant = h00 * h11 - h01 * h01
        return {
            "brier": squares / n,
            "expected_calibration_error": np.abs(self.gaps.T @ weights).sum(axis=0) / n,
            "calibration_slope": self.line.slope + (h00 * g1 - h01 * g0) / determinant,
            "calibration_intercept": self.line.intercept + g / h,
        }
