"""From a run folder to its report: tables, figures and page, all or nothing."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.report.context import PREVALENCE, REPLICATES, ReportContext
from melanoscope.report.figures.comparison import learning_figure, roc_figure, transfer_figure
from melanoscope.report.figures.style import render as draw
from melanoscope.report.page import Image, Images, Shown, render
from melanoscope.report.sections.all import all_sections
from melanoscope.report.sections.section import Section, plain
from melanoscope.report.tables.formats import as_csv, as_latex, as_markdown
from melanoscope.report.tables.tables import Table, make_tables
from melanoscope.report.warnings import collect_warnings
from melanoscope.runs.reader import read_run
from melanoscope.stats.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from melanoscope.report.figures.image_figures import ImageFigure
    from melanoscope.runs.reader import Run

_WRITERS = {"csv": as_csv, "md": as_markdown, "tex": as_latex}
_ROC_ALT = "ROC curves of the networks {}, with the points of physicians."
_TRANSFER = Image(
    b"",
    "svg",
    "Differences in AUROC between transfer learning and training from scratch, with intervals.",
    "Difference in AUROC between transfer learning and training from scratch, paired by fold, with "
    "corrected 95 % intervals. Filled marks: significantly better (one-sided, "
    "for networks after Holm's adjustment). The mean weighs all compared networks alike.",
)
_LEARNING = Image(
    b"",
    "svg",
    "Validation AUROC by epoch for each network.",
    "Learning curves: AUROC on validation photographs by epoch, one line per fold; a dot marks the "
    "epoch whose weights were kept. Validation photographs steer "
    "training, so these numbers are no results.",
)


def build(
    run: Path,
    *,
    labels: Mapping[str, str],
    figure2: ImageFigure | None = None,
    figure4: ImageFigure | None = None,
    command: str | None = None,
    beside: Sequence[Run] = (),
    prevalence: float = PREVALENCE,
    replicates: int = REPLICATES,
) -> Path:
    """Write RUN/report anew; an older report stays until the new one is whole.

    Args:
        run: The run folder.
        labels: Backbone -> name for readers.
        figure2: Augmentation, or None.
        figure4: Attribution, or None.
        command: What was typed to make the run, shown under "Reproduce it".
        beside: Runs to be set beside this one, of the poster's protocol for example.
        prevalence: Share of melanomas at which predictive values are given.
        replicates: Of each bootstrap.

    Returns:
        Path of index.html.

    Raises:
        RunError: The folder cannot be used.
        StatisticsError: Its predictions allow no honest number.
    """
    loaded = read_run(run)
    summary = summarize(
        loaded.cells,
        planned=loaded.planned,
        cells_per_row=loaded.cells_per_row,
        protocol=loaded.protocol,
    )
    study = ReportContext(loaded, summary, labels, tuple(beside), prevalence, replicates)
    sections = all_sections(study)
    tables = make_tables(
        summary, labels=labels, skipped=loaded.record["skipped"], simulated=loaded.simulated
    )
    final = run / "report"
    new = Path(tempfile.mkdtemp(prefix=".report-", dir=run))
    try:
        new.chmod(0o755)
        _write_tables(tables, new / "tables")
        folder = new / "figures"
        folder.mkdir()
        whole, panels = roc_figure(loaded, tables)
        if panels:
            _save(whole, "figure_3_roc", folder)
        images = Images(
            roc=[
                Image(_save(panel, f"figure_3_roc_{arm}", folder), "svg", _ROC_ALT.format(arm))
                for arm, panel in panels.items()
            ],
            transfer=_image(
                transfer_figure(summary, labels, simulated=loaded.simulated),
                *("transfer_effect", folder, _TRANSFER),
            ),
            learning=_image(learning_figure(loaded, labels), "learning_curves", folder, _LEARNING),
            augmentation=_picture(figure2, "figure_2_augmentation", folder),
            attribution=_picture(figure4, "figure_4_attribution", folder),
        )
        shown = [Shown(one, _drawn(one, folder)) for one in sections]
        page = render(
            loaded,
            summary,
            tables,
            images,
            labels=labels,
            command=command,
            sections=shown,
            suspicions=collect_warnings(study, sections),
        )
        numbers = {one.name: plain(one.numbers) for one in sections}
        (new / "evidence.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
        (new / "index.html").write_text(page, encoding="utf-8")
        _replace(final, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return final / "index.html"


def _write_tables(tables: tuple[Table, ...], folder: Path) -> None:
    folder.mkdir()
    for table in tables:
        for kind, write in _WRITERS.items():
            file = folder / f"table_{table.letter}.{kind}"
            file.write_text(write(table), encoding="utf-8")


def _drawn(section: Section, folder: Path) -> dict[str, Image]:
    images = {}
    for one in section.figures:
        if one.photographs:
            png = draw(one.figure, "png")
            (folder / f"{one.name}.png").write_bytes(png)
            images[one.name] = Image(png, "png", one.alt, one.caption)
        else:
            svg = _save(one.figure, one.name, folder)
            images[one.name] = Image(svg, "svg", one.alt, one.caption)
    return images


def _save(figure: Figure, name: str, folder: Path) -> bytes:
    """Save a figure as SVG and PNG and return the SVG."""
    (folder / f"{name}.png").write_bytes(draw(figure, "png"))
    svg = draw(figure, "svg")
    (folder / f"{name}.svg").write_bytes(svg)
    return svg


def _image(figure: Figure | None, name: str, folder: Path, words: Image) -> Image | None:
    if figure is None:
        return None
    return Image(_save(figure, name, folder), words.kind, words.alt, words.caption)


def _picture(picture: ImageFigure | None, name: str, folder: Path) -> Image | None:
    """Save a figure of photographs as PNG only: SVG would embed the same pixels at greater size."""
    if picture is None:
        return None
    png = draw(picture.figure, "png")
    (folder / f"{name}.png").write_bytes(png)
    return Image(png, "png", picture.alt, picture.caption)


def _replace(final: Path, new: Path) -> None:
    old = new.with_name(new.name + "-old")
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)
