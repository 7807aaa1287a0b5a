"""A bundle's graph on photographs that it did not learn from: calibration, metrics, subgroups."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import expit

from melanoscope.data.subgroup_variables import subgroup_variables
from melanoscope.errors import BundleError, StatisticsError
from melanoscope.inference.manifest_records import (
    Calibration,
    Heldout,
    Subgroup,
    SubgroupLevel,
)
from melanoscope.runs.results import measure
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.calibration.calibration_intervals import observed_over_expected
from melanoscope.stats.calibration.temperature_scaling import apply_temperature, fit_temperature
from melanoscope.stats.intervals.crossval_interval import CrossValidation
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.compare_subgroups import compare_subgroups

if TYPE_CHECKING:
    from melanoscope.export.outputs import GraphOutputs
    from melanoscope.stats.arrays import Codes, Floats
    from melanoscope.stats.intervals.interval import Interval

_METRICS = ("auroc", "auprc", "brier", "calibration_slope", "calibration_intercept")


@dataclass(frozen=True, eq=False)
class Holdout:
    """Photographs that the network did not learn from, with the graph's logits.

    Attributes:
        frame: Rows of the catalog, with the columns image_id, target and group_id among others.
        logit: Logit of each row, shape (n,).
    """

    frame: pl.DataFrame
    logit: Floats

    @classmethod
    def join(cls, catalog: pl.DataFrame, outputs: GraphOutputs) -> Holdout:
        """Pair a catalog with a graph's `outputs` by id, in the catalog's order."""
        ids = pl.Series("image_id", outputs.image_id, pl.String)
        logits = pl.DataFrame([ids, pl.Series("logit", outputs.logit)])
        joined = catalog.join(logits, on="image_id", maintain_order="left")
        if not ids.n_unique() == joined["image_id"].n_unique() == len(ids) == joined.height:
            raise BundleError(
                f"each of {len(ids)} photographs once in the catalog",
                f"{joined['image_id'].n_unique()} of them in {joined.height} rows",
                "export from the run's own catalog",
            )
        return cls(joined.drop("logit"), joined["logit"].to_numpy())

    @property
    def target(self) -> Codes:
        """1 for positive lesions, 0 for the others, shape (n,)."""
        return self.frame["target"].to_numpy().astype(np.int64)

    @property
    def group(self) -> Codes:
        """Codes of the groups, shape (n,)."""
        return self.frame["group_id"].rank("dense").to_numpy().astype(np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of photographs, positives and groups, as fields of `manifest_records.Counts`."""
        return {
            "photographs": self.frame.height,
            "positives": int(self.target.sum()),
            "groups": self.frame["group_id"].n_unique(),
        }


def fit_calibration(holdout: Holdout) -> Calibration:
    """Fit the temperature on calibration photographs; it is 1 where none fits best."""
    temperature, method, why = 1.0, None, None
    try:
        temperature = fit_temperature(holdout.target, expit(holdout.logit))
        method = "temperature scaling (Guo et al. 2017)"
    except StatisticsError as error:
        why = str(error)
    return Calibration(
        temperature=temperature,
        prevalence=float(holdout.target.mean()),
        method=method,
        why=why,
        **holdout.counts,
    )


@dataclass(frozen=True, eq=False)
class TestResults:
    """The test photographs with all that needs no threshold.

    Attributes:
        predictions: Calibrated probabilities of the photographs of `holdout`.
        metrics: Metric -> interval; without those that some replicate has no class for.
    """

    holdout: Holdout
    predictions: Predictions
    metrics: dict[str, Interval]


def evaluate(holdout: Holdout, temperature: float, replicates: int) -> TestResults:
    """Measure what needs no threshold; logits are divided by `temperature` first."""
    n = holdout.frame.height
    predictions = Predictions(
        target=holdout.target,
        probability=apply_temperature(expit(holdout.logit), temperature),
        threshold=np.full(n, 0.5),
        fold_id=np.zeros(n, np.int64),
        group=holdout.group,
        image_index=np.arange(n, dtype=np.int64),
    )
    # One network, tested on photographs that it was not trained on: there is nothing to widen by.
    design = CrossValidation(1, n, n)
    metrics: dict[str, Interval] = {}
    with suppress(StatisticsError):  # too few groups for any interval
        bootstrap = group_bootstrap(predictions, metrics=("auroc", "auprc"), replicates=replicates)
        for metric in _METRICS:
            found = measure(predictions, bootstrap, metric, design)
            if not isinstance(found, str):  # why there is none: the classes are separated
                metrics[metric] = found
    metrics["observed_over_expected"] = observed_over_expected(
        predictions.target, predictions.probability, predictions.group
    )
    return TestResults(holdout=holdout, predictions=predictions, metrics=metrics)


def evaluate_subgroups(results: TestResults, threshold: float) -> tuple[Subgroup, ...]:
    """Measure test photographs by sex, age, site, archive and skin tone, at a logit."""
    # Both sides go through the same sigmoid: calibration would round a second time.
    predictions = replace(
        results.predictions,
        probability=expit(results.holdout.logit),
        threshold=np.full(results.holdout.logit.size, float(expit(threshold))),
    )
    subgroups = []
    for name, labels, order in subgroup_variables(results.holdout.frame):
        variable = compare_subgroups(
            predictions,
            name=name,
            labels=labels,
            order=order,
            calibrated_probability=results.predictions.probability,
            tested=(),
        )
        levels = tuple(
            SubgroupLevel(
                level=level.name,
                n=level.n,
                positives=level.positives,
                groups=level.groups,
                too_small=level.too_small,
                auroc=level.metrics.get("auroc"),
                sensitivity=level.metrics.get("sensitivity"),
                specificity=level.metrics.get("specificity"),
            )
            for level in variable.levels
        )
        subgroups.append(Subgroup(name=name, levels=levels))
    return tuple(subgroups)


def describe_heldout(holdout: Holdout) -> Heldout:
    """Count the test photographs and return quantiles of the logits of each class."""
    at = np.linspace(0, 1, 101)
    positive_logits, other_logits = (
        tuple(np.quantile(holdout.logit[holdout.target == label], at).tolist()) for label in (1, 0)
    )
    return Heldout(positive_logits=positive_logits, other_logits=other_logits, **holdout.counts)
