"""Skin tone by the individual typology angle, estimated from the skin around the lesion.

ITA = arctan((L* - 50) / b*) x 180 / pi (Chardon, Cretois & Hourseau 1991,
doi:10.1111/j.1467-2494.1991.tb00561.x); bands after Del Bino & Bernerd (2013,
doi:10.1111/bjd.12529). L* and b* are medians over the skin that `segment_skin` finds.

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

from melanoscope.data.skin_segmentation import MIN_LIGHTNESS, SkinRegion, segment_skin

NOT_ESTIMABLE = "not estimable"
_BAND_EDGES = (-30.0, 10.0, 28.0, 41.0, 55.0)
_BANDS = ("dark", "brown", "tan", "intermediate", "light", "very light")
SKIN_TONES = (*reversed(_BANDS), NOT_ESTIMABLE)
"""Bands from very light to dark, then the word for what could not be estimated."""

ESTIMATED = "estimated"
TOO_DARK = "too dark"
TOO_LITTLE_SKIN = "too little skin"
UNEVEN = "uneven light"
OVEREXPOSED = "overexposed"
UNLIKE_SKIN = "colours unlike skin"
REASONS = (ESTIMATED, TOO_DARK, TOO_LITTLE_SKIN, UNEVEN, OVEREXPOSED, UNLIKE_SKIN)
"""Why an angle is given or refused."""

_MIN_SKIN_SHARE = 0.10
_MAX_LIGHTNESS_SPREAD = 25.0  # L* between the first and the ninth decile of what may be skin
# Skin of four groups of people, measured at forearm, cheek and forehead, has mean b* of 14 to 18
# and mean hues, arctan(b*/a*), of 51 to 68 degrees (Xiao et al. 2017, doi:10.1111/srt.12295).
# Beyond these wide limits the white balance is lost, and near b* = 0 the angle runs to 90 degrees
# for any skin. Narrower ones do not repeat better: docs/skin_tone.md.
_HUE_RANGE = (10.0, 95.0)
_MIN_B = 5.0


@dataclass(frozen=True, eq=False)
class ItaEstimates:
    """Individual typology angles of n images.

    Attributes:
        angle: Angles in degrees, -90 to 90, NaN where not estimable; shape (n,).
        skin_share: Share of each image that was taken for skin, 0 to 1; shape (n,).
        reason: One of `REASONS` for each image; shape (n,).
    """

    angle: NDArray[np.float64]
    skin_share: NDArray[np.float64]
    reason: NDArray[np.str_]


def individual_typology_angle(pixels: NDArray[np.uint8]) -> ItaEstimates:
    """Estimate the skin tone in each image from the skin around the lesion.

    Args:
        pixels: sRGB images of one size, shape (n, h, w, 3), uint8, at least 32 pixels a side.

    Returns:
        For each image an angle, or NaN with the reason why none can be given.

    Raises:
        DataError: Pixels of another shape or type.

    Example:
        >>> patch = np.full((1, 64, 64, 3), (224, 172, 138), np.uint8)  # L* 74.4, b* 24.6
        >>> found = individual_typology_angle(patch)
        >>> found.angle.round(1), found.reason.tolist()
        (array([44.4]), ['estimated'])
    """
    n = len(pixels)
    estimates = ItaEstimates(
        angle=np.full(n, np.nan), skin_share=np.zeros(n), reason=np.full(n, ESTIMATED, "<U20")
    )
    for row, region in enumerate(segment_skin(pixels)):
        estimates.skin_share[row] = region.mask.mean()
        estimates.angle[row], estimates.reason[row] = _angle(pixels[row], region)
    return estimates


def skin_tone_band(angle: float | None) -> str:
    """Name the band of an angle; an edge belongs to the darker band.

    Args:
        angle: Individual typology angle in degrees; None or NaN where not estimable.

    Returns:
        One of `SKIN_TONES`.

    Example:
        >>> skin_tone_band(60.0), skin_tone_band(41.0), skin_tone_band(None)
        ('very light', 'intermediate', 'not estimable')
    """
    if angle is None or not np.isfinite(angle):
        return NOT_ESTIMABLE
    return _BANDS[bisect_left(_BAND_EDGES, angle)]


def _angle(rgb: NDArray[np.uint8], region: SkinRegion) -> tuple[float, str]:
    lab, skin = region.lab, region.mask
    if (lab[..., 0] > MIN_LIGHTNESS).mean() < _MIN_SKIN_SHARE:
        return np.nan, TOO_DARK
    if skin.mean() < _MIN_SKIN_SHARE:
        return np.nan, TOO_LITTLE_SKIN
    # Shade, or skin and lesion taken for one another: the middle colour may be neither's.
    if region.lightness_spread > _MAX_LIGHTNESS_SPREAD:
        return np.nan, UNEVEN
    # A channel at its end stop may have been anything above it.
    if (rgb.max(axis=-1)[skin] >= 254).mean() > 0.5:
        return np.nan, OVEREXPOSED
    lightness, a, b = (float(median) for median in np.median(lab[skin], axis=0))
    hue = float(np.degrees(np.arctan2(b, a)))
    if b < _MIN_B or not _HUE_RANGE[0] <= hue <= _HUE_RANGE[1]:
        return np.nan, UNLIKE_SKIN
    # b* is above 0 here, so the angle lies within -90 to 90 degrees.
    return float(np.degrees(np.arctan2(lightness - 50, b))), ESTIMATED
