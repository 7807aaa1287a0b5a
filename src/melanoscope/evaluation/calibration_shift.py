"""Probabilities of a network on another archive: as they are, after prior shift, recalibrated."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import expit

from melanoscope.data.folds import assign_folds
from melanoscope.errors import DataError, StatisticsError
from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.stats.arrays import Floats
from melanoscope.stats.calibration.calibration_intervals import observed_over_expected
from melanoscope.stats.calibration.probability_metrics import (
    PROBABILITY_METRICS,
    probability_interval,
)
from melanoscope.stats.calibration.recalibration import (
    RecalibrationCost,
    cross_fitted,
    photographs_needed,
    recalibration_cost,
)
from melanoscope.stats.intervals.interval import Interval

AS_IS = "as the bundle answers"
PRIOR_SHIFT = "after prior shift"
INTERCEPT = "intercept refitted"
BOTH = "intercept and slope refitted"
OVER_EXPECTED = "observed_over_expected"
FOLDS = 10


@dataclass(frozen=True, kw_only=True)
class CalibrationVariant:
    """Calibration of the probabilities that one step gives.

    Attributes:
        name: `AS_IS`, `PRIOR_SHIFT`, `INTERCEPT` or `BOTH`.
        metrics: Each of `PROBABILITY_METRICS` and `OVER_EXPECTED` -> its interval; None where it
            has none.
    """

    name: str
    metrics: dict[str, Interval | None]


@dataclass(frozen=True, kw_only=True)
class CalibrationShift:
    """What becomes of calibration, and what mending it costs.

    Attributes:
        assumed: Prevalence that the bundle assumes where none is stated.
        prevalence: Share of positives of this archive.
        variants: From the probabilities as they are to those recalibrated here.
        costs: What recalibration (intercept and slope) by some labelled photographs of this archive
            improves over prior shift, on the others.
        needed: The smallest of `costs` that improves nearly every draw; None where none does.
        missing: Why there is no recalibration; empty where there is.
    """

    assumed: float
    prevalence: float
    variants: tuple[CalibrationVariant, ...]
    costs: tuple[RecalibrationCost, ...]
    needed: RecalibrationCost | None
    missing: str


def calibrations(sample: EvaluationSample, seed: int) -> tuple[dict[str, Floats], str]:
    """Return the probabilities after each step, (n,) each, and why the last ones are missing."""
    found = {
        AS_IS: expit(sample.calibrated_logit(sample.manifest.prevalence)),
        PRIOR_SHIFT: expit(shifted := sample.calibrated_logit(sample.prevalence)),
    }
    target = sample.target
    try:
        groups = sample.readable["group_id"].to_list()
        fold = assign_folds(groups, target.tolist(), FOLDS, seed)
        for name in (INTERCEPT, BOTH):
            found[name] = cross_fitted(target, shifted, fold, slope=name == BOTH)
    except (DataError, StatisticsError) as error:
        return found, str(error)
    return found, ""


def calibration_shift(sample: EvaluationSample, seed: int) -> CalibrationShift:
    """Measure calibration after each step, and what recalibration costs."""
    found, missing = calibrations(sample, seed)
    shifted = sample.calibrated_logit(sample.prevalence)
    costs = recalibration_cost(sample.target, shifted, sample.group, seed=seed)
    return CalibrationShift(
        assumed=sample.manifest.prevalence,
        prevalence=sample.prevalence,
        variants=tuple(
            CalibrationVariant(name=name, metrics=_metrics(sample, probability))
            for name, probability in found.items()
        ),
        costs=costs,
        needed=photographs_needed(costs),
        missing=missing,
    )


def _metrics(sample: EvaluationSample, probability: Floats) -> dict[str, Interval | None]:
    predictions = sample.predictions(probability)
    found: dict[str, Interval | None] = {}
    for metric in PROBABILITY_METRICS:
        try:
            found[metric] = probability_interval(predictions, metric)
        except StatisticsError:
            found[metric] = None
    try:
        over = observed_over_expected(predictions.target, probability, predictions.group)
    except StatisticsError:
        over = None
    return {**found, OVER_EXPECTED: over}
