"""Writing the report of a run: tables, figures and page, all or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope.report.context import ReportContext
from melanoscope.report.figures.comparison import learning_figure, roc_figure, transfer_figure
from melanoscope.report.figures.style import render
from melanoscope.report.page import Figures, RenderedFigure, RenderedSection, render_page
from melanoscope.report.sections.all import all_sections
from melanoscope.report.sections.section import Section, plain
from melanoscope.report.tables.formats import as_csv, as_latex, as_markdown
from melanoscope.report.tables.tables import Table, make_tables
from melanoscope.report.warnings import collect_warnings
from melanoscope.runs.files import REPORT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from melanoscope.report.figures.image_figures import ImageFigure

_WRITERS = {"csv": as_csv, "md": as_markdown, "tex": as_latex}
_ROC_ALT = "ROC curves of the networks {}, with the points of physicians."
_TRANSFER_ALT = (
    "Differences in AUROC between transfer learning and training from scratch, with intervals."
)
_TRANSFER_CAPTION = (
    "Difference in AUROC between transfer learning and training from scratch, paired by fold, with "
    "corrected 95 % intervals. Filled marks: significantly better (one-sided, "
    "for networks after Holm's adjustment). The mean weighs all compared networks alike."
)
_LEARNING_ALT = "Validation AUROC by epoch for each network."
_LEARNING_CAPTION = (
    "Learning curves: AUROC on validation photographs by epoch, one line per fold; a dot marks the "
    "epoch whose weights were kept. Validation photographs steer "
    "training, so these numbers are no results."
)


@dataclass(frozen=True, eq=False)
class Report:
    """A report that was written.

    Attributes:
        page: Path of its index.html.
        context: The results that it shows.
        evidence: Content of its evidence.json.
    """

    page: Path
    context: ReportContext
    evidence: dict[str, Any]


def build(
    context: ReportContext,
    *,
    figure_2: ImageFigure | None = None,
    figure_4: ImageFigure | None = None,
    command: str | None = None,
) -> Report:
    """Write RUN/report anew; an older report stays until the new one is whole.

    Args:
        context: Results of the run, with words for readers.
        figure_2: Photographs beside their augmentations, or None.
        figure_4: Attribution of one photograph, or None.
        command: What was typed to make the run, shown under "Reproduce it", or None.

    Returns:
        The report.

    Raises:
        StatisticsError: The run's predictions allow no honest number.
    """
    run = context.run
    sections = all_sections(context)
    tables = make_tables(
        context.summary,
        labels=context.labels,
        skipped=run.record["skipped"],
        simulated=run.simulated,
    )
    final = run.path / REPORT
    new = Path(tempfile.mkdtemp(prefix=".report-", dir=run.path))
    try:
        new.chmod(0o755)
        _write_tables(tables, new / "tables")
        folder = new / "figures"
        folder.mkdir()
        page = render_page(
            context,
            tables,
            _draw_figures(context, tables, figure_2, figure_4, folder),
            command=command,
            sections=[_render_section(section, folder) for section in sections],
            warnings=collect_warnings(context, sections),
        )
        evidence = {section.name: plain(section.numbers) for section in sections}
        (new / "evidence.json").write_text(json.dumps(evidence, indent=1) + "\n", encoding="utf-8")
        (new / "index.html").write_text(page, encoding="utf-8")
        _replace(final, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return Report(final / "index.html", context, evidence)


def _write_tables(tables: Iterable[Table], folder: Path) -> None:
    folder.mkdir()
    for table in tables:
        for kind, write in _WRITERS.items():
            file = folder / f"table_{table.letter}.{kind}"
            file.write_text(write(table), encoding="utf-8")


def _draw_figures(
    context: ReportContext,
    tables: tuple[Table, ...],
    figure_2: ImageFigure | None,
    figure_4: ImageFigure | None,
    folder: Path,
) -> Figures:
    run = context.run
    whole, panels = roc_figure(run, tables)
    if panels:
        _save(whole, "figure_3_roc", folder)
    transfer = transfer_figure(context.summary, context.labels, simulated=run.simulated)
    learning = learning_figure(run, context.labels)
    return Figures(
        roc=[
            _save(panel, f"figure_3_roc_{name}", folder, alt=_ROC_ALT.format(name))
            for name, panel in panels.items()
        ],
        transfer=None
        if transfer is None
        else _save(
            transfer, "transfer_effect", folder, alt=_TRANSFER_ALT, caption=_TRANSFER_CAPTION
        ),
        learning=None
        if learning is None
        else _save(
            learning, "learning_curves", folder, alt=_LEARNING_ALT, caption=_LEARNING_CAPTION
        ),
        augmentation=_save_photographs(figure_2, "figure_2_augmentation", folder),
        attribution=_save_photographs(figure_4, "figure_4_attribution", folder),
    )


def _render_section(section: Section, folder: Path) -> RenderedSection:
    figures = {
        one.name: _save(
            one.figure,
            one.name,
            folder,
            alt=one.alt,
            caption=one.caption,
            photographs=one.photographs,
        )
        for one in section.figures
    }
    return RenderedSection(section, figures)


def _save_photographs(figure: ImageFigure | None, name: str, folder: Path) -> RenderedFigure | None:
    if figure is None:
        return None
    return _save(
        figure.figure, name, folder, alt=figure.alt, caption=figure.caption, photographs=True
    )


def _save(
    figure: Figure,
    name: str,
    folder: Path,
    *,
    alt: str = "",
    caption: str = "",
    photographs: bool = False,
) -> RenderedFigure:
    """Save a figure as PNG and SVG and return the SVG.

    One of photographs is a PNG only: SVG would embed the same pixels at greater size.
    """
    png = render(figure, "png")
    (folder / f"{name}.png").write_bytes(png)
    if photographs:
        return RenderedFigure(png, "png", alt, caption)
    svg = render(figure, "svg")
    (folder / f"{name}.svg").write_bytes(svg)
    return RenderedFigure(svg, "svg", alt, caption)


def _replace(final: Path, new: Path) -> None:
    old = new.with_name(new.name + "-old")
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)
