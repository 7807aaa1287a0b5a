"""Measures of a photograph's quality; `gate` says what speaks against a photograph.

None of them knows what the network thinks, and all are taken on the decoded square that the network
sees. How well each measure parts good photographs from bad ones: benchmarks/quality_gate.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import DataError
from melanoscope.inference.quality.pixel_measures import (
    exposure_measures,
    flat_share,
    hue_measures,
    is_colored,
    sharpness,
    texture_measures,
)

_LEAST_SIDE = 16


@dataclass(frozen=True, slots=True)
class QualityMeasures:
    """Measures that the quality gate judges.

    Attributes:
        width: Width of the photograph's file, upright, before cropping, in pixels; so its height.
        scale: Short side of the file by the side of the network's square: below 1 the photograph
            was enlarged.
        sharpness: Contrast between neighbors by contrast at twice the distance after averaging,
            along rows or columns, whichever is less; about 0.5 where everything finer than two
            pixels is lost, 0.7 to 1 in sharp photographs. Independent of exposure.
        brightness: 95th percentile of the largest channel, 0..255.
        dark_share: Share of the pixels that are near-black, 0..1.
        bright_share: Share of the pixels with two or three channels at their end stop, 0..1.
        flat_share: Share of 2 x 2 pixels of exactly the same color, neither near-black nor white,
            0..1; noise forbids it in photographs and screens are full of it.
        strange_share: Share of the pixels that are greenish or without color, 0..1; blue-grey ones
            are not counted.
        hue_agreement: How far all colors are of one hue, 0 (all hues, or none) to 1. A tinted light
            leaves it as it is.
        clutter: Mean difference between neighboring cells of a grid of 32 x 32 or so, in logarithms
            of RGB: low on skin, high where many things are in the picture.
        lesion_contrast: Distance of the most different hundredth of the picture from the skin
            around it, in logarithms of RGB.
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
        pixels: Decoded square, sRGB, shape (side, side, 3), uint8; 16 pixels or more a side.
        width: Width of the file, upright, before cropping, in pixels.
        height: Height of the file.

    Returns:
        All measures.

    Raises:
        DataError: `pixels` has another shape or another type.

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
    channels = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    colored = is_colored(channels)
    brightness, dark_share, bright_share = exposure_measures(channels)
    strange_share, hue_agreement = hue_measures(channels, colored)
    clutter, lesion_contrast = texture_measures(channels)
    return QualityMeasures(
        width=width,
        height=height,
        scale=min(width, height) / side,
        sharpness=sharpness(channels),
        brightness=brightness,
        dark_share=dark_share,
        bright_share=bright_share,
        flat_share=flat_share(channels, colored),
        strange_share=strange_share,
        hue_agreement=hue_agreement,
        clutter=clutter,
        lesion_contrast=lesion_contrast,
    )
