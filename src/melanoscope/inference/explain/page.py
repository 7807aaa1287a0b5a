"""The page of `--explain`: one HTML file that needs nothing else, no script and no network."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from melanoscope.inference.explain.colormap import AGAINST, FOR, color_bar
from melanoscope.inference.explain.overlays import attribution_scale, encode_png, evidence_scale
from melanoscope.inference.text import phrases

if TYPE_CHECKING:
    from jinja2 import Template

    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Attribution
    from melanoscope.inference.result import Diagnosis


def render_page(
    name: str,
    *,
    pngs: Mapping[str, bytes],
    image: DecodedImage,
    diagnosis: Diagnosis,
    attribution: Attribution | None,
    notices: Sequence[str] = (),
) -> str:
    """Return the page that explains a diagnosis.

    All text from outside, such as `name` and the bundle's words, is escaped, and characters that
    could act instead of being read are spelt out.

    Args:
        name: Name of the photograph for the title.
        pngs: PNG files of "photograph", "evidence" and "gradients"; the latter two may be missing.
        image: The decoded photograph.
        diagnosis: What the network says of it.
        attribution: Integrated Gradients; None where there are none.
        notices: Paragraphs for the end of the page.

    Returns:
        HTML with all images inside.
    """
    return _template().render(
        name=name,
        figures={key: _data_uri(png) for key, png in pngs.items()},
        image=image,
        diagnosis=diagnosis,
        attribution=attribution,
        notices=notices,
        sum=_sum(diagnosis),
        color_bar=_data_uri(encode_png(color_bar(300, 1))),
        colors={"for": _css(FOR), "against": _css(AGAINST)},
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("melanoscope.inference.explain"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.globals |= {
        "phrases": phrases,
        "evidence_scale": evidence_scale,
        "attribution_scale": attribution_scale,
    }
    return environment.get_template("explanation.html.j2")


def _finalize(value: object) -> object:
    """Return what the template writes for a value; "12 %" stays on one line."""
    if not isinstance(value, str):
        return value
    return phrases.literal(value).replace(" %", "\N{NO-BREAK SPACE}%")


def _sum(diagnosis: Diagnosis) -> dict[str, Any] | None:
    """Return addends and logit, each with its bar's length in per cent of half a column."""
    if diagnosis.evidence is None:
        return None
    rows, decimals, holds = phrases.evidence_rows(diagnosis.evidence, diagnosis.person)
    largest = max(abs(value) for _, value in rows) or 1.0
    return {
        "holds": holds,
        "rows": [
            {
                "name": name,
                "number": phrases.signed(value, decimals),
                "side": "for" if value > 0 else "against",
                "length": f"{50 * abs(value) / largest:.2f}",
            }
            for name, value in rows
        ],
    }


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _css(rgb: tuple[int, int, int]) -> str:
    return f"rgb({rgb[0]} {rgb[1]} {rgb[2]})"
