"""The arithmetic of the quality measures: a photograph's pixels to a few numbers.

Gray and RGB arithmetic, differences, counts and one median, so that any language can repeat it.
Mirroring or turning by right angles changes nothing. What each number means: `QualityMeasures`.

All functions take the photograph as `channels`: red, green and blue, shape (3, side, side), uint8.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_Channels = NDArray[np.uint8]
_Floats = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_BLACK = 30  # largest channel below which a pixel is near-black: corners, a covered lens
_FULL = 250  # a channel from here on is at its end stop, after resampling
_DIM = 40  # largest channel below which color is mostly noise

# Single precision throughout: twice as fast, and no photograph is known to six digits.
_WEIGHT_RED, _WEIGHT_GREEN, _WEIGHT_BLUE = map(np.float32, (0.299, 0.587, 0.114))

_HALF_ROOT_3 = np.float32(math.sqrt(3) / 2)
_CELLS = 32  # along the side of the grid on which the lesion is looked for, about
_LIFT = 8.0  # added before logarithms, so that noise in the dark does not count


def exposure_measures(channels: _Channels) -> tuple[float, float, float]:
    """Return brightness, share of near-black and share of overexposed pixels of `channels`."""
    red, green, blue = channels
    top = channels.max(axis=0)
    middle = np.maximum(np.minimum(red, green), np.minimum(np.maximum(red, green), blue))
    up_to = np.cumsum(np.bincount(top.ravel(), minlength=256))
    return (
        float(np.searchsorted(up_to, 0.95 * top.size)),
        float(up_to[_BLACK - 1] / top.size),
        float(np.count_nonzero(middle >= _FULL) / top.size),
    )


def is_colored(channels: _Channels) -> _Mask:
    """Return a mask of the pixels of `channels` that are neither too dark nor too bright."""
    mask: _Mask = (channels.max(axis=0) >= _DIM) & (channels.min(axis=0) < _FULL)
    return mask


def sharpness(channels: _Channels) -> float:
    """Return the sharpness of `channels`, along rows or along columns, whichever is less."""
    # A step from pixel to pixel by the step between means of 2 x 2 pixels side by side, which is
    # twice as large where nothing is finer than two pixels. A camera moved sideways loses one
    # direction only. Means, so that a few hairs do not make a blurred photograph sharp.
    red, green, blue = channels
    gray = _WEIGHT_RED * red + _WEIGHT_GREEN * green + _WEIGHT_BLUE * blue
    rows = gray[:-1] + gray[1:]
    fours = rows[:, :-1] + rows[:, 1:]
    fine = _mean_step(gray[1:], gray[:-1]), _mean_step(gray[:, 1:], gray[:, :-1])
    coarse = _mean_step(fours[2:], fours[:-2]) / 4, _mean_step(fours[:, 2:], fours[:, :-2]) / 4
    return min(a / (b + 0.1) for a, b in zip(fine, coarse, strict=True))


def _mean_step(after: _Floats, before: _Floats) -> float:
    step = after - before
    return float(np.abs(step, out=step).mean())


def flat_share(channels: _Channels, colored: _Mask) -> float:
    """Return the share of `channels` in 2 x 2 `colored` pixels of exactly the same color, 0..1."""
    red, green, blue = channels
    code = (red.astype(np.int32) << 16) | (green.astype(np.int32) << 8) | blue
    same = code[1:] == code[:-1]
    flat = same[:, 1:] & same[:, :-1] & (code[1:, 1:] == code[1:, :-1]) & colored[1:, 1:]
    return float(np.count_nonzero(flat) / colored.size)


def hue_measures(channels: _Channels, colored: _Mask) -> tuple[float, float]:
    """Return the share of greenish or grey ones of `colored` pixels, and the agreement of hues."""
    count = int(np.count_nonzero(colored))
    if count < colored.size // 100:  # black or white all over, which other measures see
        return 0.0, 1.0
    r, g, b = (band.astype(np.float32) for band in channels)
    most, least = channels.max(axis=0).astype(np.float32), channels.min(axis=0).astype(np.float32)
    strange = ((g > r + 5) | (most - least <= np.float32(0.05) * most)) & colored
    # The color circle's two coordinates; their length is the chroma. What is not colored is put at
    # its middle, where it adds nothing: quicker than taking it out.
    x, y = (r - (g + b) / 2) * colored, (g - b) * colored * _HALF_ROOT_3
    chroma = float(np.sqrt(x * x + y * y).sum()) / count
    direction = math.hypot(float(x.sum()), float(y.sum())) / count
    agreement = direction / max(chroma, 1.0)
    return float(np.count_nonzero(strange) / count), min(agreement, 1.0)


def texture_measures(channels: _Channels) -> tuple[float, float]:
    """Return clutter and lesion contrast of `channels`, both on a grid of cells."""
    # Dark corners are left out, but not what is dark near the center: that may be the lesion. The
    # skin is the middle color of what lies away from the center.
    means = _cells(channels)
    depth = np.log(means + np.float32(_LIFT))
    n = depth.shape[1]
    inside, near, outer = _rings(n)
    lit = means.max(axis=0) >= _BLACK
    seen = inside & (lit | near)
    down = _length(depth[:, 1:] - depth[:, :-1])[seen[1:] & seen[:-1]]
    across = _length(depth[:, :, 1:] - depth[:, :, :-1])[seen[:, 1:] & seen[:, :-1]]
    around = seen & outer
    skin = np.median(depth[:, around if np.count_nonzero(around) >= n else seen], axis=1)
    away = np.sort(_length(depth - skin[:, None, None])[seen])
    return (
        float((down.sum() + across.sum()) / (down.size + across.size)),
        float(away[-max(len(away) // 100, 1) :].mean()),
    )


@lru_cache(maxsize=8)
def _rings(n: int) -> tuple[_Mask, _Mask, _Mask]:
    """Mark cells of an (n, n) grid inside the picture's circle, near its center, away from it."""
    axis = (np.arange(n) + 0.5) * (2 / n) - 1
    far = np.hypot(axis[:, None], axis)
    return far < 0.97, far < 0.7, far > 0.6


def _cells(channels: _Channels) -> _Floats:
    """Return each cell's mean red, green and blue, shape (3, n, n)."""
    side = channels.shape[1]
    block = max(round(side / _CELLS), 1)
    n = side // block
    inner = slice((side - n * block) // 2, (side - n * block) // 2 + n * block)
    planes = np.empty((3, n * block, n * block), np.float32)
    for plane, band in zip(planes, channels, strict=True):
        plane[...] = band[inner, inner]
    rows = planes.reshape(3, n, block, n * block).sum(axis=2)
    cells: _Floats = (rows.reshape(3 * n, -1) @ _pooling(n, block)).reshape(3, n, n)
    return cells


@lru_cache(maxsize=8)
def _pooling(n: int, block: int) -> _Floats:
    """Return the matrix (n * block, n) that makes means of cells of summed rows."""
    means: _Floats = np.repeat(np.eye(n, dtype=np.float32), block, axis=0) / np.float32(block**2)
    return means


def _length(colors: _Floats) -> _Floats:
    """Return Euclidean lengths of (3, ...)."""
    red, green, blue = colors * colors
    length: _Floats = np.sqrt(red + green + blue)
    return length
