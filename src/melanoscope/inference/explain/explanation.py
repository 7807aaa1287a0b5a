"""The files of `--explain`: overlays as PNG, and one page that shows them with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.atomic import atomic_path
from melanoscope.errors import DataError
from melanoscope.inference.explain.overlays import (
    OPACITY,
    SIDE,
    attribution_overlay,
    encode_png,
    enlarged,
    evidence_scale,
    heat_overlay,
)
from melanoscope.inference.explain.page import render_page

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Attribution
    from melanoscope.inference.result import Diagnosis


def write_explanation(
    path: Path,
    image: DecodedImage,
    diagnosis: Diagnosis,
    attribution: Attribution | None,
    notices: Sequence[str] = (),
) -> list[Path]:
    """Write the files that explain a diagnosis.

    The PNG files hold pixels and nothing else: no metadata, neither the photograph's nor ours.

    Args:
        path: Folder and stem of the files' names: "out/mole" gives "out/mole-photograph.png". The
            folder is made where it does not exist.
        image: The decoded photograph.
        diagnosis: What the network says of it.
        attribution: Integrated Gradients; None where the bundle has no gradient graph.
        notices: Paragraphs for the end of the page, such as the terms of the bundle's licence.

    Returns:
        The files written: "-photograph.png", "-evidence.png" (unless refused), "-gradients.png"
        (where there is an attribution), "-explanation.html" (all of it with its numbers).

    Raises:
        DataError: The folder cannot be written to.
    """
    photograph = enlarged(image.pixels, SIDE)
    overlays = {"photograph": photograph}
    if diagnosis.evidence is not None:
        places = diagnosis.evidence.places
        overlays["evidence"] = heat_overlay(
            photograph, places, opacity=OPACITY, scale=evidence_scale(places)
        )
        if attribution is not None:
            overlays["gradients"] = enlarged(
                attribution_overlay(image.pixels, attribution.pixels), SIDE
            )
    pngs = {name: encode_png(pixels) for name, pixels in overlays.items()}
    page = render_page(
        path.name,
        pngs=pngs,
        image=image,
        diagnosis=diagnosis,
        attribution=attribution,
        notices=notices,
    )
    contents = {f"{path.name}-{name}.png": png for name, png in pngs.items()}
    contents[f"{path.name}-explanation.html"] = page.encode()
    return [_write(path.with_name(name), content) for name, content in contents.items()]


def _write(path: Path, content: bytes) -> Path:
    """Write a file that is either whole or not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise DataError(
            f"a folder that can be written to at '{path.parent}'",
            error.strerror or type(error).__name__,
            "name another folder",
        ) from None
    return path
