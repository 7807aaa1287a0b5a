"""Whole files of drawn lesions in every format that is read."""

from __future__ import annotations

import functools
import io
import struct
from typing import Any

import numpy as np
from PIL import Image, features

from melanoscope.data.sources.lesion_painter import Traits, paint
from tests.imaging import dicoms
from tests.imaging.images import encode

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif", "BMP": "bmp"}
SUFFIXES |= {"HEIF": "heic", "AVIF": "avif", "DICOM": "dcm"}
# Formats whose rows lie as they are in the file: zeros at their end may be a black border.
RAW = ("tiff", "tiff-tiles", "bmp", "dicom", "dicom-big")
TILE = 64
_WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"quality": 90}),
    "jpeg-own-tables": ("JPEG", {"quality": 90, "optimize": True}),
    "jpeg-progressive": ("JPEG", {"quality": 90, "progressive": True}),
    "jpeg-restarts": ("JPEG", {"restart_marker_blocks": 4}),
    "png": ("PNG", {}),
    "webp": ("WEBP", {"quality": 85}),
    "webp-lossless": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "tiff-deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "tiff-packbits": ("TIFF", {"compression": "packbits"}),
    "tiff-jpeg": ("TIFF", {"compression": "jpeg"}),
    "bmp": ("BMP", {}),
    "avif": ("AVIF", {}),
    "heic": ("HEIF", {}),
}


def lesion(seed: int, width: int = 160, height: int = 120) -> Image.Image:
    """Draw a lesion, without black corners, of a size."""
    traits = Traits(asymmetry=0.6, border=0.5, color=0.7, diameter=0.5)
    drawn = paint(traits, 0.3, np.random.default_rng(seed), np.random.default_rng(seed + 1))
    high, wide = drawn.shape[:2]
    image = Image.fromarray(drawn).crop((wide // 6, high // 6, wide * 5 // 6, high * 5 // 6))
    return image.resize((width, height), Image.Resampling.BICUBIC)


@functools.cache
def whole_files(seed: int) -> dict[str, tuple[str, bytes]]:
    """Return the format and the content of one whole file for each way of writing one."""
    image = lesion(seed)
    files = {}
    for name, (kind, options) in _WRITTEN.items():
        if is_written(kind):
            files[name] = (kind, encode(image, kind, **options))
    pixels = np.asarray(image)
    files["tiff-tiles"] = ("TIFF", tiled_tiff(pixels))
    files["dicom"] = ("DICOM", dicoms.native(pixels, "RGB"))
    files["dicom-big"] = ("DICOM", dicoms.native(pixels, "RGB", "big"))
    files["dicom-jpeg"] = (
        "DICOM",
        dicoms.coded([dicoms.jpeg(image)], image.size, "YBR_FULL_422", dicoms.JPEG),
    )
    return files


def is_written(kind: str) -> bool:
    """Whether the encoder of a format is there."""
    if kind == "HEIF":
        try:
            import pillow_heif
        except ImportError:
            return False
        pillow_heif.register_heif_opener()
    return kind != "AVIF" or features.check("avif")


def tiled_tiff(pixels: np.ndarray, side: int = TILE) -> bytes:
    """Write an uncompressed TIFF of square tiles, which Pillow does not write."""
    height, width = pixels.shape[:2]
    down, across = -(-height // side), -(-width // side)
    padded = np.zeros((down * side, across * side, 3), np.uint8)
    padded[:height, :width] = pixels
    tiles = padded.reshape(down, side, across, side, 3).swapaxes(1, 2).tobytes()
    n, each = down * across, side * side * 3
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, None), (259, 3, 1, 1)]
    entries += [(262, 3, 1, 2), (277, 3, 1, 3), (322, 3, 1, side), (323, 3, 1, side)]
    entries += [(324, 4, n, None), (325, 4, n, None)]
    after = 8 + 2 + 12 * len(entries) + 4
    bits, offsets, counts = after, after + 6, after + 6 + 4 * n
    data = counts + 4 * n
    places = {258: bits, 324: offsets, 325: counts}
    out = io.BytesIO()
    out.write(b"II*\0" + struct.pack("<IH", 8, len(entries)))
    for tag, kind, count, value in entries:
        out.write(struct.pack("<HHII", tag, kind, count, places.get(tag, value)))
    out.write(bytes(4) + struct.pack("<3H", 8, 8, 8))
    out.write(struct.pack(f"<{n}I", *(data + each * i for i in range(n))))
    out.write(struct.pack(f"<{n}I", *([each] * n)) + tiles)
    return out.getvalue()
