"""Calibration of the best network: before and after a temperature fitted on validation groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.calibration_figure import CalibrationPanel, calibration_figure
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.stats.arrays import Floats
from melanoscope.stats.calibration.calibration_error import CalibrationBin, calibration_bins
from melanoscope.stats.calibration.flexible_curve import FlexibleCurve, flexible_curve
from melanoscope.stats.calibration.probability_metrics import (
    PROBABILITY_METRICS,
    probability_interval,
)
from melanoscope.stats.calibration.temperature_scaling import (
    apply_temperature,
    fit_temperature,
)
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.predictions import Predictions


@dataclass(frozen=True)
class Calibration:
    """A network before and after temperature scaling.

    Attributes:
        label: Name for readers.
        temperatures: One for each fold of each repeat and seed; 1 where none fits.
        before: Metric -> interval of the probabilities as the network gives them.
        after: Metric -> interval of the probabilities after scaling.
        distance_before: "ici", "e50" and "e90" of the curve before; empty without one.
        distance_after: The same after scaling.
        missing: Why numbers are missing, each reason once.
    """

    label: str
    temperatures: tuple[float, ...]
    before: dict[str, Interval | None]
    after: dict[str, Interval | None]
    distance_before: dict[str, float]
    distance_after: dict[str, float]
    missing: tuple[str, ...]


def calibration_section(context: ReportContext) -> Section | None:
    """Show how far the best network's probabilities can be taken at their word."""
    if context.best is None:
        return None
    widening = context.design(context.best).factor
    both = (context.predictions[context.best], calibrated_predictions(context, context.best))
    measured = [_measure(predictions, widening) for predictions in both]
    curves = [_curve(predictions, widening) for predictions in both]
    reasons = [found for one in measured for found in one.values() if isinstance(found, str)]
    calibration = Calibration(
        label=context.label(context.best),
        temperatures=tuple(_temperatures(context, context.best).values()),
        before=_known(measured[0]),
        after=_known(measured[1]),
        distance_before=_distances(curves[0]),
        distance_after=_distances(curves[1]),
        missing=tuple(dict.fromkeys([*reasons, *(c for c in curves if isinstance(c, str))])),
    )
    panels = tuple(
        CalibrationPanel(title, one.target, one.probability, _bins(one), curve)
        for title, one, curve in zip(
            ("As the network says", "After temperature scaling"), both, curves, strict=True
        )
    )
    numbers = {
        "calibration": calibration,
        "bins_before": [asdict(b) for b in panels[0].bins],
        "bins_after": [asdict(b) for b in panels[1].bins],
        "curve_before": _points(curves[0]),
        "curve_after": _points(curves[1]),
    }
    figure = _figure(context, panels, widened=widening > 1)
    return Section("calibration", "Calibration", numbers, numbers, (figure,))


def _figure(
    context: ReportContext, panels: tuple[CalibrationPanel, ...], *, widened: bool
) -> ReportFigure:
    positives = context.run.target.plural
    return ReportFigure(
        name="reliability",
        figure=calibration_figure(panels, positives, simulated=context.run.simulated),
        alt=f"Observed share of {positives} against predicted probability, before and after "
        "scaling, over histograms of the probabilities.",
        caption="Calibration curve of the best network on test photographs: logistic regression of "
        "the outcome on a restricted cubic spline of the logit, with a 95 % band for each point by "
        "itself, over groups"
        + (" and widened for cross-validation" if widened else "")
        + f". On the dashed line as many {positives} were found as the probability says. Dots: "
        "means of bins of equal size, to see the curve by. Below: the probabilities, as a share of "
        f"all {positives} (upwards) and of all others (downwards); heights are its square roots.",
    )


def _measure(predictions: Predictions, widening: float) -> dict[str, Interval | str]:
    """Return each metric with its interval, or why there is none."""
    found: dict[str, Interval | str] = {}
    for metric in PROBABILITY_METRICS:
        try:
            found[metric] = probability_interval(predictions, metric, widening=widening)
        except StatisticsError as error:
            found[metric] = str(error)
    return found


def _known(measured: Mapping[str, Interval | str]) -> dict[str, Interval | None]:
    return {name: None if isinstance(one, str) else one for name, one in measured.items()}


def _curve(predictions: Predictions, widening: float) -> FlexibleCurve | str:
    """Return the flexible curve, or why there is none."""
    sample = predictions.target, predictions.probability, predictions.group
    try:
        return flexible_curve(*sample, widening=widening)
    except StatisticsError as error:
        return str(error)


def _bins(predictions: Predictions) -> tuple[CalibrationBin, ...]:
    return calibration_bins(predictions.target, predictions.probability)


def _distances(curve: FlexibleCurve | str) -> dict[str, float]:
    if isinstance(curve, str):
        return {}
    return {"ici": curve.ici, "e50": curve.e50, "e90": curve.e90}


def _points(curve: FlexibleCurve | str) -> dict[str, Any] | str:
    """Return a curve as evidence.json has it."""
    if isinstance(curve, str):
        return curve
    names = ("predicted", "observed", "low", "high")
    return {name: getattr(curve, name).tolist() for name in names}


@lru_cache(maxsize=32)
def _temperatures(context: ReportContext, key: RowKey) -> dict[int, float]:
    """Fit the temperature of each trained network on its validation photographs."""
    validation = context.validation(key)
    temperatures = {}
    for fold_id in validation.fold_ids:
        rows = validation.where(validation.fold_id == fold_id)
        try:
            temperatures[int(fold_id)] = fit_temperature(rows.target, rows.probability)
        except StatisticsError:
            temperatures[int(fold_id)] = 1.0
    return temperatures


@lru_cache(maxsize=32)
def calibrated_predictions(context: ReportContext, key: RowKey) -> Predictions:
    """Return a network's test predictions after each fold's own temperature."""
    predictions = context.predictions[key]
    scaled: Floats = np.empty_like(predictions.probability)
    for fold_id, temperature in _temperatures(context, key).items():
        rows = predictions.fold_id == fold_id
        scaled[rows] = apply_temperature(predictions.probability[rows], temperature)
    return predictions.with_probability(scaled)
