"""Writing the report of a run: tables, figures and page, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from melanoscope.atomic import atomic_folder
from melanoscope.json_text import json_text
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.comparison import learning_figure, roc_figures, transfer_figure
from melanoscope.report.figures.report_figure import ReportFigure, files_of
from melanoscope.report.page import render_page
from melanoscope.report.protocol_words import words_of
from melanoscope.report.sections.all import all_sections
from melanoscope.report.sections.gaps import gaps_section
from melanoscope.report.sections.section import plain
from melanoscope.report.tables.formats import as_csv, as_latex, as_markdown
from melanoscope.report.tables.tables import Table, make_tables
from melanoscope.runs.files import REPORT

_WRITERS = {"csv": as_csv, "md": as_markdown, "tex": as_latex}


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
    figure_2: ReportFigure | str | None = None,
    figure_4: ReportFigure | str | None = None,
) -> Report:
    """Write RUN/report; an older one stays until all is written, by one process after the other.

    Args:
        context: The results of the run.
        figure_2: Figure 2, or why it cannot be drawn; None to leave it out.
        figure_4: Figure 4, likewise.

    Returns:
        The report.
    """
    run = context.run
    sections = all_sections(context)
    tables = make_tables(
        context.summary,
        labels=context.labels,
        skipped=run.record.skipped,
        simulated=run.simulated,
        target=run.target,
        physicians=context.as_published,
        protocol=run.protocol,
    )
    roc = roc_figures(run, tables)
    drawn = {
        "transfer": transfer_figure(
            context.summary, context.labels, words_of(run.protocol), simulated=run.simulated
        ),
        "learning": learning_figure(run, context.labels),
        "augmentation": figure_2,
        "attribution": figure_4,
    }
    figures = {name: None if isinstance(one, str) else one for name, one in drawn.items()}
    absent = {name: one for name, one in drawn.items() if isinstance(one, str)}
    gaps = gaps_section(context, sections, absent)
    sections += [gaps] if gaps is not None else []
    of_sections = [figure for section in sections for figure in section.figures]
    evidence = {"target": run.target.to_dict()} | {
        section.name: None if section.missing else plain(section.numbers) for section in sections
    }
    page = render_page(context, tables, {"roc": roc[1:], **figures}, sections, absent)
    document = json_text(evidence, indent=1) + "\n"
    final = run.path / REPORT
    with explain_machine_faults(run.path), atomic_folder(final, replace=True) as new:
        _write_tables(tables, new / "tables")
        _write_figures([*roc, *filter(None, figures.values()), *of_sections], new / "figures")
        (new / "evidence.json").write_text(document, encoding="utf-8")
        (new / "index.html").write_text(page, encoding="utf-8")
    return Report(final / "index.html", context, evidence)


def _write_tables(tables: Iterable[Table], folder: Path) -> None:
    folder.mkdir()
    for table in tables:
        for kind, write in _WRITERS.items():
            file = folder / f"table_{table.letter}.{kind}"
            file.write_text(write(table), encoding="utf-8")


def _write_figures(figures: Iterable[ReportFigure], folder: Path) -> None:
    folder.mkdir()
    for name, content in files_of(figures).items():
        (folder / name).write_bytes(content)
