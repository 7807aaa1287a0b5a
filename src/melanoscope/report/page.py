"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from melanoscope.report import headline
from melanoscope.report.figures.style import SIMULATED
from melanoscope.report.html import render_template
from melanoscope.report.tables.tables import NAMES, Table
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.reference.physicians import PHYSICIANS, SOURCE, SOURCE_URL
from melanoscope.transfers import REFERENCES, TRANSFER_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from melanoscope.report.context import ReportContext
    from melanoscope.report.sections.section import Section
    from melanoscope.report.warnings import DataWarning

_MIME = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class RenderedFigure:
    """A figure as a file.

    Attributes:
        data: Content of the file.
        kind: "svg" or "png".
        alt: What is seen, for those who do not see it.
        caption: Sentences below it.
    """

    data: bytes
    kind: str
    alt: str
    caption: str = ""

    @property
    def uri(self) -> str:
        """The figure as a data URI."""
        return f"data:{_MIME[self.kind]};base64,{b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True)
class Figures:
    """The figures of the page that belong to no section.

    Attributes:
        roc: ROC curves, one figure for each transfer.
        transfer: Effect of transfer; None where nothing could be compared.
        learning: Learning curves; None without a finished cell.
        augmentation: Photographs beside their augmentations; None where they have gone.
        attribution: Attribution of one photograph; None where it or its network has gone.
    """

    roc: Sequence[RenderedFigure] = ()
    transfer: RenderedFigure | None = None
    learning: RenderedFigure | None = None
    augmentation: RenderedFigure | None = None
    attribution: RenderedFigure | None = None


@dataclass(frozen=True, eq=False)
class RenderedSection:
    """A section with its figures as files.

    Attributes:
        section: The section.
        images: Name of each of its figures -> the figure.
    """

    section: Section
    images: dict[str, RenderedFigure]


def render_page(
    context: ReportContext,
    tables: Sequence[Table],
    figures: Figures,
    *,
    command: str | None = None,
    sections: Sequence[RenderedSection] = (),
    warnings: Sequence[DataWarning] = (),
) -> str:
    """Write the page.

    Args:
        context: Results of the run, with words for readers.
        tables: Its tables.
        figures: Its figures that belong to no section.
        command: What was typed to make the run, or None.
        sections: The sections, in the order of the page.
        warnings: What is suspicious about the data, worst first.

    Returns:
        HTML that loads nothing from elsewhere.
    """
    run, summary = context.run, context.summary
    rows = [row for row in summary.rows if row.keys]
    values: dict[str, Any] = {
        "run": run.record,
        "simulated": run.simulated,
        "simulated_words": SIMULATED,
        "best": headline.best_network(context),
        "effects": headline.effects(summary),
        "archives": headline.archives(run),
        "archive_auroc": headline.archive_auroc(run),
        "took_part": run.catalog.height,
        "nameless": run.catalog["patient_id"].null_count(),
        "melanomas": int(run.catalog["target"].sum()),
        "tables": tables,
        "metrics": METRICS,
        "names": NAMES,
        "arm_names": TRANSFER_NAMES,
        "images": figures,
        "sections": sections,
        "shown": {one.section.name: one.section.content for one in sections},
        "suspicions": warnings,
        "protocol": run.protocol,
        "references": {name: TRANSFER_NAMES[other] for name, other in REFERENCES.items()},
        "physicians": PHYSICIANS,
        "source": SOURCE,
        "source_url": SOURCE_URL,
        "command": command,
        "cells_per_row": run.cells_per_row,
        "finished": len(run.cells),
        "planned": len(run.planned) * run.cells_per_row,
        "n_train": rows[0].n_train if rows else None,
        "n_test": rows[0].n_test if rows else None,
        "hours": sum(float(record["seconds"]) for record in run.records.values()) / 3600,
    }
    return render_template("page.html.j2", values)
