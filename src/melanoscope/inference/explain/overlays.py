"""Evidence drawn over the photograph it was found in, as RGB pixels and as PNG."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.errors import DataError
from melanoscope.inference.explain.colormap import from_oklab, tint, to_oklab

_Pixels = NDArray[np.uint8]
_Map = NDArray[np.floating]

OPACITY = 0.6  # of the strongest evidence in figures; the lesion has to be seen under it
SIDE = 420  # least side of a figure in pixels

# Spread of the Gaussian over Integrated Gradients, as a share of the photograph's side: single
# pixels are seldom right (their gradients alternate), patches of this size are.
_BLUR = 0.012
_CLIP = 0.99


def heat_overlay(
    pixels: _Pixels, values: _Map, *, opacity: float = 0.5, scale: float | None = None
) -> _Pixels:
    """Draw a map of signed evidence over a photograph.

    Args:
        pixels: Photograph, RGB of shape (height, width, 3), uint8.
        values: What each place adds, shape (rows, columns); places share the photograph.
        opacity: Opacity of the strongest color, 0..1; no evidence is not drawn at all.
        scale: Least magnitude that gets the strongest color; None for the largest in `values`.

    Returns:
        RGB of the photograph's shape, uint8.

    Raises:
        DataError: Other shapes, or values that are not finite.
    """
    _check(pixels, values)
    top = float(np.abs(values).max()) if scale is None else scale
    if not 0 <= top < np.inf:
        raise DataError("a scale of 0 or more", f"{top}", "give a magnitude, or None")
    smooth = interpolate(values, *pixels.shape[:2])
    return tint(pixels, np.clip(smooth / (top or 1.0), -1, 1) * opacity)


def attribution_overlay(pixels: _Pixels, attribution: _Map) -> _Pixels:
    """Draw Integrated Gradients over a pale gray version of the photograph.

    Args:
        pixels: Photograph, RGB of shape (height, width, 3), uint8.
        attribution: What each pixel adds, shape (height, width).

    Returns:
        RGB of the photograph's shape, uint8.

    Raises:
        DataError: Other shapes, or values that are not finite.
    """
    _check(pixels, attribution, per_pixel=True)
    return tint(_pale(pixels), _clip_and_blur(attribution) / attribution_scale(attribution))


def attribution_scale(attribution: _Map) -> float:
    """Return the magnitude that gets the strongest color in an `attribution_overlay`, above 0."""
    return _percentile(np.abs(_clip_and_blur(attribution))) or 1.0


def evidence_scale(values: _Map) -> float:
    """Return the magnitude that gets the strongest color in the evidence map `values`."""
    # No less than would move the logit by 1 if all places spoke with one voice: where nothing is
    # said, a scale of its own would draw the noise in full colors.
    return max(float(np.abs(values).max()), 1 / values.size)


def interpolate(values: _Map, height: int, width: int) -> NDArray[np.float64]:
    """Enlarge the map `values`, shape (rows, columns), smoothly to (height, width)."""
    # Between the middles of two places runs half a cosine: no value leaves the range of its
    # neighbors. Cubic interpolation would ring, and draw evidence of the other sign round a spot.
    rows, columns = _cosine_matrix(values.shape[0], height), _cosine_matrix(values.shape[1], width)
    return rows @ values.astype(np.float64) @ columns.T


def gaussian_blur(values: _Map) -> NDArray[np.float64]:
    """Smooth the map `values` with a Gaussian, reflected at the borders: the sum is kept."""
    rows, columns = _gaussian_matrix(values.shape[0]), _gaussian_matrix(values.shape[1])
    return rows @ values.astype(np.float64) @ columns.T


def enlarged(pixels: _Pixels, side: int) -> _Pixels:
    """Enlarge a square of RGB `pixels` to a `side`; one that is large enough stays as it is."""
    if pixels.shape[0] >= side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def encode_png(pixels: _Pixels) -> bytes:
    """Encode RGB `pixels` as a PNG without metadata, neither the photograph's nor ours."""
    file = io.BytesIO()
    # An image made from an array has no metadata that could be written with it.
    Image.fromarray(pixels).save(file, format="PNG", compress_level=4)
    return file.getvalue()


def _clip_and_blur(attribution: _Map) -> NDArray[np.float64]:
    """Clip at the 99th percentile, as a few extreme pixels would leave all others white; blur."""
    limit = _percentile(np.abs(attribution))
    return gaussian_blur(np.clip(attribution, -limit, limit))


def _percentile(magnitudes: _Map) -> float:
    # Where few pixels speak at all, the percentile is 0.
    return float(np.quantile(magnitudes, _CLIP)) or float(magnitudes.max())


def _pale(pixels: _Pixels) -> _Pixels:
    """Return a pale gray version on which both hues are seen, of dark skin as of light skin."""
    light = to_oklab(pixels)[..., 0]
    low, high = np.quantile(light, [0.01, 0.99])
    lab = np.zeros((*light.shape, 3), np.float32)
    lab[..., 0] = 0.66 + 0.31 * np.clip((light - low) / max(float(high - low), 0.1), 0, 1)
    return from_oklab(lab)


def _cosine_matrix(n: int, length: int) -> NDArray[np.float64]:
    """Return the (length, n) matrix that interpolates n values at the middles of n equal parts."""
    place = np.clip((np.arange(length) + 0.5) * n / length - 0.5, 0, n - 1)
    away = np.abs(place[:, None] - np.arange(n))
    return np.where(away < 1, 0.5 + 0.5 * np.cos(np.pi * away), 0.0)


def _gaussian_matrix(n: int) -> NDArray[np.float64]:
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


def _check(pixels: _Pixels, values: _Map, *, per_pixel: bool = False) -> None:
    is_rgb = pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8
    is_map = values.ndim == 2 and values.size > 0
    if not is_rgb or not is_map or (per_pixel and values.shape != pixels.shape[:2]):
        raise DataError(
            "RGB (H, W, 3) of uint8 and a map (h, w), for Integrated Gradients (H, W)",
            f"{pixels.shape} of {pixels.dtype} and {values.shape}",
            "pass the photograph and what was found in it",
        )
    if not np.isfinite(values).all():
        raise DataError("finite evidence", "NaN or infinity", "check the network's output")
