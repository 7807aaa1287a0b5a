"""Models compared on the same photographs, each thing computed once and when it is first asked for.

The counterpart of `runs.results` for predictions that were made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.comparison.join import JoinedPredictions
from melanoscope.comparison.model_predictions import POSITIVE
from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult, bootstrap_many
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.bootstrap.weighted_metrics import ALL_METRICS, RESAMPLED_METRICS
from melanoscope.stats.bootstrap.weighted_multiclass import multiclass_metrics
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.crossval_interval import CrossValidation
from melanoscope.stats.intervals.delong_test import delong_test
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.multiclass_predictions import AnyPredictions, MulticlassPredictions
from melanoscope.stats.pairwise import PairwiseComparison, compare_pairs
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.selection.best import DistanceToBest, compare_with_best
from melanoscope.stats.selection.paired_differences import PairedDifferences, paired_differences
from melanoscope.stats.selection.winner import winners_flattery


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparisonResults:
    """Joined predictions with what is computed from them.

    Attributes:
        joined: The predictions of all models on the same photographs.
        settings: What to compute.
        forms: Model -> how its file was read, for readers.
    """

    joined: JoinedPredictions
    settings: ComparisonSettings = field(default_factory=ComparisonSettings)
    forms: Mapping[str, str] = field(default_factory=dict)

    @property
    def primary(self) -> str:
        """The metric that models are compared by: AUROC, of several classes balanced accuracy."""
        return "auroc" if self.joined.is_binary else "balanced_accuracy"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that has an interval, the primary one first."""
        if self.joined.is_binary:
            return ALL_METRICS
        return multiclass_metrics(len(self.joined.classes))

    @cached_property
    def predictions(self) -> Mapping[str, AnyPredictions]:
        """Predictions of each model, in the order of the files."""
        joined = self.joined
        n = joined.target.size
        shared = {
            "target": joined.target,
            "group": joined.group,
            "image_index": np.unique(joined.image_id.astype(str), return_inverse=True)[1],
            "fold_id": np.zeros(n, np.int64) if joined.fold is None else joined.fold,
        }
        threshold = np.full(n, self.settings.threshold)
        if joined.is_binary:
            return {
                name: Predictions(probability=values, threshold=threshold, **shared)
                for name, values in joined.probability.items()
            }
        return {
            name: MulticlassPredictions(probability=values, **shared)
            for name, values in joined.probability.items()
        }

    @cached_property
    def design(self) -> CrossValidation:
        """How the predictions were obtained: on one test set, or fold by fold."""
        folds, photographs = self.folds, np.unique(self.joined.image_id.astype(str)).size
        if folds == 1:
            return CrossValidation(1, photographs, photographs)
        # Whoever predicts a fold has trained on the others.
        return CrossValidation(folds, photographs * (folds - 1) / folds, photographs / folds)

    @cached_property
    def folds(self) -> int:
        """Number of folds of one division of the photographs; 1 for one test set."""
        fold, ids = self.joined.fold, self.joined.image_id.astype(str)
        return 1 if fold is None else round(np.unique(fold).size * np.unique(ids).size / ids.size)

    @cached_property
    def bootstrapped(self) -> dict[str, BootstrapResult]:
        """Every resampled metric of each model, by the same weights of the groups."""
        metrics = RESAMPLED_METRICS if self.joined.is_binary else self.metrics
        return bootstrap_many(
            self.predictions,
            metrics=metrics,
            replicates=self.settings.replicates,
            seed=self.settings.seed,
        )

    @property
    def weights(self) -> BootstrapWeights:
        """Weights of the groups behind `bootstrapped`."""
        return next(iter(self.bootstrapped.values())).weights

    @cached_property
    def intervals(self) -> dict[str, dict[str, Interval | str]]:
        """Model -> metric -> its interval, or why there is none."""
        return {
            name: {metric: self._interval(name, metric) for metric in self.metrics}
            for name in self.predictions
        }

    def _interval(self, name: str, metric: str) -> Interval | str:
        try:
            values = (self._by_fold or {}).get(name) if metric == self.primary else None
            return crossval_metric(
                self.predictions[name], self.bootstrapped[name], metric, self.design, values
            )
        except StatisticsError as error:
            return str(error)

    @cached_property
    def _by_fold(self) -> dict[str, list[float]] | None:
        """The primary metric of each model in each fold; None of one test set."""
        if self.folds == 1:
            return None
        return {name: _by_fold(one) for name, one in self.predictions.items()}

    @cached_property
    def names(self) -> list[str]:
        """The models by the primary metric, the best first."""
        estimates = {name: one.estimate[self.primary] for name, one in self.bootstrapped.items()}
        return sorted(estimates, key=lambda name: -estimates[name])

    @property
    def variables(self) -> dict[str, NDArray[Any]]:
        """Variable -> level of each prediction, for subgroups; that of the centers among them."""
        joined = self.joined
        center = {} if joined.center is None else {"center": joined.center}
        return {name.capitalize(): level for name, level in {**joined.subgroups, **center}.items()}

    @property
    def question(self) -> str:
        """What is told apart, for readers."""
        classes = self.joined.classes
        return f"{classes[1]} against {classes[0]}" if self.joined.is_binary else ", ".join(classes)

    @property
    def positives(self) -> str:
        """Name of the positives of a binary question, for readers."""
        name = self.joined.classes[1]
        return "positives" if name == POSITIVE else f"photographs of {name}"

    @property
    def prevalence(self) -> float:
        """Share of positives at which predictive values are given."""
        stated = self.settings.prevalence
        return float((self.joined.target == 1).mean()) if stated is None else stated

    @property
    def clustered(self) -> bool:
        """Whether some group holds several photographs."""
        return int(np.unique(self.joined.group).size) < np.unique(self.joined.image_id).size

    @cached_property
    def pairs(self) -> dict[str, tuple[PairwiseComparison, ...]]:
        """Metric -> every two models compared by it, the better by the primary metric first.

        Metrics without an interval of some model are left out.
        """
        ordered = {name: self.bootstrapped[name] for name in self.names}
        resampled = next(iter(ordered.values())).replicates
        return {
            metric: compare_pairs(
                ordered,
                self.predictions,
                metric=metric,
                design=self.design,
                margin=self.settings.margin,
                values=self._by_fold if metric == self.primary else None,
            )
            for metric in self.metrics
            if metric in resampled and self._all_known(metric) and len(ordered) > 1
        }

    def _all_known(self, metric: str) -> bool:
        return all(isinstance(one[metric], Interval) for one in self.intervals.values())

    @cached_property
    def delong(self) -> dict[tuple[str, str], float]:
        """P-value of DeLong's test of each pair; none over folds or of several classes."""
        if not self.joined.is_binary or self.folds > 1:
            return {}
        probability, group = self.joined.probability, self.joined.group
        return {
            (a, b): delong_test(self.joined.target, probability[a], probability[b], group).p_value
            for a, b in combinations(self.names, 2)
        }

    @cached_property
    def distances(self) -> dict[str, DistanceToBest]:
        """Each model beside the best of the others, all at once; empty where there is one model."""
        if self._differences is None:
            return {}
        found = compare_with_best(
            self._differences, n=self.weights.groups.size, margin=self.settings.margin
        )
        return dict(zip(self.names, found, strict=True))

    @property
    def flattery(self) -> float | None:
        """By how much the best model is flattered by being picked; None where there is one."""
        if self._differences is None:
            return None
        estimate = np.array([self.bootstrapped[name].estimate[self.primary] for name in self.names])
        return winners_flattery(estimate, self._replicates, self._differences)

    @cached_property
    def _replicates(self) -> Floats:
        return np.stack([self.bootstrapped[name].replicates[self.primary] for name in self.names])

    @cached_property
    def _differences(self) -> PairedDifferences | None:
        if len(self.names) < 2:
            return None
        freedom = [pair.degrees_of_freedom for pair in self.pairs[self.primary]]
        values = [_by_fold(self.predictions[name]) for name in self.names]
        return paired_differences(
            np.array(values),
            self._replicates,
            folds=self.design.folds,
            n_train=self.design.n_train,
            n_test=self.design.n_test,
            degrees_of_freedom=min(freedom),
        )


def _by_fold(one: AnyPredictions) -> list[float]:
    """Return the primary metric of a model in each fold."""
    found = []
    for fold in one.fold_ids:
        mine = one.fold_id == fold
        if isinstance(one, Predictions):
            found.append(area_under_roc(one.target[mine] == 1, one.probability[mine]))
        else:
            target, right = one.target[mine], one.correct[mine]
            found.append(float(np.mean([right[target == k].mean() for k in np.unique(target)])))
    return found
