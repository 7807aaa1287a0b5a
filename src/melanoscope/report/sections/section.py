"""What a section of the page is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, is_dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class SectionFigure:
    """A figure of a section.

    Attributes:
        name: Of its files, without suffix.
        figure: The drawing.
        alt: What is seen, for those who do not see it.
        caption: Sentences below it.
        photographs: Whether it holds photographs, which SVG would only make larger.
    """

    name: str
    figure: Figure
    alt: str
    caption: str
    photographs: bool = False


@dataclass(frozen=True, eq=False)
class Section:
    """A section of the page.

    Attributes:
        name: Of its template (templates/sections/<name>.html.j2) and its anchor.
        title: In the page's navigation.
        content: What its template sees as `it`.
        numbers: What evidence.json says of it; plain values and dataclasses.
        drawings: Its figures; the template sees them as `images`, by name.
    """

    name: str
    title: str
    content: dict[str, Any]
    numbers: Any = None
    drawings: tuple[SectionFigure, ...] = field(default=())


def plain(value: Any) -> Any:
    """Turn dataclasses, tuples and numbers that JSON lacks into what JSON has; NaN into null."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {"/".join(k) if isinstance(k, tuple) else str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "item"):
        return plain(value.item())
    if isinstance(value, float) and not isfinite(value):
        return None
    return value
