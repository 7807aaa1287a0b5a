"""What a section says."""

from __future__ import annotations

import re
from html import unescape

from melanoscope.report.context import ReportContext
from melanoscope.report.html import render_template
from melanoscope.report.sections.section import Section


def rendered(context: ReportContext, section: Section) -> str:
    """Return the words of a section as a reader sees them."""
    html = render_template(
        section.template,
        {"content": section.content, "section": section, "target": context.run.target},
    )
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).replace("\xa0", " ").split())
