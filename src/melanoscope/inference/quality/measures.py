"""The quality gate's measures of a photograph; `verdict` says what speaks against one.

Nothing of it knows what the network thinks, and all of it is measured on the decoded square that
the network sees. How well each measure parts good photographs from bad ones:
benchmarks/refusals.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import DataError
from melanoscope.inference.quality.pixel_measures import (
    coloured,
    colours,
    exposure,
    flat_share,
    sharpness,
    surface,
)

_LEAST_SIDE = 16


@dataclass(frozen=True, slots=True)
class QualityMeasures:
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


def measure_quality(pixels: NDArray[np.uint8], width: int, height: int) -> QualityMeasures:
    """Measure a photograph.

    Args:
        pixels: The decoded square, sRGB, shape (px, px, 3), uint8; 16 pixels or more a side.
        width: Of the file, upright, before cropping, in pixels.
        height: Likewise.

    Raises:
        DataError: Another shape or another type.

    >>> even = measure_quality(np.full((64, 64, 3), (200, 150, 130), np.uint8), 640, 480)
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
    return QualityMeasures(
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
