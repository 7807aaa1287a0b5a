"""Calibration of the best network: before and after a temperature fitted on validation groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import INK, MUTED, mark_simulated, styled
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.runs.results import measure
from melanoscope.stats.arrays import Floats
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.bootstrap.weighted_metrics import PROBABILITY_METRICS
from melanoscope.stats.calibration.calibration_error import CalibrationBin, calibration_curve
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
    """

    label: str
    temperatures: tuple[float, ...]
    before: dict[str, Interval | None]
    after: dict[str, Interval | None]


def calibration_section(context: ReportContext) -> Section | None:
    """Show how far the best network's probabilities can be taken at their word."""
    if context.best is None:
        return None
    predictions = context.predictions[context.best]
    scaled = calibrated_predictions(context, context.best)
    after = group_bootstrap(
        scaled, metrics=("expected_calibration_error",), replicates=context.replicates
    )
    design = context.design(context.best)
    calibration = Calibration(
        label=context.label(context.best),
        temperatures=tuple(_temperatures(context, context.best).values()),
        before={metric: context.interval(context.best, metric) for metric in PROBABILITY_METRICS},
        after={
            metric: None
            if isinstance(found := measure(scaled, after, metric, design), str)
            else found
            for metric in PROBABILITY_METRICS
        },
    )
    bins = [calibration_curve(p.target, p.probability) for p in (predictions, scaled)]
    positives = context.run.target.plural
    figure = ReportFigure(
        name="reliability",
        figure=_reliability_figure(bins, positives, simulated=context.run.simulated),
        alt=f"Observed share of {positives} against predicted probability, before and after "
        "scaling.",
        caption="Reliability of the best network on test photographs, in ten bins of equal size: "
        f"predicted probability against the observed share of {positives} (Wilson 95 % intervals, "
        "as if photographs were independent). Left: as it is; right: after temperature scaling.",
    )
    numbers = {
        "calibration": calibration,
        "bins_before": [_bin_numbers(b) for b in bins[0]],
        "bins_after": [_bin_numbers(b) for b in bins[1]],
    }
    return Section("calibration", "Calibration", numbers, numbers, (figure,))


def _bin_numbers(calibration_bin: CalibrationBin) -> dict[str, float]:
    """Return a bin as evidence.json has it."""
    observed = calibration_bin.observed
    return {
        "predicted": calibration_bin.predicted,
        "observed": observed.estimate,
        "low": observed.low,
        "high": observed.high,
        "n": observed.n,
    }


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


def _reliability_figure(
    bins: Sequence[tuple[CalibrationBin, ...]], positives: str, *, simulated: bool
) -> Figure:
    with styled():
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        titles = ("As the network says", "After temperature scaling")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, curve, title in zip(panels, bins, titles, strict=True):
            axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
            x, y = [b.predicted for b in curve], [b.observed.estimate for b in curve]
            # At shares of 0 and 1 the bounds may miss the share by a rounding.
            bars = [
                [max(b.observed.estimate - b.observed.low, 0) for b in curve],
                [max(b.observed.high - b.observed.estimate, 0) for b in curve],
            ]
            axes.errorbar(x, y, yerr=bars, fmt="o", color="#0072B2", markersize=4.5, linewidth=1.3)
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", title=title)
            axes.set_xlabel("Predicted probability", color=INK)
        panels[0].set_ylabel(f"Observed share of {positives}", color=INK)
        mark_simulated(figure, simulated)
    return figure
