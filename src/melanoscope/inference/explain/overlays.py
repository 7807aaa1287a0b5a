"""Evidence drawn over the photograph it was found in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import DataError
from melanoscope.inference.explain.colormap import from_oklab, tint, to_oklab

Picture = NDArray[np.uint8]
Values = NDArray[np.floating]

OPACITY = 0.6
"""Of the strongest evidence in the files; the lesion has to be seen under it."""
SIDE = 420
"""Least side of a panel in pixels."""

# Spread of the Gaussian over Integrated Gradients, as a share of the photograph's side: single
# pixels are seldom right (their gradients alternate), patches of this size are.
_BLUR = 0.012
_CLIP = 0.99


def heat_overlay(
    pixels: Picture, values: Values, *, opacity: float = 0.5, scale: float | None = None
) -> Picture:
    """Draw a map of signed evidence over a photograph.

    Args:
        pixels: RGB of shape (H, W, 3).
        values: What each place adds, shape (h, w); places share the photograph among them.
        opacity: Of the strongest colour, 0..1; weaker evidence is more transparent, none is not
            drawn at all.
        scale: Value that gets the strongest colour, on either side of 0; by default the largest
            magnitude there is. Values beyond it are drawn as strong.

    Returns:
        As `pixels`.

    Raises:
        DataError: Other shapes, or values that are not finite.
    """
    _check(pixels, values)
    top = _largest(values) if scale is None else scale
    if not 0 <= top < np.inf:
        raise DataError("a scale of 0 or more", f"{top}", "give a magnitude, or None")
    smooth = spread(values, *pixels.shape[:2])
    return tint(pixels, np.clip(smooth / (top or 1.0), -1, 1) * opacity)


def attribution_overlay(pixels: Picture, attribution: Values) -> Picture:
    """Draw Integrated Gradients over a pale grey version of the photograph.

    Args:
        pixels: RGB of shape (H, W, 3).
        attribution: What each pixel adds, shape (H, W).

    Returns:
        As `pixels`.

    Raises:
        DataError: Other shapes, or values that are not finite.
    """
    _check(pixels, attribution)
    if attribution.shape != pixels.shape[:2]:
        raise _mistake(pixels, attribution)
    return tint(_pale(pixels), _tamed(attribution) / attribution_scale(attribution))


def attribution_scale(attribution: Values) -> float:
    """Return the value that gets the strongest colour: the 99th percentile of what is drawn.

    Above 0 also where all values are 0.
    """
    return _high(np.abs(_tamed(attribution))) or 1.0


def evidence_scale(values: Values) -> float:
    """Return the value that gets the strongest colour in a map of evidence.

    The largest magnitude, but no less than would move the logit by 1 if all places spoke with one
    voice: where nothing is said, a scale of its own would draw the noise in full colours.
    """
    return max(_largest(values), 1 / values.size)


def spread(values: Values, height: int, width: int) -> NDArray[np.float64]:
    """Enlarge a map smoothly to (height, width).

    The middle of each place keeps its value, no value leaves the range of its neighbours, and none
    changes its sign: between two middles runs half a cosine. (Cubic interpolation would ring, and
    draw evidence against melanoma round a spot that speaks for it.)
    """
    rows, columns = _rise(values.shape[0], height), _rise(values.shape[1], width)
    return rows @ values.astype(np.float64) @ columns.T


def blur(values: Values) -> NDArray[np.float64]:
    """Smooth with a Gaussian, reflected at the borders, so that the sum is kept."""
    rows, columns = _gaussian(values.shape[0]), _gaussian(values.shape[1])
    return rows @ values.astype(np.float64) @ columns.T


def enlarged(pixels: Picture, side: int) -> Picture:
    """Enlarge a square photograph to a side of `side` pixels; a larger one stays as it is."""
    from PIL import Image

    if pixels.shape[0] >= side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def _tamed(attribution: Values) -> NDArray[np.float64]:
    """Clip at the 99th percentile, as a few extreme pixels would leave all others white; blur."""
    limit = _high(np.abs(attribution))
    return blur(np.clip(attribution, -limit, limit))


def _high(sizes: Values) -> float:
    # Where few pixels speak at all, the percentile is 0.
    return float(np.quantile(sizes, _CLIP)) or float(sizes.max())


def _pale(pixels: Picture) -> Picture:
    """Return a pale grey version on which both hues are seen, of dark skin as of light skin."""
    light = to_oklab(pixels)[..., 0]
    low, high = np.quantile(light, [0.01, 0.99])
    lab = np.zeros((*light.shape, 3), np.float32)
    lab[..., 0] = 0.66 + 0.31 * np.clip((light - low) / max(float(high - low), 0.1), 0, 1)
    return from_oklab(lab)


def _rise(n: int, length: int) -> NDArray[np.float64]:
    """Return the (length, n) matrix that interpolates n values at the middles of n equal parts."""
    place = np.clip((np.arange(length) + 0.5) * n / length - 0.5, 0, n - 1)
    away = np.abs(place[:, None] - np.arange(n))
    return np.where(away < 1, 0.5 + 0.5 * np.cos(np.pi * away), 0.0)


def _gaussian(n: int) -> NDArray[np.float64]:
    """Return the (n, n) matrix of a Gaussian filter; rows and columns sum to 1."""
    sigma = _BLUR * n
    reach = int(np.ceil(4 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    matrix = np.zeros((n, n))
    for step, weight in zip(range(-reach, reach + 1), kernel, strict=True):
        target = (np.arange(n) + step) % (2 * n)
        matrix[np.arange(n), np.where(target < n, target, 2 * n - 1 - target)] += weight
    return matrix


def _largest(values: Values) -> float:
    return float(np.abs(values).max())


def _check(pixels: Picture, values: Values) -> None:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise _mistake(pixels, values)
    if values.ndim != 2 or not values.size:
        raise _mistake(pixels, values)
    if not np.isfinite(values).all():
        raise DataError("finite evidence", "NaN or infinity", "check the network's output")


def _mistake(pixels: Picture, values: Values) -> DataError:
    return DataError(
        "RGB (H, W, 3) of uint8 and a map (h, w), for Integrated Gradients (H, W)",
        f"{pixels.shape} of {pixels.dtype} and {values.shape}",
        "pass the photograph and what was found in it",
    )
