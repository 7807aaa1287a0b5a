"""Calibration of the best network: before and after a temperature fitted on validation groups."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.style import INK, MUTED, mark_simulated, styled
from melanoscope.report.sections.section import Section, SectionFigure
from melanoscope.runs.results import interval_of, validation_of
from melanoscope.stats.bootstrap.group_bootstrap import PROBABILITY_METRICS, group_bootstrap
from melanoscope.stats.calibration.temperature_scaling import (
    apply_temperature,
    calibration_curve,
    fit_temperature,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoscope.runs.cell import RowKey
    from melanoscope.stats.calibration.temperature_scaling import CalibrationBin
    from melanoscope.stats.intervals.interval import Interval
    from melanoscope.stats.predictions import Floats, Predictions


@dataclass(frozen=True)
class Calibration:
    """A network before and after temperature scaling.

    Attributes:
        label: Name for readers.
        temperatures: One per part, fitted on its validation photographs; 1 where none fits best.
        before: Metric -> interval, as the network gives them.
        after: Likewise after scaling.
    """

    label: str
    temperatures: tuple[float, ...]
    before: dict[str, Interval | None]
    after: dict[str, Interval | None]


def calibration(study: ReportContext) -> Section | None:
    """Show how far the best network's probabilities can be taken at their word."""
    if study.best is None:
        return None
    one = study.predictions[study.best]
    scaled = calibrated(study, study.best)
    temperatures = tuple(_temperatures(study, study.best).values())
    after = group_bootstrap(
        scaled, metrics=("expected_calibration_error",), replicates=study.replicates
    )
    found = Calibration(
        study.label(study.best),
        temperatures,
        {metric: study.interval(study.best, metric) for metric in PROBABILITY_METRICS},
        {metric: interval_of(scaled, after, metric) for metric in PROBABILITY_METRICS},
    )
    bins = [calibration_curve(p.target, p.probability) for p in (one, scaled)]
    figure = _reliability_figure(bins, simulated=study.run.simulated)
    drawing = SectionFigure(
        "reliability",
        figure,
        "Observed share of melanomas against predicted probability, before and after scaling.",
        "Reliability of the best network on test photographs, in ten bins of equal size: predicted "
        "probability against the observed share of melanomas (Wilson 95 % intervals, as if "
        "photographs were independent). Left: as it is; right: after temperature scaling.",
    )
    numbers = {"calibration": found, "bins_before": bins[0], "bins_after": bins[1]}
    return Section("calibration", "Calibration", numbers, numbers, (drawing,))


@lru_cache(maxsize=32)
def _temperatures(study: ReportContext, key: RowKey) -> dict[int, float]:
    """Part -> temperature."""
    held = validation_of(study.run, *key)
    found = {}
    for part in held.parts:
        mine = held.part == part
        try:
            found[int(part)] = fit_temperature(held.target[mine], held.probability[mine])
        except StatisticsError:
            found[int(part)] = 1.0
    return found


@lru_cache(maxsize=32)
def calibrated(study: ReportContext, key: RowKey) -> Predictions:
    """A network's test predictions after each part's temperature.

    The temperature of a part is fitted on its validation photographs, which no group shares with
    its test photographs.
    """
    one = study.predictions[key]
    scaled: Floats = np.empty_like(one.probability)
    for part, temperature in _temperatures(study, key).items():
        mine = one.part == part
        scaled[mine] = apply_temperature(one.probability[mine], temperature)
    return one.with_probability(scaled)


def _reliability_figure(bins: Sequence[tuple[CalibrationBin, ...]], *, simulated: bool) -> Figure:
    with styled():
        figure = Figure(figsize=(7.6, 3.9), layout="constrained")
        titles = ("As the network says", "After temperature scaling")
        for axes, mine, title in zip(figure.subplots(1, 2, sharey=True), bins, titles, strict=True):
            axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
            x, y = [b.predicted for b in mine], [b.observed for b in mine]
            # At shares of 0 and 1 the bounds may miss the share by a rounding.
            bars = [
                [max(b.observed - b.low, 0) for b in mine],
                [max(b.high - b.observed, 0) for b in mine],
            ]
            axes.errorbar(x, y, yerr=bars, fmt="o", color="#0072B2", markersize=4.5, linewidth=1.3)
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", title=title)
            axes.set_xlabel("Predicted probability", color=INK)
        figure.axes[0].set_ylabel("Observed share of melanomas", color=INK)
        mark_simulated(figure, simulated)
    return figure
