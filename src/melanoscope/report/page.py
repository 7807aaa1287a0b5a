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
    from collections.abc import Mapping, Sequence

    from melanoscope.report.sections.section import Section
    from melanoscope.report.warnings import DataWarning
    from melanoscope.runs.reader import Run
    from melanoscope.stats.summary import Summary

_MIME = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True)
class Image:
    """A rendered figure for the page.

    Attributes:
        data: File content.
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
        """The image as a data URI."""
        return f"data:{_MIME[self.kind]};base64,{b64encode(self.data).decode('ascii')}"


@dataclass(frozen=True)
class Images:
    """The figures of the page; those that could not be drawn are None or absent."""

    roc: Sequence[Image] = ()
    transfer: Image | None = None
    learning: Image | None = None
    augmentation: Image | None = None
    attribution: Image | None = None


@dataclass(frozen=True, eq=False)
class Shown:
    """A section with its figures rendered, by name."""

    section: Section
    images: dict[str, Image]


def render(
    run: Run,
    summary: Summary,
    tables: Sequence[Table],
    images: Images,
    *,
    labels: Mapping[str, str],
    command: str | None = None,
    sections: Sequence[Shown] = (),
    suspicions: Sequence[DataWarning] = (),
) -> str:
    """Write the page.

    Args:
        run: The run.
        summary: Its numbers.
        tables: Its tables.
        images: Its figures.
        labels: Backbone -> name for readers.
        command: What was typed to make the run, or None.
        sections: The evidence, in the order of the page.
        suspicions: What is suspicious about the data, worst first.

    Returns:
        HTML that loads nothing from elsewhere.
    """
    rows = [row for row in summary.rows if row.keys]
    context: dict[str, Any] = {
        "run": run.record,
        "simulated": run.simulated,
        "simulated_words": SIMULATED,
        "best": headline.best_network(summary, labels),
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
        "images": images,
        "sections": sections,
        "shown": {shown.section.name: shown.section.content for shown in sections},
        "suspicions": suspicions,
        "protocol": run.protocol,
        "references": {arm: TRANSFER_NAMES[other] for arm, other in REFERENCES.items()},
        "physicians": PHYSICIANS,
        "source": SOURCE,
        "source_url": SOURCE_URL,
        "command": command,
        "cells_per_row": run.cells_per_row,
        "finished": len(run.cells),
        "planned": len(run.planned) * run.cells_per_row,
        "n_train": rows[0].n_train if rows else None,
        "n_test": rows[0].n_test if rows else None,
        "hours": sum(float(done.get("seconds") or 0) for done in run.done.values()) / 3600,
    }
    return render_template("page.html.j2", context)
