"""What a sealed graph does on photographs it never learnt from: metrics, thresholds, subgroups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from melanoscope.data.subgroup_variables import UNKNOWN, subgroup_variables
from melanoscope.errors import StatisticsError
from melanoscope.runs.results import interval_of
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.calibration.calibration_intervals import observed_over_expected
from melanoscope.stats.calibration.temperature_scaling import apply_temperature, fit_temperature
from melanoscope.stats.metrics.operating_points import operating_point
from melanoscope.stats.metrics.thresholds import (
    highest_f1,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.stats.subgroups.compare_subgroups import compare_subgroups

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.intervals.interval import Interval

    Codes = NDArray[np.int64]
    Floats = NDArray[np.float64]

METRICS = ("auroc", "auprc", "brier", "calibration_slope", "calibration_intercept")
SENSITIVITY = 0.95
QUANTILES = 101


@dataclass(frozen=True, eq=False)
class Holdout:
    """Photographs that the network did not learn from, with what the graph says of them.

    Attributes:
        frame: Rows of the catalog.
        logit: Shape (n,).
    """

    frame: pl.DataFrame
    logit: Floats

    @property
    def target(self) -> Codes:
        """Shape (n,), 0 or 1."""
        return self.frame["target"].to_numpy().astype(np.int64)

    @property
    def group(self) -> Codes:
        """Codes of the groups, shape (n,)."""
        return self.frame["group_id"].rank("dense").to_numpy().astype(np.int64)

    @property
    def counts(self) -> dict[str, int]:
        """Photographs, melanomas and groups."""
        return {
            "photographs": self.frame.height,
            "melanomas": int(self.target.sum()),
            "groups": self.frame["group_id"].n_unique(),
        }


def calibrate(part: Holdout) -> dict[str, Any]:
    """Fit the temperature on the calibration part; 1, and why, where none fits best."""
    found: dict[str, Any] = {**part.counts, "prevalence": float(part.target.mean())}
    try:
        temperature = fit_temperature(part.target, expit(part.logit))
    except StatisticsError as error:
        return {"temperature": 1.0, "why": str(error), **found}
    return {"temperature": temperature, "method": "temperature scaling (Guo et al. 2017)", **found}


@dataclass(frozen=True)
class Rule:
    """How one threshold is chosen on the calibration part; the first rule's is the main one."""

    key: str
    name: str
    meaning: str
    choose: Callable[[Codes, Floats], float]


RULES: tuple[Rule, ...] = (
    Rule(
        "sensitivity_95",
        "95 % sensitivity",
        "set to recognise 95 % of the melanomas of the calibration part: misses few, alarms often",
        lambda target, p: threshold_for_sensitivity(target, p, SENSITIVITY),
    ),
    Rule(
        "specificity_dermatologists",
        "specificity of dermatologists",
        f"set to leave alone {100 * DERMATOLOGISTS.specificity:.1f} % of the other lesions of the "
        "calibration part, as dermatologists do in a meta-analysis of 92 studies",
        lambda target, p: threshold_for_specificity(target, p, DERMATOLOGISTS.specificity),
    ),
    Rule(
        "highest_f1",
        "highest F1",
        "set to balance missed melanomas and false alarms on the calibration part",
        highest_f1,
    ),
)


def choose_thresholds(part: Holdout) -> dict[str, float]:
    """Choose each rule's threshold on the calibration part, as a logit.

    The rules work on 0..1. Ranks go there without rounding, which a sigmoid would not; a threshold
    between two neighbouring logits becomes their middle.
    """
    order = np.unique(part.logit)
    scale = np.arange(1, order.size + 1) / (order.size + 1)
    ranked = scale[np.searchsorted(order, part.logit)]
    found = {}
    for rule in RULES:
        chosen = rule.choose(part.target, ranked)
        after = int(np.searchsorted(scale, chosen))
        if after == order.size:  # above all: nothing is called
            found[rule.key] = float(np.nextafter(order[-1], np.inf))
        elif scale[after] == chosen:
            found[rule.key] = float(order[after])
        else:
            found[rule.key] = float(order[max(after - 1, 0) : after + 1].mean())
    return found


@dataclass(frozen=True, eq=False)
class TestResults:
    """The test part with its draws: everything that is measured rests on the same.

    Attributes:
        part: The photographs.
        predictions: Calibrated probabilities.
        draws: Of the groups.
        metrics: Metric -> interval; without those that some replicate has no class for.
    """

    part: Holdout
    predictions: Predictions
    draws: BootstrapWeights
    metrics: dict[str, Interval]


def evaluate(part: Holdout, temperature: float, replicates: int) -> TestResults:
    """Measure what needs no threshold."""
    n = part.frame.height
    probability = apply_temperature(expit(part.logit), temperature)
    predictions = Predictions(
        target=part.target,
        probability=probability,
        threshold=np.full(n, 0.5),
        fold_id=np.zeros(n, np.int64),
        group=part.group,
        image_index=np.arange(n, dtype=np.int64),
    )
    ranked = ("auroc", "auprc")
    drawn = group_bootstrap(predictions, metrics=ranked, replicates=replicates)
    metrics = {}
    for metric in METRICS:
        try:
            found = interval_of(predictions, drawn, metric)
        except StatisticsError:
            continue  # no finite calibration line: the classes are separated
        if found is not None:
            metrics[metric] = found
    metrics["observed_over_expected"] = observed_over_expected(
        predictions.target, predictions.probability, predictions.group
    )
    return TestResults(part, predictions, drawn.weights, metrics)


def measure_thresholds(
    tested: TestResults, logits: dict[str, float], prevalence: float
) -> list[dict[str, Any]]:
    """Say of each threshold what it was chosen for and what it does on the test part."""
    found = []
    for rule in RULES:
        called = (tested.part.logit >= logits[rule.key]).astype(np.float64)
        point = operating_point(
            tested.predictions.with_probability(called),
            tested.draws,
            name=rule.name,
            threshold=np.full(called.size, 0.5),
            prevalence=prevalence,
        )
        found.append(
            {
                "key": rule.key,
                "name": rule.name,
                "meaning": rule.meaning,
                "logit": logits[rule.key],
                "sensitivity": entry(point.sensitivity),
                "specificity": entry(point.specificity),
                "ppv": entry(point.ppv),
                "npv": entry(point.npv),
                "prevalence": prevalence,
            }
        )
    return found


def measure_subgroups(tested: TestResults, logit: float) -> list[dict[str, Any]]:
    """Measure the test part by sex, age, site, archive and skin tone, at one threshold."""
    # Called or not by the logit itself: probabilities would be rounded twice.
    predictions = replace(
        tested.predictions,
        probability=expit(tested.part.logit),
        threshold=np.full(tested.part.logit.size, float(expit(logit))),
    )
    found = []
    for name, labels, order in subgroup_variables(tested.part.frame):
        variable = compare_subgroups(
            predictions,
            tested.draws,
            name=name,
            labels=labels,
            order=order,
            calibrated_probability=tested.predictions.probability,
            tested=[level for level in order if level != UNKNOWN],
        )
        levels = [
            {
                "level": level.name,
                "n": level.n,
                "melanomas": level.melanomas,
                "groups": level.groups,
                "too_small": level.too_small,
                **{
                    metric: entry(level.metrics.get(metric))
                    for metric in ("auroc", "sensitivity", "specificity")
                },
            }
            for level in variable.levels
        ]
        found.append({"name": name, "levels": levels})
    return found


def quantiles(part: Holdout) -> dict[str, Any]:
    """Logits of the test part by class, from the 0th to the 100th per cent."""
    at = np.linspace(0, 1, QUANTILES)
    return {
        **part.counts,
        **{
            name: np.quantile(part.logit[part.target == label], at).tolist()
            for name, label in (("melanoma_logits", 1), ("other_logits", 0))
        },
    }


def entry(interval: Interval | None) -> dict[str, Any] | None:
    """Return an interval as plain values; None stays None."""
    if interval is None:
        return None
    return {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "unit": interval.unit,
        "method": interval.method,
        "confidence": interval.confidence,
    }
