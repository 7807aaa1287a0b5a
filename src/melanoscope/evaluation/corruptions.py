"""Artefacts of photographs of skin, drawn at five strengths.

After ImageNet-C (Hendrycks & Dietterich 2019, arXiv:1903.12261) and its counterpart for lesions of
the skin (Maron et al. 2021, European Journal of Cancer 155:191-199), with what dermoscopes and
people add: hair, rulers, ink, bubbles in the gel, dark corners. Lengths are shares of the
photograph's side. One photograph gets the same artefact at every strength, with more of it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from melanoscope.errors import DataError, nearest
from melanoscope.stats.arrays import Floats

Pixels = NDArray[np.uint8]
"""A photograph, RGB, shape (h, w, 3)."""

_Rng = np.random.Generator
_FINE = 4  # lines are drawn so many times larger and shrunk, so that their edges are soft
_HAIR = np.array([38, 26, 20])
_INK = np.array([58, 34, 128])

STRENGTHS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Corruption:
    """An artefact.

    Attributes:
        words: What the numbers of `levels` are, for readers.
        levels: One number for each strength.
        apply: Draws it: photograph, one of `levels`, random numbers.
    """

    words: str
    levels: tuple[float, float, float, float, float]
    apply: Callable[[Pixels, float, _Rng], Pixels]


def corrupt(pixels: Pixels, name: str, strength: int, image_id: str) -> Pixels:
    """Draw an artefact on a photograph.

    Args:
        pixels: RGB square of 32 pixels or more a side, shape (h, w, 3), uint8.
        name: One of `CORRUPTIONS`.
        strength: 1 to 5.
        image_id: Id of the photograph, which the artefact's place and course follow from.

    Returns:
        The photograph with it, of the same shape.

    Raises:
        DataError: No such artefact or strength.

    >>> gray = np.full((64, 64, 3), 180, np.uint8)
    >>> found = corrupt(gray, "vignette", 5, "a")
    >>> found[0, 0].tolist(), found[32, 32].tolist()
    ([8, 7, 9], [180, 180, 180])
    """
    if name not in CORRUPTIONS or strength not in STRENGTHS:
        raise DataError(
            f"an artefact at strength 1 to 5: {', '.join(CORRUPTIONS)}",
            f"'{name}' at {strength}",
            nearest(name, list(CORRUPTIONS)),
        )
    one = CORRUPTIONS[name]
    rng = np.random.default_rng(zlib.crc32(f"{name}\0{image_id}".encode()))
    return one.apply(pixels, one.levels[strength - 1], rng)


def _blend(pixels: Pixels, color: NDArray[np.integer], alpha: Floats) -> Pixels:
    """Lay a `color`, (3,) or (h, w, 3), over `pixels` as far as `alpha`, (h, w) of 0..1, says."""
    share = alpha[..., None]
    return _to_pixels(pixels * (1 - share) + color * share)


def _to_pixels(values: NDArray[np.floating]) -> Pixels:
    whole: Pixels = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return whole


class _Canvas:
    """Soft-edged drawing of one opacity."""

    def __init__(self, pixels: Pixels) -> None:
        self.height, self.width = pixels.shape[:2]
        size = (self.width * _FINE, self.height * _FINE)
        self._image = Image.new("L", size)
        self.draw = ImageDraw.Draw(self._image)

    def stroke(self, points: Floats, width: float, value: int = 255) -> None:
        """Draw a line through `points`, (n, 2) as shares of the sides; `width` likewise."""
        scaled = points * (self.width * _FINE, self.height * _FINE)
        pen = max(round(width * min(self.width, self.height) * _FINE), 1)
        self.draw.line([tuple(point) for point in scaled.tolist()], value, pen, joint="curve")

    def alpha(self) -> Floats:
        """Return the opacity, (h, w) of 0..1."""
        small = self._image.resize((self.width, self.height), Image.Resampling.BOX)
        return np.asarray(small, np.float64) / 255


def _curve(rng: _Rng, start: Floats, length: float, bend: float) -> Floats:
    """Return points of a course whose direction wanders by `bend` radians over its length."""
    steps = 24
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, bend / np.sqrt(steps), steps))
    moves = np.stack([np.cos(angle), np.sin(angle)], axis=1) * length / steps
    points: Floats = start + np.cumsum(moves, axis=0)
    return points


def _hair(pixels: Pixels, count: float, rng: _Rng) -> Pixels:
    canvas = _Canvas(pixels)
    for _ in range(round(count)):
        course = _curve(
            rng, rng.uniform(-0.1, 1.1, 2), rng.uniform(0.5, 1.2), rng.uniform(0.3, 1.2)
        )
        canvas.stroke(course, rng.uniform(0.004, 0.009), round(rng.uniform(150, 240)))
    return _blend(pixels, _HAIR, canvas.alpha())


def _ruler(pixels: Pixels, size: float, rng: _Rng) -> Pixels:
    """Draw a scale along one side, whose longest marks are of `size`."""
    canvas = _Canvas(pixels)
    for k in range(41):
        length = size * (1.0 if k % 10 == 0 else 0.7 if k % 5 == 0 else 0.45)
        canvas.stroke(np.array([[k / 40, 0.0], [k / 40, length]]), 0.006)
    alpha = np.rot90(canvas.alpha() * 0.85, int(rng.integers(4)))
    if alpha.shape != pixels.shape[:2]:
        alpha = alpha.T
    return _blend(pixels, np.array([25, 25, 30]), alpha)


def _ink(pixels: Pixels, count: float, rng: _Rng) -> Pixels:
    """Draw strokes of a surgical marker around the middle."""
    canvas = _Canvas(pixels)
    for _ in range(round(count)):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.45)
        start = 0.5 + far * np.array([np.cos(angle), np.sin(angle)])
        canvas.stroke(_curve(rng, start, rng.uniform(0.15, 0.4), 0.6), rng.uniform(0.02, 0.04))
    # Skin shows through, unevenly.
    cover = rng.uniform(0.75, 0.95)
    grain = 1 - 0.25 * rng.random(pixels.shape[:2])
    return _blend(pixels, _INK, canvas.alpha() * cover * grain)


def _bubbles(pixels: Pixels, count: float, rng: _Rng) -> Pixels:
    """Draw bubbles of air in the gel: a bright rim, a dimmed inside and a glint."""
    height, width = pixels.shape[:2]
    y, x = np.mgrid[0:height, 0:width] / min(height, width)
    bright, dim = np.zeros((height, width)), np.zeros((height, width))
    for _ in range(round(count)):
        cx, cy = (
            rng.uniform(0, width / min(height, width)),
            rng.uniform(0, height / min(height, width)),
        )
        radius = rng.uniform(0.015, 0.06)
        far = np.hypot(x - cx, y - cy) / radius
        rim = np.exp(-(((far - 1) / 0.13) ** 2)) * 0.75
        glint = np.exp(
            -((np.hypot(x - cx + radius / 3, y - cy + radius / 3) / (0.25 * radius)) ** 2)
        )
        bright = np.maximum(bright, np.maximum(rim, 0.9 * glint))
        dim = np.maximum(dim, 0.2 * (far < 1))
    darker = _blend(pixels, np.zeros(3, np.int64), dim)
    return _blend(darker, np.array([245, 245, 240]), bright)


def _vignette(pixels: Pixels, radius: float, rng: _Rng) -> Pixels:
    """Leave a lit circle, as a dermoscope's tube does; `radius` of half the side."""
    del rng  # the same for all
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    soft = 1 / (1 + np.exp((radius - np.hypot(x, y)) / 0.02))
    return _blend(pixels, np.array([8, 7, 9]), soft)


def _blur(pixels: Pixels, radius: float, rng: _Rng) -> Pixels:
    del rng
    wide = radius * min(pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(wide)))


def _jpeg(pixels: Pixels, quality: float, rng: _Rng) -> Pixels:
    del rng
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=round(quality))
    return np.asarray(Image.open(buffer).convert("RGB"))


def _color_cast(pixels: Pixels, share: float, rng: _Rng) -> Pixels:
    """Shift the white balance: red and blue against each other, and green a little."""
    sign = rng.choice([-1.0, 1.0])
    gains = np.array([1 + sign * share, 1 + rng.uniform(-0.3, 0.3) * share, 1 - sign * share])
    return _to_pixels(pixels * gains)


def _brightness(pixels: Pixels, stops: float, rng: _Rng) -> Pixels:
    """Expose longer or shorter, in linear light."""
    linear = (pixels / 255.0) ** 2.2 * 2.0 ** (rng.choice([-1.0, 1.0]) * stops)
    return _to_pixels(255 * np.clip(linear, 0, 1) ** (1 / 2.2))


def _scale(pixels: Pixels, share: float, rng: _Rng) -> Pixels:
    """Take the photograph from further away: what is added around it is its own edge, mirrored."""
    del rng
    height, width = pixels.shape[:2]
    size = max(round(width * share), 1), max(round(height * share), 1)
    small = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    around = ((top, height - size[1] - top), (left, width - size[0] - left), (0, 0))
    return np.pad(small, around, mode="symmetric")


CORRUPTIONS: dict[str, Corruption] = {
    "hair": Corruption("hairs", (4, 8, 14, 22, 32), _hair),
    "ruler": Corruption("longest mark, of the side", (0.06, 0.09, 0.12, 0.16, 0.2), _ruler),
    "ink": Corruption("strokes of a marker", (1, 2, 3, 5, 7), _ink),
    "gel bubbles": Corruption("bubbles", (4, 8, 14, 22, 32), _bubbles),
    "vignette": Corruption("lit radius, of half the side", (1.25, 1.1, 1.0, 0.88, 0.75), _vignette),
    "blur": Corruption(
        "standard deviation, of the side", (0.004, 0.008, 0.012, 0.018, 0.026), _blur
    ),
    "JPEG": Corruption("quality of 100", (50, 30, 20, 12, 7), _jpeg),
    "color cast": Corruption(
        "gain of red against blue", (0.04, 0.08, 0.12, 0.17, 0.23), _color_cast
    ),
    "brightness": Corruption("exposure, stops up or down", (0.3, 0.6, 0.9, 1.3, 1.8), _brightness),
    "scale": Corruption(
        "size of what was there, of the side", (0.95, 0.9, 0.83, 0.76, 0.7), _scale
    ),
}
"""The artefacts by name."""
