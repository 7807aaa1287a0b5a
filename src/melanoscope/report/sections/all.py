"""The sections in the order of the page."""

from __future__ import annotations

from collections.abc import Callable

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.calibration import calibration_section
from melanoscope.report.sections.decisions import decisions_section
from melanoscope.report.sections.intervals import intervals_section
from melanoscope.report.sections.leaks import leaks_section
from melanoscope.report.sections.misses import misses_section
from melanoscope.report.sections.poster_table import poster_table_section
from melanoscope.report.sections.protocols import protocols_section
from melanoscope.report.sections.reporting import checklist_section
from melanoscope.report.sections.section import Section
from melanoscope.report.sections.shortcuts import shortcuts_section
from melanoscope.report.sections.subgroups import subgroups_section

_BUILDERS: dict[str, Callable[[ReportContext], Section | None]] = {
    "How sure": intervals_section,
    "Shortcuts": shortcuts_section,
    "Leaks": leaks_section,
    "The poster's protocol": protocols_section,
    "The poster's table": poster_table_section,
    "Calibration": calibration_section,
    "Operating points": decisions_section,
    "Subgroups": subgroups_section,
    "Worst misses": misses_section,
}

# What the poster published answers one question only.
_ABOUT_MELANOMA = (protocols_section, poster_table_section)


def all_sections(context: ReportContext) -> list[Section]:
    """Build each section that the run allows, in the order of the page."""
    if not context.predictions or context.run.protocol == "poster":
        only = [leaks_section(context), poster_table_section(context)]
        return [section for section in only if section is not None]
    sections, failed = [], {}
    for name, build in _BUILDERS.items():
        if build in _ABOUT_MELANOMA and not context.as_published:
            continue
        try:
            section = build(context)
        except StatisticsError as error:
            failed[name] = str(error)
            continue
        if section is not None:
            sections.append(section)
    if failed:
        sections.append(Section("unavailable", "Not shown", {"why": failed}, failed))
    return [*sections, checklist_section(context, sections)]
