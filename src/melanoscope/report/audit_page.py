"""The page of an audit: what is suspicious first, then the pictures of every pair."""

from __future__ import annotations

import json
from base64 import b64encode
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.image import imsave

from melanoscope.data.sources import ARCHIVES
from melanoscope.imaging.decode import UnreadableImageError, read_image
from melanoscope.report.html import render_template
from melanoscope.report.sections.section import plain

if TYPE_CHECKING:
    from melanoscope.audit.associations import Association
    from melanoscope.audit.audit import Audit

_PX = 112
MOST_PAIRS = 200
"""Pairs shown with their pictures; the JSON holds all."""

_KINDS = {
    "conflict": "Two labels for one picture",
    "across": "Across archives",
    "within": "Within one archive",
}
_VARIABLES = {
    "person": "The person",
    "missing": "What is not known",
    "geometry": "The file",
    "colour": "Light and colour",
}


def write_audit(found: Audit, folder: Path) -> Path:
    """Write audit.json and index.html, and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n"
    (folder / "audit.json").write_text(document, encoding="utf-8")
    page = folder / "index.html"
    page.write_text(render_audit(found), encoding="utf-8")
    return page


def as_json(found: Audit) -> dict[str, Any]:
    """Return everything but the files' places, as plain values."""
    document: dict[str, Any] = plain(found)
    del document["paths"]
    return document


def render_audit(found: Audit) -> str:
    """Write the page; pictures are embedded, nothing is loaded from elsewhere."""
    shown = found.copies[:MOST_PAIRS]
    pictures = {
        name: _picture(path)
        for name, path in found.paths.items()
        if any(name in (pair.a, pair.b) for pair in shown)
    }
    kinds = [
        (title, [pair for pair in shown if pair.kind == kind], _count(found, kind))
        for kind, title in _KINDS.items()
    ]
    sources = [
        ARCHIVES[name.partition(":")[0]]
        for name in found.archives
        if name.partition(":")[0] in ARCHIVES
    ]
    context = {
        "it": found,
        "kinds": kinds,
        "pictures": pictures,
        "sources": sources,
        "simulated": "simulated" in found.archives,
        "unknown": sum(1 for pair in found.copies if not pair.known),
        "conflicts": _count(found, "conflict"),
        "licences": {name: ARCHIVES[name].license for name in found.archives if name in ARCHIVES},
        "variables": _variables(found),
        "across": _count(found, "across"),
    }
    return render_template("audit.html.j2", context)


def _variables(found: Audit) -> list[tuple[str, list[Association]]]:
    """The associations by kind, each kind's strongest first."""
    return [
        (title, [one for one in found.associations if one.kind == kind])
        for kind, title in _VARIABLES.items()
        if any(one.kind == kind for one in found.associations)
    ]


def _count(found: Audit, kind: str) -> int:
    return sum(1 for pair in found.copies if pair.kind == kind)


def _picture(path: str) -> str:
    """A photograph as a data URI; grey where it cannot be read any more."""
    try:
        pixels = read_image(Path(path), _PX)
    except UnreadableImageError:
        pixels = np.full((_PX, _PX, 3), 128, np.uint8)
    buffer = BytesIO()
    imsave(buffer, pixels, format="jpeg", pil_kwargs={"quality": 80})
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode("ascii")
