"""One color scale for signed evidence: one hue speaks for the target, the other against it.

Red and blue of one lightness, so that neither side shouts. They differ most from blue to yellow,
the axis that the common kinds of colour blindness leave, and neither is a hue of skin or of
pigment: orange, the usual partner of blue, is. Colours are mixed in OKLab (Ottosson 2020,
bottosson.github.io/posts/oklab), where equal steps look equally large.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FOR = (238, 51, 56)  # evidence for the target: a red off the hues of skin, which are orange
AGAINST = (0, 139, 227)  # evidence against it: a blue of the same lightness
WHITE = (255, 255, 255)  # no evidence

_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def to_oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Convert sRGB of shape (..., 3) to OKLab: lightness 0..1, green to red, blue to yellow."""
    step = np.arange(256) / 255
    linear = np.where(step <= 0.04045, step / 12.92, ((step + 0.055) / 1.055) ** 2.4)
    lab: NDArray[np.float32] = np.cbrt(linear.astype(np.float32)[rgb] @ _TO_LMS.T) @ _TO_LAB.T
    return lab + np.float32(0)  # no negative zeros


def from_oklab(lab: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Convert OKLab of shape (..., 3) to sRGB; what no screen can show is clipped."""
    lms = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_TO_LMS).T, 0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    out: NDArray[np.uint8] = np.rint(rgb * 255).astype(np.uint8)
    return out


def tint(pixels: NDArray[np.uint8], strength: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Mix `pixels` (..., 3) with the hue of evidence (...) from -1, all `AGAINST`, to 1, `FOR`."""
    share = np.clip(strength, -1, 1).astype(np.float32)[..., None]
    hues = to_oklab(np.array([AGAINST, FOR], np.uint8))
    mixed = to_oklab(pixels) * (1 - np.abs(share)) + np.where(share < 0, *hues) * np.abs(share)
    return np.where(share == 0, pixels, from_oklab(mixed))


def diverging(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return the colors, shape (..., 3), of evidence `values` from -1 to 1 on a white ground."""
    return tint(np.broadcast_to(np.array(WHITE, np.uint8), (*values.shape, 3)), values)


def color_bar(width: int, height: int) -> NDArray[np.uint8]:
    """Return the scale in RGB, (height, width, 3): all against left, all for right."""
    return np.repeat(diverging(np.linspace(-1, 1, width))[None], height, axis=0)
