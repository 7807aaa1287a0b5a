"""The sections in the order of the page; one that cannot be computed says why in its place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.calibration import calibration_section
from melanoscope.report.sections.components import components_section
from melanoscope.report.sections.decisions import decisions_section
from melanoscope.report.sections.external import NAME as EXTERNAL
from melanoscope.report.sections.external import TITLE as EXTERNAL_TITLE
from melanoscope.report.sections.external import external_section
from melanoscope.report.sections.intervals import intervals_section
from melanoscope.report.sections.leaks import leaks_section
from melanoscope.report.sections.misses import misses_section
from melanoscope.report.sections.poster_table import poster_table_section
from melanoscope.report.sections.protocols import protocols_section
from melanoscope.report.sections.reporting import checklist_section
from melanoscope.report.sections.sample_size import NAME as SAMPLE_SIZE
from melanoscope.report.sections.sample_size import TITLE as SAMPLE_SIZE_TITLE
from melanoscope.report.sections.sample_size import sample_size_section
from melanoscope.report.sections.section import Section
from melanoscope.report.sections.selection import NAME as SELECTION
from melanoscope.report.sections.selection import TITLE as SELECTION_TITLE
from melanoscope.report.sections.selection import selection_section
from melanoscope.report.sections.shortcuts import shortcuts_section
from melanoscope.report.sections.subgroups import subgroups_section

_Builder = Callable[[ReportContext], Section | None]
# Anchor and title, for the place of one that cannot be computed.
_BUILDERS: dict[tuple[str, str], _Builder] = {
    (SELECTION, SELECTION_TITLE): selection_section,
    ("intervals", "How sure"): intervals_section,
    ("components", "What the uncertainty is made of"): components_section,
    (SAMPLE_SIZE, SAMPLE_SIZE_TITLE): sample_size_section,
    (EXTERNAL, EXTERNAL_TITLE): external_section,
    ("shortcuts", "Shortcuts"): shortcuts_section,
    ("leaks", "Leaks"): leaks_section,
    ("protocols", "The poster's protocol"): protocols_section,
    ("poster_table", "The poster's table"): poster_table_section,
    ("calibration", "Calibration"): calibration_section,
    ("decisions", "Operating points"): decisions_section,
    ("subgroups", "Subgroups"): subgroups_section,
    ("misses", "Worst misses"): misses_section,
}
_CHECKLIST = ("checklist", "Reporting checklists")

# What the poster published answers one question only.
_ABOUT_MELANOMA = (protocols_section, poster_table_section)
_WITHOUT_NETWORKS = (selection_section, leaks_section, poster_table_section)


def all_sections(context: ReportContext) -> list[Section]:
    """Build each section that the run allows, in the order of the page."""
    few = not context.predictions or context.run.protocol == "poster"
    sections = []
    for place, build in _BUILDERS.items():
        if build in _ABOUT_MELANOMA and not (context.as_published or few):
            continue
        if few and build not in _WITHOUT_NETWORKS:
            continue
        section = _built(place, build, context)
        if section is not None:
            sections.append(section)
    if few:
        return sections
    shown = [section for section in sections if not section.missing]
    checklist = _built(_CHECKLIST, partial(checklist_section, sections=shown), context)
    return [*sections, checklist] if checklist is not None else sections


def _built(place: tuple[str, str], build: _Builder, context: ReportContext) -> Section | None:
    """Build a section; where the run allows no honest number, the reason takes its place."""
    try:
        return build(context)
    except StatisticsError as error:
        return Section(*place, {}, missing=str(error))
