"""Photographs to send: drawn ones, or those of a folder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image


def drawn_photographs(count: int = 32) -> list[bytes]:
    """Draw lesions on skin: blotches with hairs and noise, so that JPEG has something to do."""
    random, found = np.random.default_rng(0), []
    y, x = np.mgrid[-0.75:0.75:480j, -1:1:640j]
    for _ in range(count):
        edge = 0.35 + 0.08 * np.sin(np.arctan2(y, x) * random.integers(3, 7) + random.random() * 6)
        inside = 1 / (1 + np.exp(40 * (np.hypot(x, y) - edge)))[..., None]
        skin, mole = random.normal((215, 170, 150), 8), random.normal((110, 70, 55), 12)
        noise = random.normal(0, 5, (480, 640, 1)) + random.normal(0, 3, (480, 640, 3))
        pixels = skin + (mole - skin) * inside + noise
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found


def huge_photograph() -> bytes:
    """Draw one of 20 million pixels, which waits where slow work does."""
    file = io.BytesIO()
    Image.new("RGB", (5000, 4000), (220, 180, 160)).save(file, "JPEG")
    return file.getvalue()


def read_photographs(folder: str) -> list[bytes]:
    """Read or draw the photographs."""
    if not folder:
        return drawn_photographs()
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    return [path.read_bytes() for path in paths[:200]]
