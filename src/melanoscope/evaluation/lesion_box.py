"""Controls that hide the lesion, or all but the lesion: what a network knows without it.

A network that still ranks well where only the background is left has learned where photographs come
from (Winkler et al. 2019, JAMA Dermatology 155:1135-1141; Bissoto et al. 2019, arXiv:1904.08818).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

from melanoscope.evaluation.corruptions import Pixels
from melanoscope.stats.arrays import Floats

_LIT = 30  # largest channel from which on a pixel is no dark corner
_SMOOTH = 0.015  # of the side
_MARGIN = 0.05
_LEAST, _MOST = 0.01, 0.6  # of the photograph's area
_CONTRAST = 8.0  # levels of gray
# Distance of a lesion's middle from the photograph's, of half the side; shade lies further out.
_CENTRAL = 0.5


class LesionBox(NamedTuple):
    """Rows and columns that a lesion lies in, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


def find_lesion_box(pixels: Pixels) -> LesionBox | None:
    """Find the box around the lesion: the darkest coherent patch near the middle.

    Args:
        pixels: RGB square, shape (h, w, 3), uint8.

    Returns:
        The box with a margin of 5 % of the side; None where no patch stands out, or it is nearly
        nothing or nearly everything, or lies at the edge.

    >>> picture = np.full((100, 100, 3), 200, np.uint8)
    >>> picture[40:60, 30:70] = 90
    >>> find_lesion_box(picture)
    LesionBox(top=35, bottom=65, left=25, right=75)
    """
    height, width = pixels.shape[:2]
    image = Image.fromarray(pixels).convert("L")
    gray = np.asarray(image.filter(ImageFilter.GaussianBlur(_SMOOTH * min(height, width))))
    lit = pixels.max(axis=2) >= _LIT
    if lit.sum() < 0.1 * lit.size:
        return None
    dark = lit & (gray < _otsu(gray[lit]))
    labels, n = ndimage.label(dark)
    if not n or not (lit & ~dark).any():
        return None
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    central = np.exp(-(x**2 + y**2) / 0.5)
    weights = ndimage.sum_labels(central, labels, np.arange(1, n + 1))
    inside = labels == int(np.argmax(weights)) + 1
    if np.hypot(x[inside].mean(), y[inside].mean()) > _CENTRAL:
        return None
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    margin_y, margin_x = round(_MARGIN * height), round(_MARGIN * width)
    box = LesionBox(
        max(int(rows[0]) - margin_y, 0),
        min(int(rows[-1]) + 1 + margin_y, height),
        max(int(columns[0]) - margin_x, 0),
        min(int(columns[-1]) + 1 + margin_x, width),
    )
    area = (box.bottom - box.top) * (box.right - box.left) / (height * width)
    contrast = float(np.median(gray[lit & ~dark])) - float(np.median(gray[inside]))
    return box if _LEAST <= area <= _MOST and contrast >= _CONTRAST else None


def only_background(pixels: Pixels, box: LesionBox) -> Pixels:
    """Return the photograph with the box in the color of the skin around it."""
    found = pixels.copy()
    found[box.top : box.bottom, box.left : box.right] = _skin(pixels, box)
    return found


def only_lesion_box(pixels: Pixels, box: LesionBox) -> Pixels:
    """Return the photograph with everything but the box in the color of the skin around it."""
    found = np.empty_like(pixels)
    found[:] = _skin(pixels, box)
    inside = slice(box.top, box.bottom), slice(box.left, box.right)
    found[inside] = pixels[inside]
    return found


def _skin(pixels: Pixels, box: LesionBox) -> Pixels:
    """Return the middle color of what is lit outside of the box, shape (3,)."""
    outside = pixels.max(axis=2) >= _LIT
    outside[box.top : box.bottom, box.left : box.right] = False
    seen = pixels[outside] if outside.any() else pixels.reshape(-1, 3)
    color: Pixels = np.median(seen, axis=0).astype(np.uint8)
    return color


def _otsu(values: NDArray[np.uint8]) -> int:
    """Return Otsu's (1979) threshold: levels below it are one class."""
    counts = np.bincount(values, minlength=256).astype(np.float64)
    below: Floats = np.cumsum(counts)
    total: Floats = np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = total / below - (total[-1] - total) / above
    between = np.nan_to_num(below * above * apart**2, nan=0.0, posinf=0.0)
    return int(between.argmax()) + 1
