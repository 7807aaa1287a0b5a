"""How far each network is from the best: simultaneous intervals, and the line of the margin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from melanoscope.errors import one_line
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import GRID, INK, MUTED, mark_simulated, styled
from melanoscope.stats.intervals.interval import Interval

_BLUE = "#0072B2"


class Compared(Protocol):
    """A network beside the best of the others."""

    @property
    def label(self) -> str:
        """Name for readers."""

    @property
    def distance(self) -> Interval:
        """AUROC minus the largest of the others."""

    @property
    def may_be_best(self) -> bool:
        """Whether it cannot be told from the best."""

    @property
    def non_inferior(self) -> bool:
        """Whether it is shown to be within the margin of the best."""


def distances_figure(
    networks: Sequence[Compared],
    margin: float,
    *,
    simulated: bool,
    metric: str = "AUROC",
    what: str = "network",
) -> ReportFigure:
    """Draw the distance of each network, or `what` they are, from the best of the others."""
    with styled():
        figure = Figure(figsize=(7.2, 1.5 + 0.3 * len(networks)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1)
        axes.axvline(-margin, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        for y, one in enumerate(networks):
            color = _BLUE if one.may_be_best else MUTED
            if one.may_be_best:
                axes.axhspan(y - 0.5, y + 0.5, color=GRID, alpha=0.6, linewidth=0, zorder=0)
            bounds = [one.distance.low, one.distance.high]
            axes.plot(bounds, [y, y], color=color, linewidth=1.8, solid_capstyle="butt")
            axes.plot(
                *(one.distance.estimate, y),
                marker="o",
                markersize=6.5,
                color=color,
                markerfacecolor=color if one.non_inferior else "white",
                markeredgewidth=1.6,
            )
        names = [one_line(one.label) for one in networks]
        axes.set_yticks(range(len(names)), names, color=INK)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set(ylim=(len(names) - 0.5, -0.5), xlabel=f"{metric} minus the best of the others")
        axes.legend(
            handles=_legend(margin),
            loc="lower left",
            bbox_to_anchor=(0, 1),
            ncols=3,
            fontsize=8.5,
        )
        mark_simulated(figure, simulated)
    return ReportFigure(
        name="distance_to_best",
        figure=figure,
        alt=f"{metric} of each {what} minus the largest of the others, with simultaneous "
        "intervals.",
        caption=f"{metric} of each {what} minus the largest among the others, on the same "
        f"patients; intervals that hold for all {what}s together with 95 %. On grey: cannot be "
        f"told from the best. Filled: shown to be less than {margin:g} (dashed) behind the best.",
    )


def _legend(margin: float) -> list[Line2D | Patch]:
    def mark(fill: str, label: str) -> Line2D:
        return Line2D(
            *([], []),
            linestyle="none",
            color=MUTED,
            marker="o",
            markerfacecolor=fill,
            label=label,
        )

    return [
        Patch(color=GRID, label="may be the best"),
        mark(MUTED, f"filled: within {margin:g}"),
        mark("white", "hollow: not shown"),
    ]
