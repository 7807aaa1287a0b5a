"""The files of `--explain`: overlays as PNG, and one page (HTML) that shows all and their numbers.

The PNG files hold pixels and nothing else: no metadata, neither the photograph's nor ours. The page
needs nothing else either: no script and no network.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.atomic import write_together
from melanoscope.errors import DataError
from melanoscope.inference.explain.colormap import AGAINST, FOR, color_bar
from melanoscope.inference.explain.overlays import (
    OPACITY,
    SIDE,
    attribution_overlay,
    attribution_scale,
    encode_png,
    enlarged,
    evidence_scale,
    heat_overlay,
)
from melanoscope.inference.text import phrases
from melanoscope.machine_faults import raise_machine_fault

if TYPE_CHECKING:
    from jinja2 import Template

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

    Args:
        path: Folder, made if need be, and stem: "out/mole" gives "out/mole-photograph.png".
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
    try:
        write_together(path.parent, contents)
    except OSError as error:
        raise_machine_fault(error, path.parent)
        raise DataError(
            f"a folder that can be written to at '{path.parent}'",
            error.strerror or type(error).__name__,
            "name another folder",
        ) from None
    return [path.with_name(name) for name in contents]


def render_page(
    name: str,
    *,
    pngs: Mapping[str, bytes],
    image: DecodedImage,
    diagnosis: Diagnosis,
    attribution: Attribution | None,
    notices: Sequence[str] = (),
) -> str:
    """Return the page (HTML) that `write_explanation` writes, with the `pngs` inside."""
    return _template().render(
        name=name,
        figures={key: _data_uri(png) for key, png in pngs.items()},
        image=image,
        diagnosis=diagnosis,
        attribution=attribution,
        notices=notices,
        color_bar=_data_uri(encode_png(color_bar(300, 1))),
        colors={"for": FOR, "against": AGAINST},
        phrases=phrases,
        evidence_scale=evidence_scale,
        attribution_scale=attribution_scale,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("melanoscope.inference.explain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    ).get_template("explanation.html.j2")


def _finalize(value: object) -> object:
    """Return what the template writes for a value; "12 %" stays on one line."""
    if not isinstance(value, str):
        return value
    return phrases.literal(value).replace(" %", "\N{NO-BREAK SPACE}%")


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
