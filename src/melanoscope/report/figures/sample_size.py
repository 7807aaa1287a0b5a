"""AUROC over training positives: what was trained, and the fitted curve with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from melanoscope.errors import one_line
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import TRANSFER_COLORS, mark_simulated, styled
from melanoscope.stats.learning_curve import LearningCurve
from melanoscope.transfers import TRANSFER_NAMES

_BEYOND = 3.0
"""Times the largest size up to which a curve is drawn."""
_POINTS = 40


@dataclass(frozen=True, eq=False)
class CurvePanel:
    """The curve of one network.

    Attributes:
        key: Its backbone and transfer.
        curve: The fitted curve.
        draws: For each size, of each draw the mean AUROC over its folds.
    """

    key: tuple[str, str]
    curve: LearningCurve
    draws: tuple[tuple[float, ...], ...]


def sample_size_figure(
    panels: Sequence[CurvePanel], labels: Mapping[str, str], plural: str, *, simulated: bool
) -> ReportFigure:
    """Draw learning curves, a panel per backbone.

    Args:
        panels: The networks, at least one.
        labels: Backbone -> its name for readers.
        plural: Word for several positives, as in "melanomas".
        simulated: Whether the photographs say nothing about skin.

    Returns:
        The figure.
    """
    backbones = list(dict.fromkeys(panel.key[0] for panel in panels))
    columns = min(4, len(backbones))
    rows = ceil(len(backbones) / columns)
    with styled():
        size = (2.35 * columns + 1.2, 2.2 * rows + 0.8)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for i, (axes, backbone) in enumerate(zip(grid.flat, backbones, strict=False)):
            for panel in panels:
                if panel.key[0] == backbone:
                    _draw(axes, panel)
            axes.set_title(one_line(labels.get(backbone, backbone)), fontsize=9.5)
            if i + columns >= len(backbones):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel(one_line(f"Training {plural}"))
        for axes in grid.flat[len(backbones) :]:
            axes.set_visible(False)
        figure.supylabel("AUROC on the test folds", fontsize=9.5)
        handles = [
            Line2D([], [], color=color, linewidth=2, label=TRANSFER_NAMES[transfer])
            for transfer, color in TRANSFER_COLORS.items()
            if transfer in {panel.key[1] for panel in panels}
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=len(handles))
        mark_simulated(figure, simulated)
    return ReportFigure(
        name="sample_size",
        figure=figure,
        alt=f"AUROC of each network over the number of {plural} it was trained on.",
        caption=f"AUROC over the number of {plural} trained on, on a logarithmic axis. Dots: draws "
        "of the training patients, means over folds; at the right, trainings on all. Lines: the "
        "fitted inverse power law with its 95 % band for each size by itself; dashed beyond what "
        "was trained, where the curve is an assumption.",
    )


def _draw(axes: Axes, panel: CurvePanel) -> None:
    size, color = panel.curve.results.size, TRANSFER_COLORS[panel.key[1]]
    for n, draws in zip(size, panel.draws, strict=True):
        axes.plot([n] * len(draws), draws, ".", color=color, markersize=5, alpha=0.7)
    at = np.geomspace(size[0], _BEYOND * size[-1], _POINTS)
    at = np.sort(np.append(at, size[-1]))
    curve = [panel.curve.at(float(n)) for n in at]
    fitted = np.array([one.estimate for one in curve])
    inside, beyond = at <= size[-1], at >= size[-1]
    axes.plot(at[inside], fitted[inside], color=color, linewidth=1.6)
    axes.plot(at[beyond], fitted[beyond], color=color, linewidth=1.2, linestyle=(0, (3, 2)))
    axes.fill_between(
        at, [one.low for one in curve], [one.high for one in curve], color=color, alpha=0.14, lw=0
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=8))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
