"""What a section of the page is made of."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from math import isfinite
from typing import Any

from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.stats.intervals.interval import Interval


@dataclass(frozen=True, eq=False)
class Section:
    """A section of the page.

    Attributes:
        name: Name of its template (templates/sections/<name>.html.j2) and its anchor.
        title: Title in the page's navigation.
        content: What its template sees as `content`.
        numbers: What evidence.json says of it; plain values and dataclasses.
        figures: Its figures.
        missing: Why it cannot be computed, shown in its place; empty where it is there.
    """

    name: str
    title: str
    content: dict[str, Any]
    numbers: Any = None
    figures: tuple[ReportFigure, ...] = ()
    missing: str = ""

    @property
    def template(self) -> str:
        """Path of its template."""
        return f"sections/{'missing' if self.missing else self.name}.html.j2"


def plain(value: Any) -> Any:
    """Turn nested dataclasses, mappings and arrays into what JSON has; NaN becomes None."""
    if isinstance(value, Interval):
        return plain(value.to_dict())
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {"/".join(k) if isinstance(k, tuple) else str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
