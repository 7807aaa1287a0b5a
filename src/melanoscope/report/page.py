"""The page: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from melanoscope.report import headline
from melanoscope.report.context import ReportContext
from melanoscope.report.families import families
from melanoscope.report.figures.style import SIMULATED
from melanoscope.report.html import render_template
from melanoscope.report.licences import terms_of
from melanoscope.report.sections.section import Section
from melanoscope.report.tables.tables import NAMES, Table
from melanoscope.report.target_words import question_of
from melanoscope.report.warnings import collect_warnings
from melanoscope.runs.results import best_row
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.reference.physicians import PHYSICIANS, SOURCE, SOURCE_URL
from melanoscope.transfers import REFERENCES, TRANSFER_CLAUSES, TRANSFER_NAMES


def render_page(
    context: ReportContext,
    tables: Sequence[Table],
    figures: Mapping[str, Any],
    sections: Sequence[Section],
    absent: Mapping[str, str],
) -> str:
    """Render the page.

    Args:
        context: The results of the run.
        tables: Its tables.
        figures: By the names in templates/, those that no section has.
        sections: The sections.
        absent: Name of each of `figures` that could not be drawn -> why.

    Returns:
        The page as HTML.
    """
    run, summary = context.run, context.summary
    best = best_row(summary.rows)
    rows = [row for row in summary.rows if row.keys]
    record = run.record.to_dict()
    data = record["data"]
    shown = [section for section in sections if not section.missing]
    values: dict[str, Any] = {
        "run": record,
        "simulated": run.simulated,
        "simulated_words": SIMULATED,
        "best": best,
        "best_beside_physicians": best and headline.compare_with_physicians(best),
        "complete": len(context.predictions),
        "choice": headline.describe_choice(sections),
        "labels": context.labels,
        "clauses": TRANSFER_CLAUSES,
        "effects": headline.effects(summary, context.labels),
        "archives": headline.archives(run),
        "archive_auroc": headline.archive_auroc(run),
        "took_part": run.catalog.height,
        "nameless": run.catalog["patient_id"].null_count(),
        "positives": int(run.catalog["target"].sum()),
        "target": run.target,
        "question": question_of(run.target),
        "as_published": context.as_published,
        "diagnoses": headline.diagnoses(run),
        "terms": {s["kind"]: terms_of(s, data["licences"]) for s in data["sources"]},
        "tables": tables,
        "metrics": METRICS,
        "names": NAMES,
        "transfer_names": TRANSFER_NAMES,
        "images": figures,
        "absent": absent,
        "sections": sections,
        "shown": {section.name: section.content for section in shown},
        "warnings": collect_warnings(context, shown),
        "families": families(context, {section.name: section.content for section in shown}),
        "protocol": run.protocol,
        "margin": MARGIN,
        "references": {name: TRANSFER_NAMES[other] for name, other in REFERENCES.items()},
        "physicians": PHYSICIANS,
        "source": SOURCE,
        "source_url": SOURCE_URL,
        "splits_per_row": run.splits_per_row,
        "finished": len(run.cells),
        "planned": len(run.planned) * run.cells_per_row,
        "n_train": rows[0].n_train if rows else None,
        "n_test": rows[0].n_test if rows else None,
        "hours": sum(cell.seconds for cell in run.records.values()) / 3600,
    }
    return render_template("page.html.j2", values)
