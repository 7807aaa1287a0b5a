"""Figure 3 (ROC curves), the effect of transfer, and learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from melanoscope.errors import one_line
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import (
    GRID,
    INK,
    MUTED,
    TRANSFER_COLORS,
    TRANSFER_MARKERS,
    line_styles,
    mark_simulated,
    styled,
)
from melanoscope.report.protocol_words import ProtocolWords
from melanoscope.report.tables.tables import Table, signed
from melanoscope.runs.reader import Run
from melanoscope.stats.intervals.interval import ALPHA
from melanoscope.stats.intervals.wald import lower_bound
from melanoscope.stats.metrics.roc import mean_roc
from melanoscope.stats.reference.physicians import PHYSICIANS, Physicians
from melanoscope.stats.summary import Summary
from melanoscope.transfers import TRANSFER_NAMES, TRANSFER_TITLES

# Inches: width of a ROC panel, its margins, and the side of its square.
_PANEL, _LEFT, _TOP, _SIDE = 4.1, 0.62, 0.5, 3.3
_PHYSICIAN_MARKS = {"gp": ("^", 8, "#1B7837"), "dermatologists": ("*", 11, "#2166AC")}


def roc_figures(run: Run, tables: Sequence[Table]) -> list[ReportFigure]:
    """Draw Figure 3, the ROC curves: panels of all `tables` side by side, then each panel alone."""
    drawn = [table for table in tables if any(row.finished for row in table.rows)]
    curves = max((sum(1 for row in table.rows if row.finished) for table in drawn), default=0)
    height = _TOP + _SIDE + 0.6 + 0.175 * (curves + len(PHYSICIANS) + 1)
    with styled():
        whole = [ReportFigure("figure_3_roc", _roc_panels(run, drawn, height))] if drawn else []
        panels = [
            ReportFigure(
                name=f"figure_3_roc_{table.transfer}",
                figure=_roc_panels(run, [table], height),
                alt=f"ROC curves of the networks {table.transfer}"
                + (", with the points of physicians." if table.beside_physicians else "."),
            )
            for table in drawn
        ]
    return whole + panels


def _roc_panels(run: Run, tables: Sequence[Table], height: float) -> Figure:
    """Place panels by hand, so that they align whatever the length of their legends."""
    width = _PANEL * len(tables)
    figure = Figure(figsize=(width, height))
    for i, table in enumerate(tables):
        left, bottom = (i * _PANEL + _LEFT) / width, (height - _TOP - _SIDE) / height
        axes = figure.add_axes((left, bottom, _SIDE / width, _SIDE / height))
        _roc_panel(axes, run, table)
    mark_simulated(figure, run.simulated)
    return figure


def _roc_panel(axes: Axes, run: Run, table: Table) -> None:
    styles = line_styles(run.configuration.backbones)
    axes.plot([0, 1], [0, 1], color=GRID, linewidth=1.2, zorder=1)
    handles = []
    for row in reversed(table.rows):
        if row.physicians:
            handles.append(_physicians_point(axes, row.physicians))
        elif row.finished:
            cells = [
                cell
                for cell in run.cells_of((row.backbone, table.transfer))
                if cell.numbers in row.cells
            ]
            (handle,) = axes.plot(
                *mean_roc([(cell.target, cell.probability) for cell in cells]),
                linewidth=1.5,
                label=f"{row.values['auroc'].estimate:.3f}  {row.label}"
                + (" (unfinished)" if row.unfinished else ""),
                **styles[row.backbone],
            )
            handles.append(handle)
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal", title=TRANSFER_TITLES[table.transfer])
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


def _physicians_point(axes: Axes, physicians: Physicians) -> Line2D:
    marker, size, color = _PHYSICIAN_MARKS[physicians.key]
    (point,) = axes.plot(
        *(1 - physicians.specificity, physicians.sensitivity),
        marker=marker,
        markersize=size,
        color=color,
        markeredgecolor="white",
        linestyle="none",
        zorder=5,
        label=f"{physicians.auroc.estimate:.2f}  {physicians.label} (point)",
    )
    return point


def transfer_figure(
    summary: Summary, labels: Mapping[str, str], words: ProtocolWords, *, simulated: bool
) -> ReportFigure | None:
    """Draw by how much each transfer changes AUROC; None where nothing could be compared."""
    transfers = [transfer for transfer in ("finetune", "frozen") if transfer in summary.overall]
    effects = {
        (c.backbone, c.transfer): c
        for c in summary.comparisons
        if c.metric == "auroc" and c.transfer in transfers
    }
    if not effects:
        return None

    def first_effect(backbone: str) -> float:
        """Order by the first transfer that was compared: lines read from worst to best."""
        transfer = next(t for t in transfers if (backbone, t) in effects)
        return effects[backbone, transfer].test.difference.estimate

    backbones = sorted({backbone for backbone, _ in effects}, key=first_effect)
    several = len(transfers) > 1
    with styled():
        height = 1.5 + (0.42 if several else 0.32) * (len(backbones) + 1)
        figure = Figure(figsize=(7.2, height), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1)
        for i, transfer in enumerate(transfers):
            shift = 0.16 - 0.32 * i if several else 0
            for y, backbone in enumerate(backbones, start=1):
                if c := effects.get((backbone, transfer)):
                    difference = c.test.difference.estimate
                    _effect(axes, y + shift, difference, c.lower_bound, transfer)
            mean = summary.overall[transfer]
            low = lower_bound(mean, ALPHA)
            _effect(axes, shift, mean.difference.estimate, low, transfer)
        names = ["Mean", *(labels.get(backbone, backbone) for backbone in backbones)]
        _label_effects(axes, names, transfers)
        mark_simulated(figure, simulated)
    return ReportFigure(
        name="transfer_effect",
        figure=figure,
        alt="Differences in AUROC between transfer learning and training from scratch, with "
        "intervals.",
        caption="Difference in AUROC between transfer learning and training from scratch, "
        f"{words.paired}. Each bar reaches down to what its one-sided test puts the difference "
        f"above ({words.bound}), and up as far. Filled marks: that bound is above 0, significantly "
        "better. The mean weighs all compared networks alike.",
    )


def _label_effects(axes: Axes, names: Sequence[str], transfers: Sequence[str]) -> None:
    axes.axhline(0.5, color=MUTED, linewidth=0.8)
    axes.set_yticks(range(len(names)), [one_line(name) for name in names], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set(ylim=(-0.6, len(names) - 0.4), xlabel="Difference in AUROC from scratch")
    handles = [
        Line2D(
            *([], []),
            color=TRANSFER_COLORS[transfer],
            marker=TRANSFER_MARKERS[transfer],
            label=TRANSFER_NAMES[transfer],
        )
        for transfer in transfers
    ]
    hollow = Line2D(
        *([], []),
        linestyle="none",
        color=MUTED,
        marker="o",
        markerfacecolor="white",
        label="hollow: not significant",
    )
    axes.legend(handles=[*handles, hollow], loc="lower left", bbox_to_anchor=(0, 1), ncols=3)


def _effect(axes: Axes, y: float, difference: float, low: float, transfer: str) -> None:
    color, high = TRANSFER_COLORS[transfer], 2 * difference - low
    axes.plot([low, high], [y, y], color=color, linewidth=1.8, solid_capstyle="butt")
    axes.plot(
        *(difference, y),
        marker=TRANSFER_MARKERS[transfer],
        markersize=6.5,
        color=color,
        markerfacecolor=color if low > 0 else "white",
        markeredgewidth=1.6,
    )
    axes.annotate(
        signed(difference),
        (high, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=MUTED,
    )


def learning_figure(run: Run, labels: Mapping[str, str]) -> ReportFigure | None:
    """Draw validation AUROC by epoch, a panel per backbone; None without a finished cell."""
    trained = {key.backbone for key in run.histories}
    backbones = [b for b in run.configuration.backbones if b in trained]
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
        handles = [
            Line2D([], [], color=color, linewidth=2, label=TRANSFER_NAMES[transfer])
            for transfer, color in TRANSFER_COLORS.items()
            if transfer in {key.transfer for key in run.histories}
        ]
        figure.legend(handles=handles, loc="outside lower left", ncols=len(handles))
        mark_simulated(figure, run.simulated)
    return ReportFigure(
        name="learning_curves",
        figure=figure,
        alt="Validation AUROC by epoch for each network.",
        caption="Learning curves: AUROC on validation photographs by epoch, one line per training; "
        "a dot marks the epoch whose weights were kept. Validation photographs steer training, so "
        "these numbers are no results.",
    )


def _learning_panel(axes: Axes, run: Run, backbone: str) -> None:
    order = list(TRANSFER_NAMES)
    for key in sorted(run.histories, key=lambda key: order.index(key.transfer)):
        if key.backbone != backbone:
            continue
        history, color = run.histories[key], TRANSFER_COLORS[key.transfer]
        curve = history["epoch"].to_numpy(), history["val_auroc"].to_numpy()
        axes.plot(*curve, color=color, linewidth=1, alpha=0.75)
        best = history.filter(pl.col("epoch") == run.records[key].best_epoch)
        if best.height:
            point = best["epoch"][0], best["val_auroc"][0]
            axes.plot(*point, marker=".", markersize=5, color=color)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
