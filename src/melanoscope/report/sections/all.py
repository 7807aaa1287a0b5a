"""The sections in the order of the page."""

from __future__ import annotations

from collections.abc import Callable

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.credit import credit_of
from melanoscope.report.sections.calibration import calibration
from melanoscope.report.sections.decisions import decisions
from melanoscope.report.sections.intervals import intervals
from melanoscope.report.sections.leaks import leaks
from melanoscope.report.sections.misses import misses
from melanoscope.report.sections.protocols import protocols
from melanoscope.report.sections.reporting import reporting
from melanoscope.report.sections.section import Section
from melanoscope.report.sections.shortcuts import shortcuts
from melanoscope.report.sections.subgroups import subgroups

_BUILDERS: dict[str, Callable[[ReportContext], Section | None]] = {
    "How sure": intervals,
    "Shortcuts": shortcuts,
    "Leaks": leaks,
    "The poster's protocol": protocols,
    "Calibration": calibration,
    "Operating points": decisions,
    "Subgroups": subgroups,
}


def all_sections(study: ReportContext) -> list[Section]:
    """Build each section that the run allows; one too small for a number says so.

    A run of the poster's protocol gets none but the leaks: its networks are not independent of each
    other, nor its test photographs of its training photographs.
    """
    if not study.predictions or study.run.protocol == "poster":
        return [leaks(study)]
    found, why = [], {}
    for name, build in _BUILDERS.items():
        try:
            section = build(study)
        except StatisticsError as error:
            why[name] = str(error)
            continue
        if section is not None:
            found.append(section)
    gallery = misses(study, credit_of(study.run, study.run.catalog))
    if gallery is not None:
        found.append(gallery)
    if why:
        found.append(Section("unavailable", "Not shown", {"why": why}, why))
    return [*found, reporting(study, found)]
