"""The page of an audit: what is suspicious first, then the photographs of every pair."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imsave

from melanoscope.atomic import write_together
from melanoscope.audit.audit import Audit
from melanoscope.data.sources import ARCHIVES
from melanoscope.imaging.decode import read_image
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.json_text import json_text
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.report.html import render_template
from melanoscope.report.sections.section import plain
from melanoscope.report.target_words import question_of

_IMAGE_SIZE = 112
MAX_PAIRS = 200
"""Pairs that the page shows with their photographs; the JSON holds all."""

_KINDS_OF_COPIES = {
    "conflict": "Two labels for one picture",
    "across": "Across archives",
    "within": "Within one archive",
}
_KINDS_OF_VARIABLES = {
    "person": "The person",
    "missing": "What is not known",
    "origin": "Where it comes from",
    "geometry": "The file",
    "colour": "Light and colour",
}


def write_audit(audit: Audit, folder: Path) -> Path:
    """Write the document and the page of an audit.

    Args:
        audit: What the audit found.
        folder: Where audit.json and index.html go; it is made where it is missing.

    Returns:
        Path of the page.

    Raises:
        RunError: The disk is full; what was there before is as it was.
    """
    document = json_text(audit_document(audit), indent=1)
    texts = {"audit.json": f"{document}\n", "index.html": _render(audit)}
    # Half characters, of names that are not UTF-8, are written as JSON escapes them.
    contents = {name: text.encode(errors="backslashreplace") for name, text in texts.items()}
    with explain_machine_faults(folder):
        write_together(folder, contents)
    return folder / "index.html"


def audit_document(audit: Audit) -> dict[str, Any]:
    """Return an audit as plain values, for audit.json and ``--json``.

    Args:
        audit: What the audit found.

    Returns:
        All of it but the paths of files.
    """
    document: dict[str, Any] = plain(audit)
    del document["paths"]
    return document


def _render(audit: Audit) -> str:
    """Render an `audit` as HTML that loads nothing from elsewhere: photographs are embedded."""
    pairs = audit.copies[:MAX_PAIRS]
    image_ids = {image_id for pair in pairs for image_id in (pair.a, pair.b)}
    counts = Counter(pair.kind for pair in audit.copies)
    archives = [name.partition(":")[0] for name in audit.archives]
    context = {
        "audit": audit,
        "kinds": [
            (title, [pair for pair in pairs if pair.kind == kind], counts[kind])
            for kind, title in _KINDS_OF_COPIES.items()
        ],
        "images": {i: _data_uri(path) for i, path in audit.paths.items() if i in image_ids},
        "sources": {name: ARCHIVES[name] for name in archives if name in ARCHIVES},
        "simulated": "simulated" in audit.archives,
        "unknown": sum(1 for pair in audit.copies if not pair.known),
        "conflicts": counts["conflict"],
        "licences": {
            name: ", ".join(stated) or ARCHIVES[name].license
            for name in audit.archives
            if (stated := audit.licences.get(name, ())) or name in ARCHIVES
        },
        "target": audit.target,
        "question": question_of(audit.target),
        "variables": [
            (title, associations)
            for kind, title in _KINDS_OF_VARIABLES.items()
            if (associations := [a for a in audit.associations if a.kind == kind])
        ],
        "across": counts["across"],
    }
    return render_template("audit.html.j2", context)


def _data_uri(path: str) -> str:
    """Return a photograph as a data URI; gray where it cannot be read any more."""
    try:
        pixels = read_image(Path(path), _IMAGE_SIZE)
    except UnreadableImageError:
        pixels = np.full((_IMAGE_SIZE, _IMAGE_SIZE, 3), 128, np.uint8)
    buffer = BytesIO()
    imsave(buffer, pixels, format="jpeg", pil_kwargs={"quality": 80})
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode("ascii")
