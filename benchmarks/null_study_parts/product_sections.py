"""The sections of a report about one network: calibration, decisions, subgroups."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from scipy.special import expit, logit

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_error import _choose_bins, calibration_error_interval
from melanoscope.stats.calibration.calibration_intervals import observed_over_expected
from melanoscope.stats.calibration.flexible_curve import flexible_curve
from melanoscope.stats.calibration.probability_metrics import probability_interval
from melanoscope.stats.intervals.interval import ALPHA, Interval
from melanoscope.stats.metrics.decision_curve import decision_curve
from melanoscope.stats.metrics.operating_points import operating_point
from melanoscope.stats.metrics.thresholds import threshold_for_sensitivity
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.compare_subgroups import adjust_family, compare_subgroups
from null_study_parts.population import Mixture, decided, prevalence, truths
from null_study_parts.record import Record
from null_study_parts.trained import Trained

LINE = ("brier", "calibration_slope", "calibration_intercept")
RISKS = (0.1, 0.2, 0.4)
# Points of the flexible curve that are looked at, of those it is drawn through.
CURVE = 5
SENSITIVITY = 0.95
VARIABLES = {"sex": 2, "age": 3, "site": 4}
"""Levels of each made-up variable, drawn for each group whatever its photographs hold."""


def calibration(record: Record, study: Trained, arm: int, widening: float) -> None:
    """Calibration of the tempered probabilities, folds pooled."""
    found = study.predictions(arm, tempered=True)
    true = Mixture(study.setting, study.cells, arm)
    wanted = true.metrics()
    sample = found.target, found.probability, found.group
    for metric in LINE:
        interval: Interval | None = None
        with suppress(StatisticsError):
            interval = probability_interval(found, metric, widening=widening)
        record.intervals(metric, [interval], [wanted[metric]])
    with suppress(StatisticsError):
        ratio = observed_over_expected(*sample, widening=widening)
        record.intervals("observed over expected", [ratio], [wanted["observed_expected"]])
    with suppress(StatisticsError):
        error = calibration_error_interval(*sample, widening=widening)
        record.intervals("calibration error", [error], [_binned(true, found)])
    nothing = np.full(CURVE, np.nan)
    low, high, observed, rate = nothing, nothing, nothing, nothing
    with suppress(StatisticsError):
        curve = flexible_curve(*sample, widening=widening)
        at = np.linspace(0, curve.predicted.size - 1, CURVE).round().astype(int)
        low, high, observed = curve.low[at], curve.high[at], curve.observed[at]
        rate = true.rate(curve.predicted[at])
    record.band("flexible calibration curve", low, high, observed, rate)


def _binned(true: Mixture, found: Predictions) -> float:
    """The true gaps of the bins that the package chose for these photographs."""
    member = np.unique(found.group, return_inverse=True)[1]
    bins = _choose_bins(found.probability, member)
    x = logit(found.probability)
    lowest = np.array([x[bins == b].min() for b in range(1, int(bins.max()) + 1)])
    return true.binned_error(lowest, np.bincount(bins) / bins.size)


def decisions(record: Record, study: Trained, arm: int, widening: float) -> None:
    """The threshold that guarantees a sensitivity, what it does, and the decision curve."""
    cells, setting = study.cells, study.setting
    share = prevalence(setting)
    chosen = []
    for cell in cells:
        rows = cell.checked
        chosen.append(
            threshold_for_sensitivity(
                study.study.target[rows],
                expit(cell.validation[arm]),
                study.study.group[rows],
                SENSITIVITY,
            )
        )
    low, high = (np.array([cell.mean[side, arm] for cell in cells]) for side in (0, 1))
    spread = np.array([cell.spread[arm] for cell in cells])
    threshold = np.array([one.threshold for one in chosen])
    sensitivity, specificity = decided(low, high, spread, logit(threshold))
    guaranteed = np.array([one.guaranteed for one in chosen])
    record.below("guaranteed sensitivity of a threshold", guaranteed.tolist(), sensitivity.tolist())
    raw = study.predictions(arm)
    point = operating_point(
        raw,
        name="",
        threshold=np.repeat(threshold, [cell.rows.size for cell in cells]),
        prevalence=share,
        widening=widening,
    )
    caught, spared = float(sensitivity.mean()), float(specificity.mean())
    record.intervals("sensitivity at the guarantee", [point.sensitivity], [caught])
    record.intervals("specificity at the guarantee", [point.specificity], [spared])
    ppv = share * caught / (share * caught + (1 - share) * (1 - spared))
    npv = (1 - share) * spared / ((1 - share) * spared + share * (1 - caught))
    record.intervals("PPV", [point.ppv], [ppv])
    record.intervals("NPV", [point.npv], [npv])
    _net_benefit(record, study, arm, widening)


def _net_benefit(record: Record, study: Trained, arm: int, widening: float) -> None:
    share = prevalence(study.setting)
    curve = decision_curve(
        study.predictions(arm, tempered=True),
        prevalence=share,
        thresholds=np.array(RISKS),
        widening=widening,
    )
    low, high = (np.array([cell.mean[side, arm] for cell in study.cells]) for side in (0, 1))
    spread = np.array([cell.spread[arm] for cell in study.cells])
    temperature = np.array([cell.temperature[arm] for cell in study.cells])
    benefit = []
    for risk in RISKS:
        caught, spared = decided(low, high, spread, temperature * logit(risk))
        wrong = (1 - share) * (1 - spared.mean()) * risk / (1 - risk)
        benefit.append(share * caught.mean() - wrong)
    record.band("net benefit", curve.low, curve.high, curve.network, np.array(benefit))


def subgroups(record: Record, study: Trained, widening: float, rng: np.random.Generator) -> None:
    """Subgroups that differ in nothing: how often is a difference found, and do intervals hold?"""
    predictions = study.predictions(0)
    tempered = study.predictions(0, tempered=True).probability
    true = truths(study.setting, study.cells, 0)
    groups = int(study.study.group.max()) + 1
    variables = []
    for name, levels in VARIABLES.items():
        words = np.array([f"{name} {i}" for i in range(levels)], object)
        labels = words[rng.integers(levels, size=groups)][predictions.group]
        variables.append(
            compare_subgroups(
                predictions,
                name=name,
                labels=labels,
                order=words.tolist(),
                calibrated_probability=tempered,
                widening=widening,
            )
        )
    adjusted = adjust_family(variables)
    tests = [one for variable in adjusted for one in variable.differences]
    record.claims("subgroups: any difference on the page", [any(t.p_holm < ALPHA for t in tests)])
    for metric in ("auroc", "sensitivity"):
        # The first level of the first variable stands for all, so that each study counts once.
        level = adjusted[0].levels[0]
        record.intervals(f"subgroup {metric}", [level.metrics.get(metric)], [true[metric]])
        differences = [t.difference for t in tests if t.metric == metric][:1]
        record.intervals(f"subgroup {metric}, difference", differences or [None], [0.0])
    record.claims("subgroups: any page with a test", [bool(tests)])
