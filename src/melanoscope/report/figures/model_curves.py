"""Curves of several models, a panel each: ROC with its band."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from melanoscope.errors import one_line
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import GRID, INK, styled
from melanoscope.stats.metrics.roc_band import RocBand

_COLOR, _OTHERS = "#0072B2", "#b9c0c8"
_COLUMNS, _SIDE = 4, 2.0
_ONE = "ROC curve"
_SEVERAL = "ROC curves, best AUROC first; in grey those of the other models"


def roc_panels(curves: Mapping[str, RocBand]) -> ReportFigure:
    """Draw the ROC curve of each model with its band, all others in grey behind it.

    Args:
        curves: Name of each model -> its curve, the best first; at least one.

    Returns:
        The figure.
    """
    rows = ceil(len(curves) / _COLUMNS)
    columns = ceil(len(curves) / rows)
    with styled():
        figure = Figure(figsize=(_SIDE * columns + 0.6, _SIDE * rows + 0.9), layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, name in zip(grid.flat, curves, strict=False):
            _panel(axes, name, curves)
        for axes in grid.flat[len(curves) :]:
            axes.set_visible(False)
        for axes in grid.flat[len(curves) - columns : len(curves)]:
            axes.tick_params(labelbottom=True)
        figure.supxlabel("False positive rate (1 - specificity)", fontsize=9.5, color=INK)
        figure.supylabel("Sensitivity", fontsize=9.5, color=INK)
    return ReportFigure(
        name="roc",
        figure=figure,
        alt="ROC curve of each model with its 95 % band.",
        caption=f"{_ONE if len(curves) == 1 else _SEVERAL}. Bands: 95 % at each false positive "
        "rate by itself, percentiles over draws of whole groups.",
    )


def _panel(axes: Axes, name: str, curves: Mapping[str, RocBand]) -> None:
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1)
    for other, curve in curves.items():
        if other != name:
            axes.plot(curve.fpr, curve.tpr, color=_OTHERS, linewidth=0.7)
    mine = curves[name]
    axes.fill_between(mine.fpr, mine.low, mine.high, color=_COLOR, alpha=0.22, linewidth=0)
    axes.plot(mine.fpr, mine.tpr, color=_COLOR, linewidth=1.6)
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal")
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    axes.set_title(one_line(name), fontsize=9.5)
