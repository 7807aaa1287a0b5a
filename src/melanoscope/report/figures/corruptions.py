"""What artefacts do to the AUROC, strength by strength."""

from __future__ import annotations

from math import ceil

from matplotlib.figure import Figure

from melanoscope.evaluation.corruptions import STRENGTHS
from melanoscope.evaluation.robustness import Robustness
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import INK, MUTED, mark_simulated, styled

_COLOR, _COLUMNS = "#0072B2", 5


def corruption_figure(robustness: Robustness, *, simulated: bool) -> ReportFigure:
    """Draw the drop of each artefact over its strengths, a panel each."""
    rows = ceil(len(robustness.corruptions) / _COLUMNS)
    with styled():
        figure = Figure(figsize=(1.9 * _COLUMNS, 1.9 * rows), layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
        for axes, one in zip(grid.flat, robustness.corruptions, strict=False):
            low, high = ([getattr(drop.drop, end) for drop in one.drops] for end in ("low", "high"))
            axes.axhline(0, color=MUTED, linewidth=1)
            axes.fill_between(STRENGTHS, low, high, color=_COLOR, alpha=0.2, linewidth=0)
            axes.plot(STRENGTHS, [drop.drop.estimate for drop in one.drops], "o-", color=_COLOR)
            axes.set_title(one.name, fontsize=9.5)
            axes.set_xticks(STRENGTHS)
        for axes in grid.flat[len(robustness.corruptions) :]:
            axes.set_visible(False)
        figure.supxlabel("Strength", fontsize=9.5, color=INK)
        figure.supylabel("Drop of AUROC", fontsize=9.5, color=INK)
        mark_simulated(figure, simulated)
    return ReportFigure(
        name="corruptions",
        figure=figure,
        alt="Drop of AUROC by each artefact at five strengths, with 95 % intervals.",
        caption="Drop of AUROC with 95 % intervals on the same photographs; above 0 the artefact "
        "makes the network rank worse.",
    )
