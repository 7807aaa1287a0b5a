"""Drawn photographs for golden numbers, and how pixels are written."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.data.sources.lesion_painter import Traits, paint
from melanoscope.imaging.decode import decode_image

Pixels = NDArray[np.uint8]


def lesion(number: int) -> Pixels:
    """Draw a lesion, RGB with a short side of 160 pixels or more."""
    rng = np.random.default_rng([5, number])
    traits = Traits(*rng.random(3).tolist(), 0.25 + 0.5 * float(rng.random()))
    return paint(traits, float(rng.random()), rng, np.random.default_rng([6, number]))


def squares(image_size: int = 128) -> dict[str, Pixels]:
    """Return squares of all kinds: drawn lesions, noise, extremes of exposure, screens."""
    rng = np.random.default_rng(0)
    found = {f"lesion {n}": decoded(lesion(n), image_size) for n in range(8)}
    one = found["lesion 0"]
    blocks = (
        rng.integers(0, 256, (image_size // 16, image_size // 16, 3), np.uint8)
        .repeat(16, 0)
        .repeat(16, 1)
    )
    found |= {
        "noise": rng.integers(0, 256, (image_size, image_size, 3), np.uint8),
        "black": np.zeros((image_size, image_size, 3), np.uint8),
        "white": np.full((image_size, image_size, 3), 255, np.uint8),
        "skin": np.full((image_size, image_size, 3), (200, 150, 130), np.uint8),
        "grey": one.mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2),
        "green": one[..., (1, 0, 2)].copy(),
        "dark": one // 5,
        "bright": np.minimum(one.astype(int) * 2, 255).astype(np.uint8),
        "blocks": blocks.repeat(16, 0).repeat(16, 1),
        "small": decoded(lesion(1), 80),
        "smallest": decoded(lesion(2), 16),
    }
    return found


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decoded(pixels: Pixels, image_size: int) -> Pixels:
    return decode_image(saved(Image.fromarray(pixels), "PNG"), image_size).pixels


def text(pixels: Pixels) -> str:
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
