"""The files of `--explain`: overlays and one sheet with all of it.

They hold pixels and nothing else: no metadata, neither the photograph's nor ours.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.atomic import atomic_path
from melanoscope.errors import DataError
from melanoscope.inference.explain.overlays import (
    OPACITY,
    SIDE,
    Picture,
    attribution_overlay,
    enlarged,
    evidence_scale,
    heat_overlay,
)
from melanoscope.inference.explain.sheet import Panels, compose

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Attribution
    from melanoscope.inference.result import Diagnosis


def draw_explanation(
    path: Path, decoded: DecodedImage, diagnosis: Diagnosis, attribution: Attribution | None
) -> list[Path]:
    """Write the pictures that explain an answer, as PNG without metadata.

    Args:
        path: Folder and stem of the files' names: "out/mole" gives "out/mole-photograph.png". The
            folder is made where it does not exist.
        decoded: The photograph.
        diagnosis: What was answered.
        attribution: Integrated Gradients; None where the network has no gradient graph.

    Returns:
        The files written: "-photograph", "-evidence" (unless refused), "-gradients" (where there
        is an attribution), "-explanation" (all of it with its numbers on one sheet).

    Raises:
        DataError: The folder cannot be written to.
    """
    pixels, large = decoded.pixels, enlarged(decoded.pixels, SIDE)
    heat = gradients = None
    if diagnosis.evidence is not None:
        places = diagnosis.evidence.places
        heat = heat_overlay(large, places, opacity=OPACITY, scale=evidence_scale(places))
        if attribution is not None:
            gradients = enlarged(attribution_overlay(pixels, attribution.pixels), SIDE)
    sheet = compose(Panels(large, heat, gradients), decoded, diagnosis, attribution)
    drawn = {"photograph": large, "evidence": heat, "gradients": gradients, "explanation": sheet}
    return [
        _write(path.with_name(f"{path.name}-{name}.png"), picture)
        for name, picture in drawn.items()
        if picture is not None
    ]


def _write(path: Path, pixels: Picture) -> Path:
    """Write a PNG that is either whole or not there."""
    from PIL import Image

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as partial:
            # An image made from an array has no metadata that could be written with it.
            Image.fromarray(pixels).save(partial, format="PNG", compress_level=4)
    except OSError as error:
        raise DataError(
            f"a folder that can be written to at '{path.parent}'",
            error.strerror or type(error).__name__,
            "name another folder",
        ) from None
    return path
