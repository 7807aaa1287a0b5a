"""Skin tone by the individual typology angle, estimated from the skin around the lesion.

ITA = arctan((L* - 50) / b*) x 180 / pi (Chardon, Cretois & Hourseau 1991,
doi:10.1111/j.1467-2494.1991.tb00561.x); bands after Del Bino & Bernerd (2013,
doi:10.1111/bjd.12529). L* and b* are medians over the skin that `skin_mask` leaves.

It is an estimate from photographs nobody calibrated. The dermoscope's light and the camera's white
balance and exposure are unknown and move the angle by a band or more; polarised light takes away
the gloss that raises L*; a vignette darkens; a lesion of one even colour that fills the picture
looks like dark skin. It is neither a Fitzpatrick type nor a race, and says nothing of one person.
Use it to ask whether a result holds from band to band. How well it repeats: docs/skin_tone.md.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from melanoscope.errors import DataError

NOT_ESTIMABLE = "not estimable"
_EDGES = (-30.0, 10.0, 28.0, 41.0, 55.0)
_BANDS = ("dark", "brown", "tan", "intermediate", "light", "very light")
SKIN_TONES = (*reversed(_BANDS), NOT_ESTIMABLE)
"""From very light to dark, then what could not be estimated."""

ESTIMATED = "estimated"
TOO_DARK = "too dark"
TOO_LITTLE_SKIN = "too little skin"
UNEVEN = "uneven light"
OVEREXPOSED = "overexposed"
UNLIKE_SKIN = "colours unlike skin"
REASONS = (ESTIMATED, TOO_DARK, TOO_LITTLE_SKIN, UNEVEN, OVEREXPOSED, UNLIKE_SKIN)
"""Why an angle is there or is not."""

_Floats = NDArray[np.float32]
_Mask = NDArray[np.bool_]

_PX = 128  # side of the photographs that the lengths below, in pixels, are meant for
_CHUNK = 32
_BLACK, _GLARE = 20.0, 97.0  # L* of a dermoscope's dark corner; of glare
_LEAST_SKIN = 0.10  # part of the picture
_LEAST_DEPTH = 4.0  # L* by which a lesion lies below the skin, at least
_MOST_SPREAD = 25.0  # L* between the first and the ninth decile of what may be skin
# Skin of four groups of people, measured at forearm, cheek and forehead, has mean b* of 14 to 18
# and mean hues, arctan(b*/a*), of 51 to 68 degrees (Xiao et al. 2017, doi:10.1111/srt.12295).
# Beyond these wide limits the white balance is lost, and near b* = 0 the angle runs to 90 degrees
# for any skin. Narrower ones do not repeat better: docs/skin_tone.md.
_HUES = (10.0, 95.0)
_LEAST_YELLOW = 5.0


@dataclass(frozen=True, eq=False)
class Ita:
    """Individual typology angles of n photographs.

    Attributes:
        angle: Degrees, -90..90, NaN where not estimable; shape (n,).
        skin_share: Part of each picture taken for skin, 0..1; shape (n,).
        reason: One of `REASONS` each; shape (n,).
    """

    angle: NDArray[np.float64]
    skin_share: NDArray[np.float64]
    reason: NDArray[np.str_]


def individual_typology_angle(pixels: NDArray[np.uint8]) -> Ita:
    """Estimate skin tone from the skin around each lesion.

    Args:
        pixels: sRGB, shape (n, h, w, 3), uint8; 32 pixels or more a side.

    Returns:
        An angle, or NaN with the reason why none can be given, for each photograph.

    Raises:
        DataError: Another shape or another type.

    >>> patch = np.full((1, 64, 64, 3), (224, 172, 138), np.uint8)  # L* 74.4, b* 24.6
    >>> found = individual_typology_angle(patch)
    >>> found.angle.round(1), found.reason.tolist()
    (array([44.4]), ['estimated'])
    """
    _check(pixels)
    n = len(pixels)
    found = Ita(np.full(n, np.nan), np.zeros(n), np.full(n, ESTIMATED, "<U20"))
    for start in range(0, n, _CHUNK):
        chunk = pixels[start : start + _CHUNK]
        lab = _to_lab(chunk)
        masks, spread = _skin(lab)
        for i, mask in enumerate(masks):
            row = start + i
            found.skin_share[row] = mask.mean()
            found.angle[row], found.reason[row] = _angle(chunk[i], lab[i], mask, spread[i])
    return found


def skin_tone_band(angle: float | None) -> str:
    """Name the band of an angle, one of `SKIN_TONES`; an edge belongs to the darker band.

    >>> skin_tone_band(60.0), skin_tone_band(41.0), skin_tone_band(-31.0), skin_tone_band(None)
    ('very light', 'intermediate', 'dark', 'not estimable')
    """
    if angle is None or not np.isfinite(angle):
        return NOT_ESTIMABLE
    return _BANDS[bisect_left(_EDGES, angle)]


def skin_mask(pixels: NDArray[np.uint8]) -> _Mask:
    """Mark the skin around the lesion of each photograph.

    The lesion is what Otsu's threshold takes for darker than the skin, where the skin's light may
    fall to one side and from the centre outwards; it is widened by 4 % of the picture. Dark
    corners, hairs, rulers, glints, ink and whatever else differs from the rest's colour are left
    out.

    Args:
        pixels: sRGB, shape (n, h, w, 3), uint8.

    Returns:
        Shape (n, h, w).

    Raises:
        DataError: Another shape or another type.
    """
    _check(pixels)
    chunks = [pixels[start : start + _CHUNK] for start in range(0, len(pixels), _CHUNK)]
    empty = np.zeros((0, *pixels.shape[1:3]), bool)
    return np.concatenate([empty, *(_skin(_to_lab(chunk))[0] for chunk in chunks)])


def _check(pixels: NDArray[np.uint8]) -> None:
    good = pixels.ndim == 4 and pixels.shape[-1] == 3 and pixels.dtype == np.uint8
    if not good or min(pixels.shape[1:3]) < 32:
        raise DataError(
            "photographs (n, h, w, 3) of uint8, 32 pixels or more a side",
            f"shape {pixels.shape} of {pixels.dtype}",
            "decode them first",
        )


def _to_lab(pixels: NDArray[np.uint8]) -> _Floats:
    from skimage.color import rgb2lab

    # Single precision is a third of the time and 1e-4 away.
    lab: _Floats = rgb2lab(pixels.astype(np.float32) / np.float32(255))
    return lab


def _angle(rgb: NDArray[np.uint8], lab: _Floats, skin: _Mask, spread: float) -> tuple[float, str]:
    if (lab[..., 0] > _BLACK).mean() < _LEAST_SKIN:
        return np.nan, TOO_DARK
    if skin.mean() < _LEAST_SKIN:
        return np.nan, TOO_LITTLE_SKIN
    # Shade, or skin and lesion taken for one another: the middle colour may be neither's.
    if spread > _MOST_SPREAD:
        return np.nan, UNEVEN
    # A channel at its end stop may have been anything above it.
    if (rgb.max(axis=-1)[skin] >= 254).mean() > 0.5:
        return np.nan, OVEREXPOSED
    light, red, yellow = (float(middle) for middle in np.median(lab[skin], axis=0))
    hue = float(np.degrees(np.arctan2(yellow, red)))
    if yellow < _LEAST_YELLOW or not _HUES[0] <= hue <= _HUES[1]:
        return np.nan, UNLIKE_SKIN
    # b* is above 0 here, so the angle lies within -90 to 90 degrees.
    return float(np.degrees(np.arctan2(light - 50, yellow))), ESTIMATED


def _skin(lab: _Floats) -> tuple[_Mask, _Floats]:
    """Find the skin of a chunk.

    Returns:
        The masks, shape (n, h, w), and how far L* is spread over what could be skin, shape (n,).
    """
    scale = min(lab.shape[1:3]) / _PX
    light = np.ascontiguousarray(lab[..., 0])
    smooth = ndimage.gaussian_filter(light, (0, 1.5 * scale, 1.5 * scale))
    lit = smooth > _BLACK
    surface, depth = _skin_light(smooth, lit)
    # Specks of skin's own texture are no lesion.
    lesion = _opened(surface - smooth > depth[:, None, None])
    wide = _grown(lesion, 5 * scale)  # dark corners lie below the skin's light as well
    skin = ~wide & ~_grown(_thin_dark(light, scale), scale) & ~_glints(light, scale)
    near, spread = _alike(lab, skin)
    return _opened(skin & near), spread


def _thin_dark(light: _Floats, scale: float) -> _Mask:
    """Mark hairs and rulers: darker than all around, by more than the skin's own texture is."""
    side = _odd(7 * scale)
    below = ndimage.grey_closing(light, size=(1, side, side)) - light
    texture = np.median(below[:, ::4, ::4], axis=(1, 2), keepdims=True)
    thin: _Mask = below > np.maximum(6, 3 * texture)
    return thin


def _glints(light: _Floats, scale: float) -> _Mask:
    side = _odd(15 * scale)
    around: _Floats = ndimage.uniform_filter(light, (0, side, side))
    return (light - around > 8) | (light > _GLARE)


def _skin_light(smooth: _Floats, lit: _Mask) -> tuple[_Floats, _Floats]:
    """Fit the skin's light, and find by Otsu how far below it the lesion begins.

    The light is 1, x, y and -(x^2 + y^2) with a coefficient not below 0 for the last: it may fall
    off outwards, as in a tube, but not rise, or a lesion in the middle would pass for shade. Fit
    and threshold take turns, so that in the end the light is fitted to skin only.

    Returns:
        The light, shape (n, h, w), and the depth in L*, shape (n,).
    """
    n, height, width = smooth.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, -(x * x + y * y)], axis=-1).astype(np.float32)
    step = (slice(None), slice(None, None, height // 32), slice(None, None, width // 32))
    some = terms[step[1:]].reshape(-1, 4)
    values, usable = smooth[step].reshape(n, -1), lit[step].reshape(n, -1)
    weights = usable.astype(np.float32)
    for _ in range(4):
        factors = _falling(some, values, weights)
        below = factors @ some.T - values
        depth = np.maximum(_otsu(below, usable), _LEAST_DEPTH)
        weights = (usable & (below <= depth[:, None])).astype(np.float32)
    return (factors @ terms.reshape(-1, 4).T).reshape(smooth.shape), depth


def _falling(terms: _Floats, values: _Floats, weights: _Floats) -> _Floats:
    """Return the factors, shape (n, 4), of weighted least squares, the last not below 0."""
    square = np.einsum("mi,nm,mj->nij", terms, weights, terms, optimize=True)
    square += 1e-3 * np.eye(4, dtype=np.float32)  # pictures without light have no weights
    right = (weights * values) @ terms
    full = np.linalg.solve(square, right[..., None])[..., 0]
    plane = np.zeros_like(full)
    plane[:, :3] = np.linalg.solve(square[:, :3, :3], right[:, :3, None])[..., 0]
    return np.where(full[:, 3:] < 0, plane, full)


def _otsu(values: _Floats, usable: _Mask) -> _Floats:
    """Return the threshold of each row of (n, m) that parts it best (Otsu 1979), over `usable`."""
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


def _alike(lab: _Floats, skin: _Mask) -> tuple[_Mask, _Floats]:
    """Mark what lies near the middle colour of what is taken for skin so far.

    Returns:
        The masks, and between the deciles of L* over `skin`, shape (n,).
    """
    near, spread = np.zeros_like(skin), np.zeros(len(skin), np.float32)
    for row, (colours, mask) in enumerate(zip(lab, skin, strict=True)):
        some = colours[::2, ::2][mask[::2, ::2]]  # a quarter of the pixels is enough for quantiles
        if len(some):
            middle = np.median(some, axis=0)
            usual = float(np.median(_distance(some, middle)))
            near[row] = _distance(colours, middle) < np.clip(3 * usual, 6, 15)
            spread[row] = np.ptp(np.quantile(some[:, 0], (0.1, 0.9)))
    return near, spread


def _distance(colours: _Floats, middle: _Floats) -> _Floats:
    """Return CIE76 differences of colour, shape (...)."""
    away = colours - middle
    distance: _Floats = np.sqrt(np.einsum("...c,...c->...", away, away))
    return distance


def _opened(mask: _Mask) -> _Mask:
    """Take away what is narrower than 3 pixels; bytes and squares are quick."""
    return _grown(~_grown(~mask, 1), 1)


def _grown(mask: _Mask, by: float) -> _Mask:
    """Widen by a square of so many pixels each way."""
    side = 2 * max(round(by), 1) + 1
    grown: _Mask = ndimage.maximum_filter(mask.view(np.uint8), size=(1, side, side)).view(np.bool_)
    return grown


def _odd(length: float) -> int:
    """Return the nearest odd number of pixels, at least 3."""
    return max(2 * round((length - 1) / 2) + 1, 3)
