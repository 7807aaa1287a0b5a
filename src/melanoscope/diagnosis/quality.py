"""The quality gate: what is measured of a photograph, and what speaks against it.

Nothing of it knows what the network thinks, and all of it is measured on the decoded square that
the network sees. How well each measure parts good photographs from bad ones:
benchmarks/refusals.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from melanoscope.diagnosis.concern import (
    ADVICE,
    BLURRED,
    CLUTTERED,
    DRAWN,
    NO_LESION,
    TOO_BRIGHT,
    TOO_DARK,
    TOO_SMALL,
    UNLIKE_SKIN,
    UNLIKE_TRAINING,
    Concern,
)
from melanoscope.diagnosis.pixel_measures import (
    coloured,
    colours,
    exposure,
    flat_share,
    sharpness,
    surface,
)
from melanoscope.errors import BundleError, DataError

_LEAST_SIDE = 16


@dataclass(frozen=True, slots=True)
class Quality:
    """What the gate looks at.

    Attributes:
        width: Of the photograph's file, upright, before cropping, in pixels.
        height: Likewise.
        scale: Its short side by the network's: below 1 the photograph was enlarged.
        sharpness: Contrast between neighbours by contrast at twice the distance after averaging,
            along rows or columns, whichever is less; about 0.5 where everything finer than two
            pixels is lost, 0.7 to 1 in sharp photographs. Independent of exposure.
        brightness: Largest channel, 95th percentile, 0..255: how bright the brightest parts are.
        dark_share: Part of the picture that is near-black, 0..1.
        bright_share: Part in which at least two channels are at their end stop, 0..1.
        flat_share: Part made up of 2 x 2 pixels of exactly the same colour, neither near-black nor
            white, 0..1; noise forbids it in photographs and screens are full of it.
        strange_share: Part that is greenish or without colour, 0..1; blue-grey is not.
        hue_agreement: How far all colours are of one hue, 0 (all hues, or none) to 1. A tinted
            light leaves it as it is.
        clutter: Mean difference between neighbouring cells of a grid of 32 x 32 or so, in
            logarithms of RGB: low on skin, whatever lesion and hairs are on it, and high where many
            things are in the picture. Independent of exposure.
        lesion_contrast: How far the most different hundredth of the picture lies from the skin
            around it: distance of the logarithms of RGB. Independent of exposure.
    """

    width: int
    height: int
    scale: float
    sharpness: float
    brightness: float
    dark_share: float
    bright_share: float
    flat_share: float
    strange_share: float
    hue_agreement: float
    clutter: float
    lesion_contrast: float


class Bounds(NamedTuple):
    """From where on a measure is doubtful, and from where on it is refused."""

    doubtful: float
    refused: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of `Quality`'s measures.

    Attributes:
        scale: Least.
        sharpness: Least.
        brightness: Least.
        dark_share: Most.
        bright_share: Most.
        flat_share: Most.
        strange_share: Most.
        hue_agreement: Least.
        clutter: Most.
        lesion_contrast: Least.
    """

    scale: Bounds
    sharpness: Bounds
    brightness: Bounds
    dark_share: Bounds
    bright_share: Bounds
    flat_share: Bounds
    strange_share: Bounds
    hue_agreement: Bounds
    clutter: Bounds
    lesion_contrast: Bounds

    def to_record(self) -> dict[str, dict[str, float]]:
        """Return plain values, for JSON."""
        return {name: getattr(self, name)._asdict() for name in MEASURES}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Limits:
        """Read what `to_record` returned.

        Raises:
            BundleError: A bound is missing, no number, or refuses before it doubts.
        """
        return cls(**{name: _bounds(name, record) for name in MEASURES})


MEASURES = tuple(field.name for field in fields(Limits))
"""What is judged, in the order in which it is told."""

LOW = frozenset({"dark_share", "bright_share", "flat_share", "strange_share", "clutter"})
"""Measures that are to be low; the others are to be high."""

_KINDS = dict(
    zip(
        MEASURES,
        (
            TOO_SMALL,
            BLURRED,
            TOO_DARK,
            TOO_DARK,
            TOO_BRIGHT,
            DRAWN,
            UNLIKE_SKIN,
            UNLIKE_SKIN,
            CLUTTERED,
            NO_LESION,
        ),
        strict=True,
    )
)
_WORDS = {
    "scale": "a short side of {side} pixels, {value:.2f} of the network's, below {limit:.2f}",
    "sharpness": "sharpness {value:.2f}, below {limit:.2f}",
    "brightness": "{value:.0f} of 255 in the brightest parts, below {limit:.0f}",
    "dark_share": "{value:.0%} near-black, above {limit:.0%}",
    "bright_share": "{value:.0%} overexposed, above {limit:.0%}",
    "flat_share": "{value:.0%} without any texture, above {limit:.0%}",
    "strange_share": "{value:.0%} green or grey, above {limit:.0%}",
    "hue_agreement": "agreement of hues {value:.2f}, below {limit:.2f}",
    "clutter": "differences all over the picture, {value:.2f}, above {limit:.2f}",
    "lesion_contrast": "contrast to the skin around {value:.2f}, below {limit:.2f}",
}


def measure(pixels: NDArray[np.uint8], width: int, height: int) -> Quality:
    """Measure a photograph.

    Args:
        pixels: The decoded square, sRGB, shape (px, px, 3), uint8; 16 pixels or more a side.
        width: Of the file, upright, before cropping, in pixels.
        height: Likewise.

    Raises:
        DataError: Another shape or another type.

    >>> even = measure(np.full((64, 64, 3), (200, 150, 130), np.uint8), 640, 480)
    >>> even.scale, even.brightness, even.clutter, even.hue_agreement
    (7.5, 200.0, 0.0, 1.0)
    """
    side = pixels.shape[0] if pixels.ndim else 0
    if pixels.shape != (side, side, 3) or pixels.dtype != np.uint8 or side < _LEAST_SIDE:
        raise DataError(
            f"a photograph (px, px, 3) of uint8, {_LEAST_SIDE} pixels or more a side",
            f"shape {pixels.shape} of {pixels.dtype}",
            "decode it first",
        )
    red, green, blue = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    brightness, dark, bright = exposure(red, green, blue)
    usable = coloured(red, green, blue)
    strange, agreement = colours(red, green, blue, usable)
    clutter, contrast = surface(red, green, blue)
    return Quality(
        width,
        height,
        scale=min(width, height) / side,
        sharpness=sharpness(red, green, blue),
        brightness=brightness,
        dark_share=dark,
        bright_share=bright,
        flat_share=flat_share(red, green, blue, usable),
        strange_share=strange,
        hue_agreement=agreement,
        clutter=clutter,
        lesion_contrast=contrast,
    )


def judge(quality: Quality, limits: Limits) -> tuple[Concern, ...]:
    """Name what is wrong with a photograph, each kind once and at its worst."""
    found: dict[str, Concern] = {}
    for name in MEASURES:
        one = _judge_measure(name, quality, getattr(limits, name))
        if one and (one.kind not in found or one.severity == "refused"):
            found[one.kind] = one
    return tuple(found.values())


def judge_distance(distance: float, doubtful_above: float, refused_above: float) -> Concern | None:
    """Name the concern of a photograph far from those of the training, or None.

    >>> judge_distance(80.0, 100.0, 200.0) is None
    True
    >>> judge_distance(120.0, 100.0, 200.0).severity
    'doubtful'
    """
    # A distance that is no number is as far away as can be.
    if distance <= doubtful_above:
        return None
    beyond = not distance <= refused_above
    limit = refused_above if beyond else doubtful_above
    return Concern(
        UNLIKE_TRAINING,
        "refused" if beyond else "doubtful",
        f"distance {distance:.0f}, above {limit:.0f}",
        ADVICE[UNLIKE_TRAINING],
    )


def _judge_measure(name: str, quality: Quality, bounds: Bounds) -> Concern | None:
    value = getattr(quality, name)
    sign = -1 if name in LOW else 1
    if not sign * value < sign * bounds.doubtful:
        return None
    refused = sign * value < sign * bounds.refused
    found = _WORDS[name].format(
        value=value,
        limit=bounds.refused if refused else bounds.doubtful,
        side=min(quality.width, quality.height),
    )
    return Concern(_KINDS[name], "refused" if refused else "doubtful", found, ADVICE[_KINDS[name]])


def _bounds(name: str, record: dict[str, Any]) -> Bounds:
    try:
        bounds = Bounds(float(record[name]["doubtful"]), float(record[name]["refused"]))
    except (KeyError, TypeError, ValueError):
        bounds = Bounds(math.nan, math.nan)
    sign = -1 if name in LOW else 1
    if not sign * bounds.refused <= sign * bounds.doubtful or not all(map(math.isfinite, bounds)):
        raise BundleError(
            f"two bounds of '{name}', the refusing one beyond the doubting one",
            repr(record.get(name)) if isinstance(record, dict) else repr(record),
            "make the bundle anew",
        )
    return bounds
