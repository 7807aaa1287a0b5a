"""Figure 3 (ROC curves), the effect of transfer, and learning curves."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import polars as pl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from melanoscope.report.figures.style import (
    GRID,
    INK,
    MUTED,
    TRANSFER_COLORS,
    TRANSFER_MARKERS,
    TRANSFER_NAMES,
    line_styles,
    mark_simulated,
    styled,
)
from melanoscope.report.tables.tables import ALPHA, TITLES, Table, signed
from melanoscope.stats.metrics.roc import mean_roc, roc_curve
from melanoscope.stats.reference.physicians import PHYSICIANS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from melanoscope.runs.reader import Run
    from melanoscope.stats.summary import Comparison, Summary

# Inches: width of a ROC panel, its margins, and the side of its square.
_PANEL, _LEFT, _TOP, _SIDE = 4.1, 0.62, 0.5, 3.3
_PHYSICIAN_LOOK = {"gp": ("^", "#1B7837"), "dermatologists": ("*", "#2166AC")}


def roc_figure(run: Run, tables: Sequence[Table]) -> tuple[Figure, dict[str, Figure]]:
    """Draw Figure 3: one panel per arm, as one figure and as one figure per panel.

    Each curve is the vertical average of the curves of its folds.

    Args:
        run: The run.
        tables: The tables of its arms; they give order, AUROC and which arms there are.

    Returns:
        All panels side by side, and each by itself (by arm) for narrow screens.
    """
    shown = [table for table in tables if any(line.finished for line in table.lines)]
    rows = max((sum(1 for line in t.lines if line.finished) for t in shown), default=0)
    height = _TOP + _SIDE + 0.6 + 0.175 * (rows + len(PHYSICIANS) + 1)
    with styled():
        whole = _roc_sheet(run, shown, height)
        panels = {table.transfer: _roc_sheet(run, [table], height) for table in shown}
    return whole, panels


def _roc_sheet(run: Run, tables: Sequence[Table], height: float) -> Figure:
    """Place panels by hand, so that they align whatever the length of their legends."""
    width = _PANEL * max(len(tables), 1)
    figure = Figure(figsize=(width, height))
    for i, table in enumerate(tables):
        left, bottom = (i * _PANEL + _LEFT) / width, (height - _TOP - _SIDE) / height
        axes = figure.add_axes((left, bottom, _SIDE / width, _SIDE / height))
        _roc_panel(axes, run, table)
    mark_simulated(figure, run.simulated)
    return figure


def _roc_panel(axes: Axes, run: Run, table: Table) -> None:
    styles = line_styles(run.record["configuration"]["backbones"])
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.2, zorder=1)
    handles = []
    for line in reversed(table.lines):
        if line.physicians:
            who = line.physicians
            marker, colour = _PHYSICIAN_LOOK[who.key]
            (drawn,) = axes.plot(
                *(1 - who.specificity, who.sensitivity),
                marker=marker,
                markersize=11 if marker == "*" else 8,
                color=colour,
                markeredgecolor="white",
                linestyle="none",
                zorder=5,
                label=f"{who.auroc:.2f}  {who.label} (point)",
            )
        elif line.finished:
            curves = [
                roc_curve(cell.target, cell.probability)
                for cell in run.cells
                if (cell.backbone, cell.transfer) == (line.backbone, table.transfer)
            ]
            label = f"{line.values['auroc'].estimate:.3f}  {line.label}"
            if line.unfinished:
                label += " (unfinished)"
            (drawn,) = axes.plot(
                *mean_roc(curves), linewidth=1.5, label=label, **styles[line.backbone]
            )
        else:
            continue
        handles.append(drawn)
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal", title=TITLES[table.transfer])
    axes.set(xlabel="False positive rate (1 - specificity)", ylabel="Sensitivity")
    legend = axes.legend(
        handles=handles,
        title="AUROC, best first",
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.16),
        fontsize=9,
        handlelength=2.4,
        labelspacing=0.3,
        alignment="left",
        borderpad=0,
    )
    legend.get_title().set(fontsize=9, color=MUTED)


def transfer_figure(
    summary: Summary, labels: Mapping[str, str], *, simulated: bool
) -> Figure | None:
    """Draw the AUROC difference of each arm from scratch, with its corrected interval.

    Args:
        summary: Rows and comparisons.
        labels: Backbone -> name for readers.
        simulated: Whether the data says nothing about skin.

    Returns:
        The figure, or None where nothing could be compared.
    """
    arms: list[str] = [arm for arm in ("finetune", "frozen") if arm in summary.overall]
    effects = {
        (c.backbone, c.transfer): c
        for c in summary.comparisons
        if c.metric == "auroc" and c.transfer in arms
    }
    if not effects:
        return None
    backbones = sorted({b for b, _ in effects}, key=lambda b: _first_effect(effects, b, arms))
    with styled():
        height = 1.5 + (0.42 if len(arms) > 1 else 0.32) * (len(backbones) + 1)
        figure = Figure(figsize=(7.2, height), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1)
        shift = {arm: (0.16 - 0.32 * i if len(arms) > 1 else 0) for i, arm in enumerate(arms)}
        for arm in arms:
            for y, backbone in enumerate(backbones, start=1):
                if (backbone, arm) in effects:
                    _effect(axes, y + shift[arm], effects[backbone, arm])
            test = summary.overall[arm]
            mean, clear = test.difference, test.p_value < ALPHA
            _interval(axes, shift[arm], mean.low, mean.estimate, mean.high, arm, filled=clear)
        axes.axhline(0.5, color=MUTED, linewidth=0.8)
        names = [labels.get(b, b) for b in backbones]
        axes.set_yticks(range(len(names) + 1), ["Mean", *names], color=INK)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        axes.set(ylim=(-0.6, len(names) + 0.6), xlabel="Difference in AUROC from scratch")
        axes.legend(handles=_effect_legend(arms), loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
        mark_simulated(figure, simulated)
    return figure


def _first_effect(
    effects: Mapping[tuple[str, str], Comparison], backbone: str, arms: Sequence[str]
) -> float:
    """Order by the first arm that was compared, so that lines read from worst to best."""
    arm = next(a for a in arms if (backbone, a) in effects)
    return effects[backbone, arm].test.difference.estimate


def _effect(axes: Axes, y: float, comparison: Comparison) -> None:
    d = comparison.test.difference
    significant = bool(comparison.stars)
    _interval(axes, y, d.low, d.estimate, d.high, comparison.transfer, filled=significant)


def _interval(
    axes: Axes, y: float, low: float, middle: float, high: float, arm: str, *, filled: bool
) -> None:
    colour = TRANSFER_COLORS[arm]
    axes.plot([low, high], [y, y], color=colour, linewidth=1.8, solid_capstyle="butt")
    axes.plot(
        *(middle, y),
        marker=TRANSFER_MARKERS[arm],
        markersize=6.5,
        color=colour,
        markerfacecolor=colour if filled else "white",
        markeredgewidth=1.6,
    )
    axes.annotate(
        signed(middle),
        (high, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=MUTED,
    )


def _effect_legend(arms: Sequence[str]) -> list[Line2D]:
    handles = [
        Line2D(
            [], [], color=TRANSFER_COLORS[a], marker=TRANSFER_MARKERS[a], label=TRANSFER_NAMES[a]
        )
        for a in arms
    ]
    look = {"linestyle": "none", "color": MUTED, "marker": "o", "markerfacecolor": "white"}
    return [*handles, Line2D([], [], label="hollow: not significant", **look)]  # type: ignore[arg-type]


def learning_figure(run: Run, labels: Mapping[str, str]) -> Figure | None:
    """Draw validation AUROC by epoch, one panel per backbone, one line per fold and arm.

    Args:
        run: The run.
        labels: Backbone -> name for readers.

    Returns:
        The figure, or None without a finished cell.
    """
    trained = {key.backbone for key in run.histories}
    backbones = [b for b in run.record["configuration"]["backbones"] if b in trained]
    if not backbones:
        return None
    columns = min(4, len(backbones))
    rows = ceil(len(backbones) / columns)
    with styled():
        figure = Figure(figsize=(2.35 * columns + 0.4, 2.05 * rows + 0.7), layout="constrained")
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for i, (axes, backbone) in enumerate(zip(grid.flat, backbones, strict=False)):
            _learning_panel(axes, run, backbone)
            axes.set_title(labels.get(backbone, backbone), fontsize=9.5)
            if i + columns >= len(backbones):
                axes.tick_params(labelbottom=True)
                axes.set_xlabel("Epoch")
        for axes in grid.flat[len(backbones) :]:
            axes.set_visible(False)
        figure.supylabel("Validation AUROC", fontsize=9.5)
        arms = [a for a in TRANSFER_NAMES if a in {key.transfer for key in run.histories}]
        figure.legend(
            handles=[
                Line2D([], [], color=TRANSFER_COLORS[a], linewidth=2, label=TRANSFER_NAMES[a])
                for a in arms
            ],
            loc="outside lower left",
            ncols=len(arms),
        )
        mark_simulated(figure, run.simulated)
    return figure


def _learning_panel(axes: Axes, run: Run, backbone: str) -> None:
    order = list(TRANSFER_NAMES)
    for key, history in sorted(
        run.histories.items(), key=lambda item: order.index(item[0].transfer)
    ):
        if key.backbone == backbone:
            axes.plot(
                history["epoch"].to_numpy(),
                history["val_auroc"].to_numpy(),
                color=TRANSFER_COLORS[key.transfer],
                linewidth=1,
                alpha=0.75,
            )
            best = history.filter(pl.col("epoch") == run.records[key]["best_epoch"])
            if best.height:
                axes.plot(
                    *(best["epoch"][0], best["val_auroc"][0]),
                    marker=".",
                    markersize=5,
                    color=TRANSFER_COLORS[key.transfer],
                )
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
