"""Intervals by resampling groups: all metrics of many networks from the same weights.

Replicates are conditional on the trained networks: they say how much the result would vary with
other patients to test on, not with other patients to train on; `crossval_interval` counts both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.bootstrap.between_strata import Weighted, between_strata_shifts
from melanoscope.stats.bootstrap.group_weights import (
    REPLICATES,
    BootstrapWeights,
    group_kind,
    sample_group_weights,
)
from melanoscope.stats.bootstrap.weighted_metrics import RESAMPLED_METRICS, WeightedMetrics
from melanoscope.stats.bootstrap.weighted_multiclass import (
    WeightedMulticlass,
    multiclass_metrics,
)
from melanoscope.stats.multiclass_predictions import AnyPredictions, MulticlassPredictions
from melanoscope.stats.predictions import Predictions, same_photographs
from melanoscope.stats.validation import check_enough_groups, check_enough_groups_of_classes
from melanoscope.threads import thread_pool

# Share of replicates that may lack a class.
_MOST_MISSING = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class BootstrapResult:
    """The metrics of one network and their replicates.

    Attributes:
        estimate: Metric -> value on all photographs.
        replicates: Metric -> value in each replicate, shape (replicates,).
        weights: Weights of the groups; equal weights make two results comparable in pairs.
        shifts: Metric -> what replicates lack, since they keep the number of groups with positives
            (`between_strata_shifts`), shape (kinds,).
    """

    estimate: dict[str, float]
    replicates: dict[str, Floats]
    weights: BootstrapWeights
    shifts: dict[str, Floats]

    @property
    def between_strata(self) -> dict[str, float]:
        """Metric -> the variance that replicates lack."""
        return {metric: float(shift @ shift) for metric, shift in self.shifts.items()}

    @property
    def n_groups(self) -> int:
        """Number of groups that were resampled."""
        return int(self.weights.groups.size)

    def variance(self, metric: str) -> float:
        """Return the variance of a `metric` by the test patients' chance alone."""
        # It is 0 where every replicate is the same, because nothing was missed for example:
        # resampling does not see what never happened.
        _refuse_unknown((metric,), tuple(self.replicates))
        return _variance(self.replicates[metric], self.shifts[metric])

    def difference_variance(self, other: BootstrapResult, metric: str) -> float:
        """Return the variance of this network's `metric` minus the `other`'s, on the same draws."""
        for one in (self, other):
            _refuse_unknown((metric,), tuple(one.replicates))
        mine, its = self.weights, other.weights
        if mine is not its and not (
            (mine.seed, mine.replicates) == (its.seed, its.replicates)
            and np.array_equal(mine.groups, its.groups)
            and np.array_equal(mine.stratum, its.stratum)
        ):
            raise StatisticsError(
                "networks resampled by the same weights",
                "others",
                "resample them together with bootstrap_many",
            )
        return _variance(
            self.replicates[metric] - other.replicates[metric],
            self.shifts[metric] - other.shifts[metric],
        )


def _variance(replicates: Floats, shift: Floats) -> float:
    """Add up the variance within the strata, of the replicates, and that between them."""
    known = replicates[np.isfinite(replicates)]
    if known.size < max((1 - _MOST_MISSING) * replicates.size, 2):
        raise StatisticsError(
            "both classes in nearly every replicate",
            f"{replicates.size - known.size} of {replicates.size} without",
            "use fewer folds or more patients",
        )
    return float(known.var(ddof=1)) + float(shift @ shift)


def group_bootstrap(
    predictions: Predictions,
    *,
    metrics: tuple[str, ...] = RESAMPLED_METRICS,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> BootstrapResult:
    """Resample the groups of one network's predictions.

    Args:
        predictions: Test predictions of the network.
        metrics: Metrics to compute, of `RESAMPLED_METRICS`.
        replicates: Number of replicates, at least 2.
        seed: Seed of the resampling.

    Returns:
        The metrics with their replicates.

    Raises:
        StatisticsError: As `bootstrap_many`.

    >>> rng = np.random.default_rng(0)
    >>> target = np.arange(40) % 2
    >>> predictions = Predictions(
    ...     target=target,
    ...     probability=0.3 * target + 0.7 * rng.random(40),
    ...     threshold=np.full(40, 0.5),
    ...     fold_id=np.zeros(40, np.int64),
    ...     group=np.arange(40) // 2,  # two photographs of each patient
    ...     image_index=np.arange(40),
    ... )
    >>> resampled = group_bootstrap(predictions, metrics=("auroc",))
    >>> 0.05 < resampled.variance("auroc") ** 0.5 < 0.12, resampled.n_groups
    (True, 20)
    """
    return bootstrap_many({"": predictions}, metrics=metrics, replicates=replicates, seed=seed)[""]


def bootstrap_many(
    networks: Mapping[str, AnyPredictions],
    *,
    metrics: tuple[str, ...] | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> dict[str, BootstrapResult]:
    """Resample the groups of several networks tested on the same photographs, by the same weights.

    Groups are sampled within strata (`group_weights`).

    Args:
        networks: Name of each network -> its test predictions, all on the same photographs, and all
            of one class against the others or all of the same several classes.
        metrics: Metrics to compute, of `RESAMPLED_METRICS` or `multiclass_metrics`; None for all.
        replicates: Number of replicates, at least 2.
        seed: Seed of the resampling.

    Returns:
        Name of each network -> its metrics with their replicates.

    Raises:
        StatisticsError: Networks on other photographs, a fold of one class, or fewer than 10 groups
            of a class.
    """
    if not networks:
        return {}
    first = next(iter(networks.values()))
    known = _known_metrics(first)
    metrics = known if metrics is None else metrics
    _refuse_unknown(metrics, known)
    for name, predictions in networks.items():
        if not same_photographs(predictions, first):
            raise StatisticsError(
                "networks tested on the same photographs", f"others for '{name}'", "do not mix runs"
            )
    member = np.unique(first.group, return_inverse=True)[1]
    if isinstance(first, MulticlassPredictions):
        check_enough_groups_of_classes(member, first.target)
    else:
        check_enough_groups(member, first.target == 1)
    weights = sample_group_weights(first, replicates=replicates, seed=seed)
    weighted = {
        name: _weighted(predictions, weights, metrics) for name, predictions in networks.items()
    }
    kind = group_kind(first.target, member)
    chunks: dict[str, list[dict[str, Floats]]] = {name: [] for name in networks}
    with thread_pool() as pool:
        # One block of weights for all networks: the product of both would not fit in memory.
        for _, block in weights.blocks():
            computed = pool.map(_compute, weighted.values(), repeat(block))
            for name, values in zip(networks, computed, strict=True):
                chunks[name].append(values)
    return {
        name: BootstrapResult(
            estimate=network.estimate,
            replicates={m: np.concatenate([part[m] for part in chunks[name]]) for m in metrics},
            weights=weights,
            shifts=between_strata_shifts(network, kind),
        )
        for name, network in weighted.items()
    }


def _known_metrics(predictions: AnyPredictions) -> tuple[str, ...]:
    if isinstance(predictions, MulticlassPredictions):
        return multiclass_metrics(predictions.n_classes)
    return RESAMPLED_METRICS


def _weighted(
    predictions: AnyPredictions, weights: BootstrapWeights, metrics: tuple[str, ...]
) -> Weighted:
    if isinstance(predictions, MulticlassPredictions):
        return WeightedMulticlass(predictions, weights, metrics)
    return WeightedMetrics(predictions, weights, metrics)


def _compute(network: Weighted, weights: Floats) -> dict[str, Floats]:
    return network.compute(weights)


def _refuse_unknown(metrics: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = sorted(set(metrics) - set(known))
    if unknown:
        raise StatisticsError(f"metrics among {', '.join(known)}", unknown[0], "correct it")
