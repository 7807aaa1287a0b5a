"""A figure of the report: its words, its files, and how the page embeds it."""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from melanoscope.errors import one_line
from melanoscope.report.figures.style import styled

_MIME = {"svg": "image/svg+xml", "png": "image/png"}


@dataclass(frozen=True, eq=False)
class ReportFigure:
    """A figure with its words.

    Attributes:
        name: Name of its files, without suffix.
        figure: The figure.
        alt: What is seen, for those who do not see it.
        caption: Sentences below it.
        photographs: Whether it holds photographs, whose pixels SVG would only make larger.
    """

    name: str
    figure: Figure
    alt: str = ""
    caption: str = ""
    photographs: bool = False

    @cached_property
    def files(self) -> dict[str, bytes]:
        """Suffix -> content, without a date, so that equal runs give equal files."""
        kinds = ("png",) if self.photographs else ("png", "svg")
        return {kind: _render(self.figure, kind) for kind in kinds}

    @property
    def uri(self) -> str:
        """The figure as a data URI: as SVG where there is one."""
        kind, data = list(self.files.items())[-1]
        return f"data:{_MIME[kind]};base64,{b64encode(data).decode('ascii')}"


def files_of(figures: Iterable[ReportFigure]) -> dict[str, bytes]:
    """Return the name of each file of `figures`, and its content."""
    return {
        f"{figure.name}.{kind}": content
        for figure in figures
        for kind, content in figure.files.items()
    }


def _render(figure: Figure, kind: str) -> bytes:
    buffer = BytesIO()
    _escape(figure)
    with styled(), warnings.catch_warnings():
        # A box stands for a letter that the font lacks, and a name may be as wide as a figure.
        warnings.filterwarnings("ignore", "Glyph .* missing|constrained_layout not applied")
        if kind == "svg":
            figure.savefig(buffer, format="svg", metadata={"Date": None})
        else:
            FigureCanvasAgg(figure)
            figure.savefig(buffer, format="png", dpi=160, metadata={"Software": "melanoscope"})
    return buffer.getvalue()


def _escape(figure: Figure) -> None:
    """Write out characters of names that SVG cannot hold: control characters, half characters."""
    for text in figure.findobj(Text):
        lines = text.get_text().split("\n")
        text.set_text("\n".join(map(one_line, lines)))
