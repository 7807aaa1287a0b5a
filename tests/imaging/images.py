"""Small photographs of every kind, as bytes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

PX = 32


def painting(width: int = 48, height: int = 48) -> Image.Image:
    """Smooth and nowhere the same: each corner has its own colour, so that a turn shows."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    rgb = np.stack([40 + 200 * x, 60 + 150 * y, 200 - 90 * x - 90 * y * y], axis=-1)
    return Image.fromarray(rgb.astype(np.uint8))


def encode(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def reference(image: Image.Image, px: int = PX) -> np.ndarray:
    """The centred square by another way: crop to whole pixels, then resize."""
    side = min(image.size)
    return np.asarray(ImageOps.fit(image.convert("RGB"), (side, side)).resize((px, px), 3))


def difference(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def put(folder: Path, data: bytes, name: str = "photograph") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def png(
    header: bytes, raw: bytes = b"", *chunks: tuple[bytes, bytes], packed: bytes | None = None
) -> bytes:
    """Write a PNG by hand, of a kind that Pillow reads and does not write."""
    data = zlib.compress(raw) if packed is None else packed
    parts = [(b"IHDR", header), *chunks, (b"IDAT", data), (b"IEND", b"")]
    written = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        written += struct.pack(">I", len(body)) + name + body
        written += struct.pack(">I", zlib.crc32(name + body))
    return written
