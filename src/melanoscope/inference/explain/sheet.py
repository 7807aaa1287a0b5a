"""The sheet of `--explain`: photograph, evidence, Integrated Gradients, and the exact sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.inference.explain.canvas import (
    TEXT,
    Colour,
    Picture,
    above,
    bar,
    beside,
    framed,
    outlined,
    space,
    text,
)
from melanoscope.inference.explain.colormap import AGAINST, FOR, GRID, INK, MUTED, WARNING, legend
from melanoscope.inference.explain.overlays import attribution_scale, evidence_scale
from melanoscope.inference.text import phrases

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Attribution
    from melanoscope.inference.result import Diagnosis, EvidenceSum
    from melanoscope.patient import PatientInfo

_MARGIN, _GAP = 30, 24
_HEAD, _TITLE, _SMALL = 27, 20, 15
_BASELINES = {
    "black": "a black photograph",
    "blurred": "the photograph blurred",
    "mean skin": "mean skin",
}


@dataclass(frozen=True, eq=False, slots=True)
class Panels:
    """The pictures of a sheet, all of one size.

    Attributes:
        photograph: As the network sees it, enlarged.
        heat: With the evidence of each place over it; None where the photograph was refused.
        gradients: With Integrated Gradients; None where there are none.
    """

    photograph: Picture
    heat: Picture | None
    gradients: Picture | None


def compose(
    panels: Panels, decoded: DecodedImage, diagnosis: Diagnosis, attribution: Attribution | None
) -> Picture:
    """Lay out the sheet.

    Returns:
        RGB of shape (height, width, 3); three panels wide, as tall as its text needs.
    """
    side = panels.photograph.shape[1]
    wide, right = 3 * side + 2 * _GAP, 2 * side + _GAP
    first = _panel("Photograph", panels.photograph, _about(decoded, diagnosis))
    if diagnosis.evidence is None or panels.heat is None:
        body = beside([first, _concerns(diagnosis, right)], _GAP)
    else:
        heat = _panel("Evidence of each place", panels.heat, _about_heat(diagnosis.evidence))
        notes = above([_standing(diagnosis, side), _concerns(diagnosis, side)])
        scales = _legend(diagnosis.evidence, attribution, right)
        chart = above([scales, space(1, 20), _sum(diagnosis.evidence, diagnosis.person, right)])
        body = above(
            [
                beside([first, heat, _gradients(panels.gradients, attribution, side)], _GAP),
                space(1, 20),
                beside([notes, chart], _GAP),
            ]
        )
    parts = [_head(diagnosis, wide), space(1, 16), body, space(1, 18), _footer(diagnosis, wide)]
    return framed(above(parts), _MARGIN)


def _head(diagnosis: Diagnosis, width: int) -> Picture:
    rows = [text(phrases.headline(diagnosis), width, size=_HEAD)]
    if diagnosis.probability is not None:
        rows += [text(f"Probability of melanoma: {phrases.chances(diagnosis)}.", width)]
    rows += [text(phrases.caution(diagnosis), width, colour=MUTED)]
    if diagnosis.simulated:
        rows += [text(phrases.SIMULATED, width, colour=WARNING)]
    if diagnosis.forced:
        rows += [text(phrases.FORCED, width, colour=WARNING)]
    return above(rows)


def _panel(title: str, picture: Picture, caption: str) -> Picture:
    width = picture.shape[1]
    return above(
        [
            text(title, width, size=_TITLE),
            space(1, 4),
            picture,
            space(1, 6),
            text(caption, width, size=_SMALL, colour=MUTED),
        ]
    )


def _gradients(picture: Picture | None, attribution: Attribution | None, side: int) -> Picture:
    """Show Integrated Gradients, or a grey field that says that there are none."""
    title = "Integrated Gradients"
    if picture is not None and attribution is not None:
        return _panel(title, picture, _about_gradients(attribution))
    field = np.full((side, side, 3), GRID, np.uint8)
    note = text("no gradient graph for this network", side - 2 * _GAP, align="middle")
    top = (side - note.shape[0]) // 2
    part = field[top : top + note.shape[0], _GAP : side - _GAP]
    # Multiplied, the letters keep their soft edges on the grey ground.
    part[:] = (part.astype(np.uint16) * note // 255).astype(np.uint8)
    return _panel(title, field, "")


def _about(decoded: DecodedImage, diagnosis: Diagnosis) -> str:
    person = ", ".join(phrases.known(diagnosis.person).values())
    return (
        f"The centred square of {decoded.width} x {decoded.height} pixels, seen by the network at "
        f"{decoded.pixels.shape[1]} x {decoded.pixels.shape[0]}. Known beside it: {person}."
    )


def _about_heat(evidence: EvidenceSum) -> str:
    rows, columns = evidence.places.shape
    return (
        f"What each of {rows} x {columns} places adds to the logit: together "
        f"{phrases.signed(evidence.photograph, 2)}. The stronger, the more opaque."
    )


def _about_gradients(attribution: Attribution) -> str:
    baseline = _BASELINES.get(attribution.baseline, attribution.baseline)
    return (
        f"What each pixel adds, against {baseline}, over a grey photograph; {attribution.steps} "
        f"steps. Sum {phrases.signed(float(attribution.pixels.sum()), 3)}, should be "
        f"{phrases.signed(attribution.difference, 3)}: completeness error "
        f"{100 * attribution.completeness_error:.2f} %."
    )


def _standing(diagnosis: Diagnosis, width: int) -> Picture:
    rows = [text("At each threshold", width, size=_TITLE)]
    for one in diagnosis.decisions:
        rows += [text(phrases.decision(one), width, size=_SMALL)]
    if diagnosis.standing is not None:
        rows += [text(phrases.standing(diagnosis.standing), width, size=_SMALL, colour=MUTED)]
    return above([*rows, space(1, 14)])


def _concerns(diagnosis: Diagnosis, width: int) -> Picture:
    colour = INK if diagnosis.status == "accepted" else WARNING
    rows = [text(f"Photograph {diagnosis.status}", width, size=_TITLE, colour=colour)]
    for one in diagnosis.concerns:
        rows += [text(f"{one.kind}: {one.found}", width, size=_SMALL)]
        rows += [text(one.advice, width, size=_SMALL, colour=MUTED), space(1, 6)]
    return above(rows)


def _legend(evidence: EvidenceSum, attribution: Attribution | None, width: int) -> Picture:
    ends = (width - 2 * _GAP) * 3 // 11
    ramp = width - 2 * (ends + _GAP)
    height = 20
    words = [
        text("speaks against melanoma", ends, size=TEXT, align="right"),
        outlined(legend(ramp, height)),
        text("speaks for melanoma", ends, size=TEXT),
    ]
    rows = [beside(words, _GAP, middle=True)]
    scales = [("evidence, per place", evidence_scale(evidence.places))]
    if attribution is not None:
        scales += [("gradients, per pixel", attribution_scale(attribution.pixels))]
    for name, top in scales:
        number = phrases.small(top)
        third = ramp // 3
        ticks = [
            text(f"-{number}", third, size=_SMALL, colour=MUTED),
            text("0", ramp - 2 * third, size=_SMALL, colour=MUTED, align="middle"),
            text(f"+{number}", third, size=_SMALL, colour=MUTED, align="right"),
        ]
        label = text(name, ends, size=_SMALL, colour=MUTED, align="right")
        rows += [beside([label, beside(ticks, 0), space(ends, 1)], _GAP)]
    return above(rows)


def _sum(evidence: EvidenceSum, person: PatientInfo, width: int) -> Picture:
    """Draw the logit as the sum it is, a bar for each addend."""
    logit, addends = evidence.logit, phrases.parts(evidence, person)
    decimals, holds = phrases.digits([value for _, value in addends], logit)
    scale = max(abs(value) for _, value in [*addends, ("", logit)]) or 1.0
    names, numbers = 230, 100
    long = width - names - numbers - 2 * _GAP

    def row(name: str, value: float, colour: Colour) -> Picture:
        label = text(name, names)
        number = text(phrases.signed(value, decimals), numbers, align="right")
        height = max(label.shape[0], number.shape[0])
        return beside([label, number, bar(value, scale, long, height, colour)], _GAP)

    rows = [text("The answer as the exact sum it is (logit)", width, size=_TITLE), space(1, 4)]
    rows += [row(name, value, FOR if value > 0 else AGAINST) for name, value in addends]
    rows += [np.full((1, width, 3), MUTED, np.uint8), row("= logit", logit, INK)]
    if not holds:
        rows += [text(phrases.ROUNDED, width, size=_SMALL, colour=MUTED)]
    return above(rows)


def _footer(diagnosis: Diagnosis, width: int) -> Picture:
    return above(
        [
            np.full((1, width, 3), GRID, np.uint8),
            space(1, 8),
            text(
                f"{phrases.HONESTY} Network: {diagnosis.network}.", width, size=_SMALL, colour=MUTED
            ),
        ]
    )
