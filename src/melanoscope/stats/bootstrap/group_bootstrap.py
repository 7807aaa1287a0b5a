"""Intervals by resampling groups: all metrics of many networks from the same draws.

Replicates are conditional on the trained networks: they say how much the result would vary with
other patients to test on, not with other patients to train on; the corrected resampled t interval
(`resampled`) counts both. AUROC, AUPRC, partial AUROC, accuracy, balanced accuracy and F1 are means
over parts, as in the tables; the other metrics pool the parts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import (
    REPLICATES,
    BootstrapWeights,
    draw_group_weights,
)
from melanoscope.stats.bootstrap.weighted_metrics import WeightedMetrics
from melanoscope.stats.bootstrap.weighted_rank_metrics import RANK_METRICS
from melanoscope.stats.intervals.interval import Interval, PairedTest, refuse_confidence
from melanoscope.stats.metrics.all_metrics import (
    ALL_METRICS,
    PROBABILITY_METRICS,
    THRESHOLD_METRICS,
)
from melanoscope.stats.predictions import Floats, Predictions

__all__ = [
    "ALL_METRICS",
    "METHOD",
    "PROBABILITY_METRICS",
    "RANK_METRICS",
    "THRESHOLD_METRICS",
    "BootstrapResult",
    "bootstrap_many",
    "group_bootstrap",
    "paired_difference",
]

METHOD = "group bootstrap, percentile"
# A part's sums under the weights of so many replicates stay in the processor's cache.
_CHUNK = 50


@dataclass(frozen=True, eq=False)
class BootstrapResult:
    """The metrics of one network and their replicates.

    Attributes:
        estimate: Metric -> value on all photographs.
        replicates: Metric -> shape (replicates,).
        draws: What was drawn; equal draws make two results comparable in pairs.
        n_groups: Groups drawn from.
    """

    estimate: dict[str, float]
    replicates: dict[str, Floats]
    draws: BootstrapWeights
    n_groups: int

    def interval(self, metric: str, confidence: float = 0.95) -> Interval:
        """Percentile interval of one metric.

        Its width is 0 where every replicate is the same, because nothing was missed or the classes
        are separated: resampling does not see what never happened.

        Raises:
            StatisticsError: A metric that was not resampled, or a replicate that lacks a class.
        """
        _refuse_unknown((metric,), tuple(self.replicates))
        return _percentile(
            self.estimate[metric], self.replicates[metric], self.n_groups, confidence
        )


def group_bootstrap(
    predictions: Predictions,
    *,
    metrics: tuple[str, ...] = ALL_METRICS,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> BootstrapResult:
    """Resample the groups of one network's predictions; see `bootstrap_many`."""
    return bootstrap_many({"": predictions}, metrics=metrics, replicates=replicates, seed=seed)[""]


def bootstrap_many(
    networks: Mapping[str, Predictions],
    *,
    metrics: tuple[str, ...] = ALL_METRICS,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, BootstrapResult]:
    """Resample the groups of several networks tested on the same photographs, by the same draws.

    Calibration error keeps the bins of all photographs; calibration slope and intercept take one
    Newton step from their fit on all photographs (Moulton & Zeger 1991), which is exact to the
    order of the interval itself. Groups are drawn within strata (`draws`); with k groups in each,
    the variance comes out too small by one part in k, so that k should not be small.

    Args:
        networks: Name -> predictions; all on the same photographs.
        metrics: Of `ALL_METRICS`.
        replicates: How many.
        seed: Of the draws.

    Returns:
        Name -> metrics with replicates.

    Raises:
        StatisticsError: Networks on other photographs, a part of one class, no part with two groups
            of a class, or no finite calibration line where one is asked for.
    """
    if not networks:
        return {}
    _refuse_unknown(metrics, ALL_METRICS)
    first = next(iter(networks.values()))
    for name, one in networks.items():
        if not _same_photographs(one, first):
            raise StatisticsError(
                "networks tested on the same photographs", f"others for '{name}'", "do not mix runs"
            )
    draws = draw_group_weights(first, replicates=replicates, seed=seed)
    _refuse_still(draws, first)
    ready = {name: WeightedMetrics(one, draws, metrics) for name, one in networks.items()}
    starts = range(0, replicates, _CHUNK)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # One chunk of weights for all networks: the product of both would not fit in memory.
        for start in starts:
            chunk = np.ascontiguousarray(draws.counts[start : start + _CHUNK].T, np.float32)
            list(pool.map(lambda one: one.resample(chunk), ready.values()))  # noqa: B023
    return {
        name: BootstrapResult(one.estimate, one.replicates(), draws, draws.groups.size)
        for name, one in ready.items()
    }


def paired_difference(
    a: BootstrapResult, b: BootstrapResult, metric: str, confidence: float = 0.95
) -> PairedTest:
    """Compare two networks on the same draws: a - b, and one-sided p for "a above b".

    p = (1 + replicates at or below 0) / (1 + replicates), Davison & Hinkley (1997), eq. 4.11.

    Raises:
        StatisticsError: Results of other draws, or a metric that was not resampled in both.
    """
    for one in (a, b):
        _refuse_unknown((metric,), tuple(one.replicates))
    same = a.draws is b.draws or (
        a.draws.seed == b.draws.seed
        and np.array_equal(a.draws.groups, b.draws.groups)
        and np.array_equal(a.draws.counts, b.draws.counts)
    )
    if not same:
        raise StatisticsError(
            "two results of the same draws", "others", "resample both in one call, with one seed"
        )
    values = a.replicates[metric] - b.replicates[metric]
    difference = _percentile(
        a.estimate[metric] - b.estimate[metric], values, a.n_groups, confidence
    )
    error = difference.standard_error
    p_value = (1 + int((values <= 0).sum())) / (1 + values.size)
    if error == 0:
        sign = float(np.sign(difference.estimate))
        return PairedTest(difference, sign * np.inf if sign else 0.0, p_value)
    return PairedTest(difference, difference.estimate / error, p_value)


def _refuse_unknown(metrics: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = sorted(set(metrics) - set(known))
    if unknown:
        raise StatisticsError(f"metrics among {', '.join(known)}", unknown[0], "correct it")


def _refuse_still(draws: BootstrapWeights, one: Predictions) -> None:
    """Refuse draws in which a class never varies, as each of its groups is alone in its stratum."""
    varies = (draws.counts != 1).any(axis=0)
    row = draws.rows(one.group)
    for outcome, what in ((1, "melanomas"), (0, "other lesions")):
        if not varies[row[one.target == outcome]].any():
            raise StatisticsError(
                f"at least 2 groups (patients) with {what} in one part",
                "one in each",
                "use fewer folds or more patients: an interval needs some that vary",
            )


def _percentile(estimate: float, values: Floats, n: int, confidence: float) -> Interval:
    refuse_confidence(confidence)
    if not np.isfinite(values).all():
        raise StatisticsError(
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
