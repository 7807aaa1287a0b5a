"""What of a run could not be computed or drawn, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.report.tables.tables import failures
from melanoscope.stats.intervals.interval import Interval


@dataclass(frozen=True)
class Gap:
    """What is not there, in words, and why."""

    what: str
    why: str


def gaps_section(
    context: ReportContext, sections: Sequence[Section], figures: Mapping[str, str]
) -> Section | None:
    """List what is missing on the page; None where nothing is.

    Args:
        context: The results of the run.
        sections: The other sections.
        figures: Name of each figure that could not be drawn -> why.

    Returns:
        The section; in evidence.json it is "unavailable".
    """
    gaps = [
        *_cells(context),
        *(_metrics(context) if context.run.protocol != "poster" else ()),
        *(Gap(section.title, section.missing) for section in sections if section.missing),
        *(Gap(f"Figure {name}", why) for name, why in figures.items()),
    ]
    return Section("unavailable", "Not computed", {"gaps": gaps}, gaps) if gaps else None


def _cells(context: ReportContext) -> Iterator[Gap]:
    for row in context.summary.rows:
        for why in failures(row):
            yield Gap(context.label((row.backbone, row.transfer)), why)


def _metrics(context: ReportContext) -> Iterator[Gap]:
    for key, measured in context.measured.items():
        metrics_of: dict[str, list[str]] = {}
        for metric, found in measured.items():
            if not isinstance(found, Interval):
                metrics_of.setdefault(found, []).append(metric.replace("_", " "))
        for why, metrics in metrics_of.items():
            yield Gap(f"{context.label(key)}: {', '.join(metrics)}", why)
