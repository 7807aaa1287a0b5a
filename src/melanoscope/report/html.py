"""Renders templates: values escaped, missing ones refused, numbers written one way."""

from __future__ import annotations

from math import isnan
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from melanoscope.report.tables.tables import MINUS, bounds, signed


def render_template(name: str, context: dict[str, Any]) -> str:
    """Render `name` below templates/ with the values of `context`, which are escaped as HTML."""
    environment = Environment(
        loader=PackageLoader("melanoscope.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": _count,
        "decimals": _decimals,
        "signed": signed,
        "bounds": bounds,
    }
    return environment.get_template(name).render(context)


def _count(value: float) -> str:
    """Write a number as a whole one with thousands apart."""
    return f"{round(value):,}"


def _decimals(value: float, places: int = 3) -> str:
    """Write a number with fixed decimals, a dash for NaN."""
    return "\N{EN DASH}" if isnan(value) else f"{value:.{places}f}".replace("-", MINUS)
