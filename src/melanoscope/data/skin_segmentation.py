"""Find the skin around the lesion: no lesion, no dark corners, hairs, rulers, glints or ink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from melanoscope.errors import DataError

_Floats = NDArray[np.float32]
_Mask = NDArray[np.bool_]

MIN_LIGHTNESS = 20.0
"""L* of a dermoscope's dark corners; what is darker is taken neither for skin nor for lesion."""

_CHUNK = 32
_REFERENCE_SIZE = 128  # side of the images for which the lengths below, in pixels, are meant
_GLARE_LIGHTNESS = 97.0
_MIN_LESION_DEPTH = 4.0  # L* by which a lesion lies below the skin, at least


@dataclass(frozen=True, eq=False)
class SkinRegion:
    """The skin in one image."""

    lab: _Floats  # the image in CIELAB under D65, (h, w, 3)
    mask: _Mask  # True where there is skin, (h, w)
    # Ninth minus first decile of L* over all that could be skin; 0 where nothing could.
    lightness_spread: float


def segment_skin(pixels: NDArray[np.uint8]) -> Iterator[SkinRegion]:
    """Find the skin in each of `pixels`, (n, h, w, 3) uint8, sRGB, at least 32 pixels a side."""
    # The lesion is what Otsu's threshold takes for darker than the skin, whose light may fall to
    # one side and from the centre outwards; it is widened by 4 % of the image. Dark corners, hairs,
    # rulers, glints, ink and whatever else differs from the rest's colour are left out.
    is_rgb = pixels.ndim == 4 and pixels.shape[-1] == 3 and pixels.dtype == np.uint8
    if not is_rgb or min(pixels.shape[1:3]) < 32:
        raise DataError(
            "photographs (n, h, w, 3) of uint8, 32 pixels or more a side",
            f"shape {pixels.shape} of {pixels.dtype}",
            "decode them first",
        )
    for start in range(0, len(pixels), _CHUNK):
        lab = _to_lab(pixels[start : start + _CHUNK])
        for image, mask, spread in zip(lab, *_segment(lab), strict=True):
            yield SkinRegion(image, mask, float(spread))


def _to_lab(pixels: NDArray[np.uint8]) -> _Floats:
    from skimage.color import rgb2lab

    # Single precision is a third of the time and 1e-4 away.
    lab: _Floats = rgb2lab(pixels.astype(np.float32) / np.float32(255))
    return lab


def _segment(lab: _Floats) -> tuple[_Mask, _Floats]:
    """Return the masks of the chunk `lab`, (n, h, w), and the spread of L* over skin, (n,)."""
    scale = min(lab.shape[1:3]) / _REFERENCE_SIZE
    lightness = np.ascontiguousarray(lab[..., 0])
    smooth = ndimage.gaussian_filter(lightness, (0, 1.5 * scale, 1.5 * scale))
    surface, depth = _fit_skin_light(smooth, smooth > MIN_LIGHTNESS)
    # Specks of skin's own texture are no lesion.
    lesion = _open(surface - smooth > depth[:, None, None])
    # Dark corners lie below the skin's light as well, so that they go with the lesion.
    excluded = _dilate(lesion, 5 * scale) | _dilate(_dark_lines(lightness, scale), scale)
    similar, spread = _similar_colors(lab, ~excluded & ~_glints(lightness, scale))
    return _open(similar), spread


def _dark_lines(lightness: _Floats, scale: float) -> _Mask:
    """Mark hairs and rulers: darker than all around, by more than the skin's own texture is."""
    side = _odd(7 * scale)
    below = ndimage.grey_closing(lightness, size=(1, side, side)) - lightness
    texture = np.median(below[:, ::4, ::4], axis=(1, 2), keepdims=True)
    lines: _Mask = below > np.maximum(6, 3 * texture)
    return lines


def _glints(lightness: _Floats, scale: float) -> _Mask:
    side = _odd(15 * scale)
    around: _Floats = ndimage.uniform_filter(lightness, (0, side, side))
    return (lightness - around > 8) | (lightness > _GLARE_LIGHTNESS)


def _fit_skin_light(smooth: _Floats, lit: _Mask) -> tuple[_Floats, _Floats]:
    """Fit the light on the skin, (n, h, w), and the depth in L* below it where a lesion begins."""
    # The light is 1, x, y and -(x^2 + y^2) with a coefficient not below 0 for the last: it may fall
    # off outwards, as in a tube, but not rise, or a lesion in the middle would pass for shade. Fit
    # and threshold (Otsu) take turns, so that in the end the light is fitted to skin only.
    n, height, width = smooth.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, -(x * x + y * y)], axis=-1).astype(np.float32)
    step = (slice(None), slice(None, None, height // 32), slice(None, None, width // 32))
    sampled_terms = terms[step[1:]].reshape(-1, 4)
    values, usable = smooth[step].reshape(n, -1), lit[step].reshape(n, -1)
    weights = usable.astype(np.float32)
    for _ in range(4):
        factors = _weighted_least_squares(sampled_terms, values, weights)
        below = factors @ sampled_terms.T - values
        depth = np.maximum(_otsu_thresholds(below, usable), _MIN_LESION_DEPTH)
        weights = (usable & (below <= depth[:, None])).astype(np.float32)
    return (factors @ terms.reshape(-1, 4).T).reshape(smooth.shape), depth


def _weighted_least_squares(terms: _Floats, values: _Floats, weights: _Floats) -> _Floats:
    """Return the factors of `terms` for each row of `values`, the last not below 0; (n, 4)."""
    square = np.einsum("mi,nm,mj->nij", terms, weights, terms, optimize=True)
    square += 1e-3 * np.eye(4, dtype=np.float32)  # images without light have no weights
    right = (weights * values) @ terms
    full = np.linalg.solve(square, right[..., None])[..., 0]
    plane = np.zeros_like(full)
    plane[:, :3] = np.linalg.solve(square[:, :3, :3], right[:, :3, None])[..., 0]
    return np.where(full[:, 3:] < 0, plane, full)


def _otsu_thresholds(values: _Floats, usable: _Mask) -> _Floats:
    """Return Otsu's threshold of each row of `values`, (n, m), over its `usable` entries."""
    # Otsu (1979). scikit-image's `threshold_otsu` takes one image at a time and bins it into a
    # histogram; this takes all rows at once and is exact.
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1).astype(np.float64)
    weight = np.take_along_axis(usable, order, axis=1).astype(np.float64)
    below, total = np.cumsum(weight, axis=1), np.cumsum(weight * ordered, axis=1)
    above = below[:, -1:] - below
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = total / below - (total[:, -1:] - total) / above
        between = np.nan_to_num(below * above * apart * apart, posinf=0.0)
    threshold = np.take_along_axis(ordered, between.argmax(axis=1)[:, None], axis=1)
    return threshold[:, 0].astype(np.float32)


def _similar_colors(lab: _Floats, skin: _Mask) -> tuple[_Mask, _Floats]:
    """Mark what of `skin` lies near its middle colour, and take the deciles' distance in L*."""
    # By CIE76: the length of the difference in CIELAB.
    similar, spread = np.zeros_like(skin), np.zeros(len(skin), np.float32)
    for row, (image, mask) in enumerate(zip(lab, skin, strict=True)):
        sample = image[::2, ::2][mask[::2, ::2]]  # a quarter of the pixels is enough for quantiles
        if len(sample):
            median = np.median(sample, axis=0)
            usual = float(np.median(np.linalg.norm(sample - median, axis=-1)))
            difference = np.linalg.norm(image - median, axis=-1)
            similar[row] = mask & (difference < np.clip(3 * usual, 6, 15))
            spread[row] = np.ptp(np.quantile(sample[:, 0], (0.1, 0.9)))
    return similar, spread


def _open(mask: _Mask) -> _Mask:
    """Take away what is narrower than 3 pixels; bytes and squares are quick."""
    opened: _Mask = ndimage.grey_opening(mask.view(np.uint8), size=(1, 3, 3)).view(np.bool_)
    return opened


def _dilate(mask: _Mask, radius: float) -> _Mask:
    """Widen `mask` by a square of `radius` pixels each way, at least 1."""
    side = 2 * max(round(radius), 1) + 1
    wide: _Mask = ndimage.maximum_filter(mask.view(np.uint8), size=(1, side, side)).view(np.bool_)
    return wide


def _odd(length: float) -> int:
    """Return the odd number nearest to `length`, at least 3."""
    return max(2 * round((length - 1) / 2) + 1, 3)
