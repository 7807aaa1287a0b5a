"""Renders templates: values escaped, missing ones refused, numbers written one way."""

from __future__ import annotations

import re
from math import isnan
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from melanoscope.errors import one_line
from melanoscope.report.tables.tables import MINUS, bounds, signed
from melanoscope.report.target_words import upper_first

_MARKDOWN = "\\`*_[]<>|#!~"
_LATEX = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    MINUS: "$-$",
    "<": "$<$",
    ">": "$>$",
}


# But for tabs and line ends, which are blanks in a page.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
    r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def render_template(name: str, context: dict[str, Any]) -> str:
    """Render `name` below templates/ with the values of `context`, escaped where it is HTML."""
    return ENVIRONMENT.get_template(name).render(context)


def _count(value: float) -> str:
    """Write a number as a whole one with thousands apart."""
    return f"{round(value):,}"


def _n_of(value: float, one: str, several: str) -> str:
    """Write a whole number and what it counts: "1 pair", "1,200 pairs"."""
    return f"{_count(value)} {one if value == 1 else several}"


def _decimals(value: float, places: int = 3) -> str:
    """Write a number with fixed decimals, a dash for NaN."""
    return "\N{EN DASH}" if isnan(value) else f"{value:.{places}f}".replace("-", MINUS)


def _p_value(value: float) -> str:
    """Write a p-value after its "p": "= 0.032", and below 0.001 no more than that."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _escape_latex(text: str) -> str:
    return "".join(
        _LATEX.get(character, character) for character in one_line(" ".join(text.split()))
    )


def _escape_markdown(text: str) -> str:
    """Write a name so that Markdown shows it as it is, in a cell of a table too."""
    words = one_line(" ".join(text.split())).replace("&", "&amp;")
    return "".join(f"\\{one}" if one in _MARKDOWN else one for one in words)


def _visible(value: Any) -> Any:
    """Write out what a page must not hold: controls, marks of direction, halves of characters."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return _UNSEEN.sub(lambda found: one_line(found[0]), value)


ENVIRONMENT = Environment(
    loader=PackageLoader("melanoscope.report"),
    autoescape=select_autoescape(["html.j2"], default_for_string=True),
    undefined=StrictUndefined,
    finalize=_visible,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "count": _count,
    "n_of": _n_of,
    "decimals": _decimals,
    "signed": signed,
    "bounds": bounds,
    "p_value": _p_value,
    "latex": _escape_latex,
    "markdown": _escape_markdown,
    "upper_first": upper_first,
}
"""Values are escaped in HTML, and a missing one is an error."""
