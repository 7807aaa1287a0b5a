"""The printed rows of the poster's Table 1 beside the networks of a run."""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.report.tables.tables import NAMES
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.reference.poster_table import PublishedRow, printed_row
from melanoscope.stats.summary import SummaryRow

METRICS = ("accuracy", "auroc", "auprc", "f1")


@dataclass(frozen=True)
class _PrintedRow:
    """A network of a run beside its row in the poster.

    Attributes:
        label: Name of the network for readers.
        printed_label: Name of the row as printed, with its stars.
        note: What is unclear about the printed row; may be empty.
        printed: Metric -> the value as printed; the "auroc" is the balanced accuracy.
        ours: Metric -> the value of this run; None with a single cell.
    """

    label: str
    printed_label: str
    note: str
    printed: dict[str, Interval]
    ours: dict[str, Interval | None]


def poster_table_section(context: ReportContext) -> Section | None:
    """Set the poster's printed row beside each complete network that it has a row for."""
    rows = []
    for row in context.summary.rows:
        printed = printed_row(row.backbone, row.transfer)
        if printed is not None and row.complete:
            rows.append(_printed_row(context, row, printed))
    if not rows:
        return None
    names = {metric: NAMES[metric] for metric in METRICS}
    content = {"rows": rows, "names": names, "rounded": context.run.protocol == "poster"}
    return Section("poster_table", "The poster's table", content, rows)


def _printed_row(context: ReportContext, row: SummaryRow, published: PublishedRow) -> _PrintedRow:
    return _PrintedRow(
        label=context.label((row.backbone, row.transfer)),
        printed_label=f"{published.label}{published.stars}",
        note=published.note,
        printed={metric: getattr(published, metric) for metric in METRICS},
        ours={metric: row.intervals.get(metric) for metric in METRICS},
    )
