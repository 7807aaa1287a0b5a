"""All of a simulated photograph but the lesion: frame, skin, light, hairs, camera.

Nothing here knows what the lesion is or looks like, so nothing here can give the label away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Field = NDArray[np.float32]
"""One value per pixel, shape (h, w), or a scene: RGB of 0 to 255, shape (h, w, 3)."""

Size = tuple[int, int]  # width, height, as Pillow has it

SHORT_SIDE = 160
ASPECTS = (1.0, 4 / 3, 4 / 3, 3 / 2)  # width by height; 4:3 is the commonest

# Optical absorption per unit of pigment, by RGB: melanin turns skin brown, blood turns it red.
MELANIN = np.array([0.62, 1.0, 1.3], np.float32)
BLOOD = np.array([0.12, 0.75, 0.62], np.float32)

# Red, green and blue, 0 to 255 under white light, from Fitzpatrick's type I to type VI.
_TONES = (
    (243, 234, 217, 188, 146, 104),
    (212, 192, 168, 134, 98, 70),
    (196, 170, 138, 102, 72, 54),
)


def sample_size(rng: np.random.Generator) -> Size:
    """Choose the width and height of a photograph in pixels; the height is `SHORT_SIDE`."""
    return round(SHORT_SIDE * float(rng.choice(ASPECTS))), SHORT_SIDE


def smoothstep(field: Field, low: float | Field, width: float | Field) -> Field:
    """Rise smoothly from 0, where `field` is `low`, to 1, where it is `low + width`."""
    t = np.clip((field - low) / width, 0, 1)
    risen: Field = t * t * (3 - 2 * t)
    return risen


def render_skin(size: Size, tone: float, rng: np.random.Generator) -> Field:
    """Render bare skin, RGB (h, w, 3), of `tone` 0 (Fitzpatrick I) to 1 (Fitzpatrick VI)."""
    color = np.array([np.interp(tone * 5, range(6), channel) for channel in _TONES], np.float32)
    fine = _smooth(size, 56, rng)
    blood = 0.05 * _smooth(size, 5, rng) + 0.025 * fine + np.float32(rng.uniform(-0.08, 0.12))
    texture = 1 + 0.015 * fine + 0.02 * _smooth(size, 12, rng)
    skin: Field = color * (texture[..., None] * np.exp(-blood[..., None] * BLOOD))
    return skin


def apply_lighting(scene: Field, rng: np.random.Generator) -> Field:
    """Light a `scene` unevenly, darken its corners, and tint it as a white balance does."""
    height, width = scene.shape[:2]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(width / height)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    turn, far = np.float32(rng.uniform(0, 2 * np.pi)), x * x + y * y
    shade = 1 + np.float32(rng.uniform(0, 0.1)) * (np.cos(turn) * x + np.sin(turn) * y)
    shade = shade - np.float32(rng.uniform(0, 0.13)) * far
    if rng.random() < 0.15:  # the tube of a dermatoscope
        shade = shade * (0.06 + 0.94 * smoothstep(-np.sqrt(far), -rng.uniform(1.15, 1.4), 0.06))
    tint = np.exp(rng.normal(0, 0.03, 3) + rng.normal(0, 0.06)).astype(np.float32)
    lit: Field = scene * shade[..., None] * tint
    return lit


def apply_camera(scene: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add hairs to a `scene` or not, and the camera's focus and noise."""
    height, width = scene.shape[:2]
    if rng.random() < 0.35:
        cover = _hairs((width, height), rng)[..., None]
        color = np.array([52, 40, 34], np.float32) * np.float32(rng.uniform(0.4, 2.2))
        scene = scene + cover * (np.minimum(color, scene) - scene)
    image = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9)))
    grain = rng.standard_normal((height, width, 1), np.float32) * np.float32(rng.uniform(1, 3.5))
    taken: NDArray[np.uint8] = np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8)
    return taken


def _smooth(size: Size, cells: int, rng: np.random.Generator) -> Field:
    """Return a smooth field, about N(0, 1), with `cells` along the short side."""
    across = max(2, round(cells * size[0] / size[1]))
    grid = Image.fromarray(rng.standard_normal((cells, across), np.float32))
    # Interpolation averages neighbours and so takes a third of the spread away.
    return np.asarray(grid.resize(size, Image.Resampling.BICUBIC), np.float32) * 1.4


def _hairs(size: Size, rng: np.random.Generator) -> Field:
    """Return how much hair covers each pixel, 0 to 1: bent strands, most of them lying one way."""
    fine = 3  # drawn threefold and reduced, since Pillow's lines have no soft edge
    canvas = Image.new("L", (size[0] * fine, size[1] * fine))
    draw = ImageDraw.Draw(canvas)
    direction, t = rng.uniform(0, np.pi), np.linspace(0, 1, 12)[:, None]
    for _ in range(2 + rng.poisson(6)):
        middle = rng.uniform(0, 1, 2) * canvas.size
        angle, length = direction + rng.normal(0, 0.5), rng.uniform(0.3, 0.9) * canvas.size[1]
        half = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        bow = middle + np.array([-half[1], half[0]]) * rng.normal(0, 0.5)
        strand = (1 - t) ** 2 * (middle - half) + 2 * t * (1 - t) * bow + t**2 * (middle + half)
        draw.line([(float(a), float(b)) for a, b in strand], 255, int(rng.integers(2, 5)), "curve")
    return np.asarray(canvas.reduce(fine), np.float32) * np.float32(rng.uniform(0.55, 0.95) / 255)
