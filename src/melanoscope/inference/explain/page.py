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
    from melanoscope.inference.result import Diagnosis, EvidenceSum
    from melanoscope.patient import PatientInfo

_BASELINES = {
    "black": "a black photograph",
    "blurred": "the photograph blurred",
    "mean skin": "mean skin",
}


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
    evidence = diagnosis.evidence
    return _template().render(
        name=name,
        phrases=phrases,
        diagnosis=diagnosis,
        notices=notices,
        figures=_figures(pngs, image, diagnosis, attribution),
        sum=None if evidence is None else _sum(evidence, diagnosis.person),
        scales=[] if evidence is None else _scales(evidence, attribution),
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
    return environment.get_template("explanation.html.j2")


def _finalize(value: object) -> object:
    """Return what a template writes for a value; "12 %" stays on one line."""
    if not isinstance(value, str):
        return value
    return phrases.literal(value).replace(" %", "\N{NO-BREAK SPACE}%")


def _figures(
    pngs: Mapping[str, bytes],
    image: DecodedImage,
    diagnosis: Diagnosis,
    attribution: Attribution | None,
) -> list[dict[str, Any]]:
    """Return title, alternative text, caption and data URI of each figure."""
    patient = ", ".join(phrases.describe_patient(diagnosis.person).values())
    rows, columns = image.pixels.shape[:2]
    figures = [
        {
            "title": "Photograph",
            "alt": "The centred square of the photograph, as the network sees it.",
            "source": _data_uri(pngs["photograph"]),
            "caption": f"The centred square of {image.width} x {image.height} pixels, seen by the "
            f"network at {columns} x {rows}. Known beside it: {patient}.",
        }
    ]
    if diagnosis.evidence is None:
        return figures
    figures.append(
        {
            "title": "Evidence of each place",
            "alt": "The photograph under the colours of the evidence of each place.",
            "source": _data_uri(pngs["evidence"]),
            "caption": _evidence_caption(diagnosis.evidence),
        }
    )
    gradients = pngs.get("gradients")
    figures.append(
        {
            "title": "Integrated Gradients",
            "alt": "A grey photograph under the colours of what each pixel adds.",
            "source": None if gradients is None else _data_uri(gradients),
            "caption": "" if attribution is None else _gradients_caption(attribution),
        }
    )
    return figures


def _evidence_caption(evidence: EvidenceSum) -> str:
    rows, columns = evidence.places.shape
    return (
        f"What each of {rows} x {columns} places adds to the logit: together "
        f"{phrases.signed(evidence.photograph, 2)}. The stronger, the more opaque."
    )


def _gradients_caption(attribution: Attribution) -> str:
    baseline = _BASELINES.get(attribution.baseline, attribution.baseline)
    return (
        f"What each pixel adds, against {baseline}, over a grey photograph; {attribution.steps} "
        f"steps. Sum {phrases.signed(float(attribution.pixels.sum()), 3)}, should be "
        f"{phrases.signed(attribution.difference, 3)}: completeness error "
        f"{100 * attribution.completeness_error:.2f} %."
    )


def _scales(evidence: EvidenceSum, attribution: Attribution | None) -> list[tuple[str, str]]:
    """Return names of the color bar's scales, and the value at its ends."""
    scales = [("evidence, per place", phrases.two_digits(evidence_scale(evidence.places)))]
    if attribution is not None:
        end = phrases.two_digits(attribution_scale(attribution.pixels))
        scales.append(("gradients, per pixel", end))
    return scales


def _sum(evidence: EvidenceSum, patient: PatientInfo) -> dict[str, Any]:
    """Return the addends of the logit and the logit, each with the length of its bar in per cent.

    The longest bar takes one half of its column, on either side of the middle.
    """
    parts = phrases.evidence_parts(evidence, patient)
    decimals, holds = phrases.decimals_of_sum([value for _, value in parts], evidence.logit)
    rows = [*parts, ("= logit", evidence.logit)]
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
