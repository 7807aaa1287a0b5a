"""The one place that opens a photograph, so that training and diagnosis see the same pixels.

A photograph becomes the largest centred square, resized to a fixed side, in sRGB. The aspect ratio
is kept, since asymmetry is a sign of melanoma and squashing would change it. What else a file
holds (place, time, name, thumbnail, profile) stays behind: pixels and a size are all that leaves.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.imaging.color_management import flatten, from_signalled, to_srgb
from melanoscope.imaging.open_image import (
    FORMATS,
    MAX_PIXELS,
    Source,
    TooManyPixelsError,
    UnreadableImageError,
    open_image,
    orientation_of,
)

__all__ = [
    "DECODER_VERSION",
    "FORMATS",
    "MAX_PIXELS",
    "SUFFIXES",
    "DecodedImage",
    "Source",
    "TooManyPixelsError",
    "UnreadableImageError",
    "decode_image",
    "image_dimensions",
    "read_image",
    "why_unreadable",
    "write_image",
]

# Part of every pixel store's name: raise it when the pixels of `read_image` change.
DECODER_VERSION = 2

# What archives name their photographs. A file itself is known by its first bytes.
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False, slots=True)
class DecodedImage:
    """A photograph as networks see it, and nothing else of its file.

    Attributes:
        pixels: The centred square, sRGB, shape (px, px, 3), uint8, read-only.
        width: Of the whole photograph, upright, before cropping, in pixels.
        height: Of the whole photograph, upright, before cropping, in pixels.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


def decode_image(source: Source, px: int, *, most: int = MAX_PIXELS) -> DecodedImage:
    """Decode a photograph to sRGB of a fixed size.

    Orientation and colour profile are applied; grey, palette, CMYK, LAB, alpha (over white) and
    16-bit files become 8-bit RGB; of several pictures in a file the first counts (of HEIC the
    primary one); large JPEGs are decoded at a fraction of their size where that suffices.

    Args:
        source: Path of a file of one of `FORMATS`, HEIC (extra `[heic]`) or AVIF, or the content
            of one. Nothing is written to disk.
        px: Side of the square in pixels.
        most: Pixels beyond which a photograph is not decoded.

    Raises:
        TooManyPixelsError: More than `most`; told by the head, before anything is decoded.
        UnreadableImageError: Absent, empty, truncated, not an image, a video.
    """
    with open_image(source, most=most) as image:
        width, height = image.size
        scaled = image.format in ("JPEG", "MPO")
        if scaled:
            # Twice the wanted side leaves the resampling filter enough to work with. A HEIC file
            # would give its thumbnail, which is another picture than the one that is judged.
            image.draft(None, (2 * px, 2 * px))
        image.load()
        orientation = orientation_of(image)
        turn = _TURNS.get(orientation)
        upright = image if turn is None else image.transpose(turn)
        if not scaled:
            width, height = upright.size
        elif orientation >= 5:
            width, height = height, width
        flat, profile = flatten(upright)
        # A copy, since an array made of an image may keep that with all its metadata alive.
        pixels = np.array(to_srgb(_square(flat, px), profile))
        if image.format == "HEIF" and profile is None:
            pixels = from_signalled(pixels, image.info.get("nclx_profile"))
    pixels.setflags(write=False)
    return DecodedImage(pixels, width, height)


def read_image(path: Path, px: int) -> NDArray[np.uint8]:
    """Decode a photograph to sRGB of shape (px, px, 3) as `decode_image` does."""
    return decode_image(path, px).pixels


def why_unreadable(path: Path) -> str | None:
    """Decode a photograph whole, at the least cost, and return why it cannot be, or None."""
    try:
        read_image(path, 16)
    except UnreadableImageError as error:
        return error.reason
    return None


def image_dimensions(source: Source) -> tuple[int, int]:
    """Read width and height in pixels from a file's head, upright.

    Raises:
        UnreadableImageError: No image of the formats that `decode_image` reads.
    """
    with open_image(source) as image:
        width, height = image.size
        # From 5 on the orientations exchange width and height; of TIFF newer Pillow has done so.
        tags = getattr(image, "tag_v2", {})
        as_stored = not tags or (width, height) == (tags.get(256), tags.get(257))
        turned = as_stored and orientation_of(image) >= 5
        return (height, width) if turned else (width, height)


def write_image(path: Path, pixels: NDArray[np.uint8], *, quality: int = 90) -> None:
    """Write RGB pixels of shape (h, w, 3) as a JPEG that is either whole or not there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        Image.fromarray(pixels).save(partial, format="JPEG", quality=quality)
        os.replace(partial, path)  # noqa: PTH105 - atomic also where the target exists
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _square(image: Image.Image, px: int) -> Image.Image:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return image.resize(
        (px, px),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=2.0,
    )
