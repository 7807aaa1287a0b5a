"""The calibration curve with its band, over a histogram of the probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from melanoscope.report.figures.style import INK, MUTED, mark_simulated, styled
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.calibration.calibration_error import CalibrationBin
from melanoscope.stats.calibration.flexible_curve import FlexibleCurve

_CURVE, _OTHERS = "#0072B2", "#8f99a3"
_COLUMNS = 4
_EDGES = np.linspace(0, 1, 51)


@dataclass(frozen=True, eq=False)
class CalibrationPanel:
    """What one half of the figure shows.

    Attributes:
        title: Words above it.
        target: 1 for positives, 0 for negatives, shape (n,).
        probability: Predicted probability of the positive class, 0..1, shape (n,).
        bins: Dots.
        curve: The curve with its band, or why there is none.
    """

    title: str
    target: Codes
    probability: Floats
    bins: tuple[CalibrationBin, ...]
    curve: FlexibleCurve | str


def calibration_figure(
    panels: Sequence[CalibrationPanel], positives: str, *, simulated: bool
) -> Figure:
    """Draw `panels` beside each other, in rows of so many; `positives` is for readers."""
    rows = ceil(len(panels) / _COLUMNS)
    columns = ceil(len(panels) / rows)
    width = 7.6 if columns <= 2 else 2.5 * columns
    height = 4.9 if columns <= 2 else 3.3
    with styled():
        figure = Figure(figsize=(width, height * rows), layout="constrained")
        axes = figure.subplots(
            *(2 * rows, columns),
            sharex=True,
            sharey="row",
            squeeze=False,
            height_ratios=(4, 1) * rows,
        )
        for i, panel in enumerate(panels):
            row, column = divmod(i, columns)
            above, below = axes[2 * row : 2 * row + 2, column]
            _draw_curve(above, panel)
            _draw_probabilities(below, panel)
            below.set_xlabel("Predicted probability", color=INK)
            below.tick_params(labelbottom=True)
            if column == 0:
                above.set_ylabel(f"Observed share of {positives}", color=INK)
                below.set_ylabel("Probabilities" if columns <= 2 else "", color=INK)
        for unused in axes[-2:, len(panels) - columns * rows + columns :].flat:
            unused.set_visible(False)
        mark_simulated(figure, simulated)
    return figure


def _draw_curve(axes: Axes, panel: CalibrationPanel) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (3, 3)))
    curve = panel.curve
    if isinstance(curve, str):
        axes.text(0.04, 0.94, "No curve: see the text", color=MUTED, va="top")
    else:
        axes.fill_between(curve.predicted, curve.low, curve.high, color=_CURVE, alpha=0.18, lw=0)
        axes.plot(curve.predicted, curve.observed, color=_CURVE)
    x, y = [b.predicted for b in panel.bins], [b.observed for b in panel.bins]
    axes.plot(x, y, "o", color=INK, markersize=2.6)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), title=panel.title)


def _draw_probabilities(axes: Axes, panel: CalibrationPanel) -> None:
    for outcome, side, color in ((1, 1, _CURVE), (0, -1, _OTHERS)):
        inside = panel.probability[panel.target == outcome]
        share = np.histogram(inside, _EDGES)[0] / inside.size
        # Roots, so that bins of few photographs are seen beside those of nearly all.
        axes.stairs(side * np.sqrt(share), _EDGES, fill=True, color=color)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set(yticks=[])
