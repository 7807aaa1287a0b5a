"""Networks of the run on other archives."""

from __future__ import annotations

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section

NAME, TITLE = "external", "Another archive"


def external_section(context: ReportContext) -> Section | None:
    """Show the evaluations that were named; None where there is none."""
    if not context.external:
        return None
    content = {"results": context.external, "plural": context.run.target.plural}
    return Section(NAME, TITLE, content, list(context.external))
