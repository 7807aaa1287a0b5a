"""The arithmetic of the quality gate: a photograph's pixels to a few numbers.

Grey and RGB arithmetic, differences, counts and one median, so that any language can repeat it.
Mirroring or turning by right angles changes nothing; what each number means is said in `quality`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
_Floats = NDArray[np.float32]
_Mask = NDArray[np.bool_]

BLACK = 30
"""Largest channel below which a place is near-black: a dermoscope's corners, a covered lens."""
FULL = 250
"""A channel from here on is at its end stop, after resampling."""
DIM = 40
"""Largest channel below which colour is mostly noise."""

_CELLS = 32  # along the side of the grid on which the lesion is looked for, about
_LIFT = 8.0  # added before logarithms, so that noise in the dark does not count


def exposure(red: Bytes, green: Bytes, blue: Bytes) -> tuple[float, float, float]:
    """Return brightness (95th percentile of the largest channel), dark share and bright share."""
    top = np.maximum(np.maximum(red, green), blue)
    middle = np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))
    up_to = np.cumsum(np.bincount(top.ravel(), minlength=256))
    return (
        float(np.searchsorted(up_to, 0.95 * top.size)),
        float(up_to[BLACK - 1] / top.size),
        float(np.count_nonzero(middle >= FULL) / top.size),
    )


def coloured(red: Bytes, green: Bytes, blue: Bytes) -> _Mask:
    """Mark what is bright enough and not too bright for its colour to mean something."""
    top = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    mask: _Mask = (top >= DIM) & (low < FULL)
    return mask


def sharpness(red: Bytes, green: Bytes, blue: Bytes) -> float:
    """Return the lesser of two ratios: along rows, along columns.

    A step from pixel to pixel is held against the step between means of 2 x 2 pixels that lie side
    by side. Where nothing is finer than two pixels, the second is twice the first. A camera moved
    sideways loses one direction only. Means of absolute values, so that a few hairs or a black
    corner do not make a blurred photograph sharp.
    """
    grey = (0.299 * red + 0.587 * green + 0.114 * blue).astype(np.float32)
    rows = grey[:-1] + grey[1:]
    means = (rows[:, :-1] + rows[:, 1:]) / 4
    fine = (np.abs(grey[1:] - grey[:-1]).mean(), np.abs(grey[:, 1:] - grey[:, :-1]).mean())
    coarse = (np.abs(means[2:] - means[:-2]).mean(), np.abs(means[:, 2:] - means[:, :-2]).mean())
    return min(float(a) / (float(b) + 0.1) for a, b in zip(fine, coarse, strict=True))


def flat_share(red: Bytes, green: Bytes, blue: Bytes, usable: _Mask) -> float:
    code = (red.astype(np.int32) << 16) | (green.astype(np.int32) << 8) | blue
    same = code[1:] == code[:-1]
    flat = same[:, 1:] & same[:, :-1] & (code[1:, 1:] == code[1:, :-1]) & usable[1:, 1:]
    return float(np.count_nonzero(flat) / usable.size)


def colours(red: Bytes, green: Bytes, blue: Bytes, usable: _Mask) -> tuple[float, float]:
    """Return the strange share and the agreement of hues, over what is neither dark nor white."""
    count = int(np.count_nonzero(usable))
    if count < usable.size // 100:  # black or white all over, which other measures see
        return 0.0, 1.0
    r, g, b = (band[usable].astype(np.float32) for band in (red, green, blue))
    most = np.maximum(np.maximum(r, g), b)
    least = np.minimum(np.minimum(r, g), b)
    strange = (g > r + 5) | (most - least <= 0.05 * most)
    # The colour circle's two coordinates; their length is the chroma.
    x, y = r - (g + b) / 2, (math.sqrt(3) / 2) * (g - b)
    chroma = float(np.sqrt(x * x + y * y).mean())
    agreement = math.hypot(float(x.mean()), float(y.mean())) / max(chroma, 1.0)
    return float(np.count_nonzero(strange) / count), min(agreement, 1.0)


def surface(pixels: Bytes) -> tuple[float, float]:
    """Return clutter and lesion contrast, both from a grid of cells.

    Dark corners are left out, but not what is dark near the centre: that may be the lesion. The
    skin is the middle colour of what lies away from the centre.
    """
    depth, lit = _cells(pixels)
    axis = (np.arange(len(depth)) + 0.5) * (2 / len(depth)) - 1
    far = np.hypot(axis[:, None], axis)
    seen = (far < 0.97) & (lit | (far < 0.7))
    down = _length(depth[1:] - depth[:-1])[seen[1:] & seen[:-1]]
    across = _length(depth[:, 1:] - depth[:, :-1])[seen[:, 1:] & seen[:, :-1]]
    around = seen & (far > 0.6)
    skin = np.median(depth[around if around.sum() >= len(depth) else seen], axis=0)
    away = np.sort(_length(depth[seen] - skin))
    return (
        float((down.sum() + across.sum()) / (down.size + across.size)),
        float(away[-max(len(away) // 100, 1) :].mean()),
    )


def _cells(pixels: Bytes) -> tuple[_Floats, _Mask]:
    """Return logarithms of each cell's mean RGB, shape (n, n, 3), and whether it is lit."""
    block = max(round(pixels.shape[0] / _CELLS), 1)
    n = pixels.shape[0] // block
    start = (pixels.shape[0] - n * block) // 2
    part = pixels[start : start + n * block, start : start + n * block]
    rows = part.reshape(n, block, n * block, 3).sum(axis=1, dtype=np.float32)
    means = rows.reshape(n, n, block, 3).sum(axis=2) / block**2
    return np.log(means + _LIFT), means.max(axis=2) >= BLACK


def _length(colours: _Floats) -> _Floats:
    length: _Floats = np.sqrt(np.square(colours).sum(axis=-1))
    return length
