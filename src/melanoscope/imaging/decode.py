"""Decodes a photograph, the one way for training and inference, so that both see the same pixels.

A photograph becomes the largest centred square, resized to a fixed side, in sRGB. The aspect ratio
is kept, since asymmetry is a sign of melanoma and squashing would change it. What else a file
holds (place, time, name, thumbnail, profile) stays behind: pixels and a size are all that leaves.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.atomic import atomic_path
from melanoscope.imaging.color_management import flatten, from_nclx, to_srgb
from melanoscope.imaging.open_image import (
    MAX_PIXELS,
    Source,
    UnreadableImageError,
    open_image,
    orientation_of,
)

# Part of every pixel store's name: raise it when `read_image` gives other pixels or refuses others.
DECODER_VERSION = 5

# What archives name their photographs. A file itself is known by its first bytes.
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".dib"),
        *(".heic", ".heif", ".hif", ".avif", ".dcm", ".dicom"),
    }
)

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
        pixels: The centred square, sRGB, shape (image_size, image_size, 3), uint8, read-only.
        width: Width of the whole upright photograph before cropping, in pixels.
        height: Its height.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int


def decode_image(source: Source, image_size: int, *, max_pixels: int = MAX_PIXELS) -> DecodedImage:
    """Decode a photograph to sRGB of a fixed size.

    Args:
        source: Path of a file of one of `FORMATS`, HEIC (extra `[heic]`), AVIF or DICOM (extra
            `[dicom]`), or its content.
        image_size: Side of the square in pixels.
        max_pixels: Number of pixels beyond which a photograph is refused, each counted as often as
            it takes `memory_limits.BUDGET_PER_PIXEL` bytes to decode.

    Returns:
        The square, and the size of the photograph that it was cut from.

    Raises:
        TooManyPixelsError: The file's head announces more than that; nothing was decoded.
        UnreadableImageError: The file is absent, empty, truncated, a video or not an image.

    >>> from io import BytesIO
    >>> from PIL import Image
    >>> file = BytesIO()
    >>> Image.new("RGB", (60, 40), "white").save(file, "PNG")
    >>> decoded = decode_image(file.getvalue(), 32)
    >>> decoded.pixels.shape, decoded.width, decoded.height
    ((32, 32, 3), 60, 40)
    """
    # Orientation and colour profile are applied; grey, palette, CMYK, LAB, alpha (over white) and
    # 16-bit files become 8-bit RGB; of several pictures in a file the first counts (of HEIC the
    # primary one). Nothing is written to disk.
    with open_image(source, max_pixels=max_pixels) as image:
        width, height = image.size
        scaled = image.format in ("JPEG", "MPO")
        if scaled:
            # Twice the wanted side leaves the resampling filter enough to work with. A HEIC file
            # would give its thumbnail, which is another picture than the one that is judged.
            image.draft(None, (2 * image_size, 2 * image_size))
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
        pixels = np.array(to_srgb(_square(flat, image_size), profile))
        if image.format == "HEIF" and profile is None:
            pixels = from_nclx(pixels, image.info.get("nclx_profile"))
    pixels.setflags(write=False)
    return DecodedImage(pixels, width, height)


def read_image(path: Path, image_size: int) -> NDArray[np.uint8]:
    """Decode the file at `path` to (image_size, image_size, 3) uint8, as `decode_image` does."""
    return decode_image(path, image_size).pixels


def why_unreadable(path: Path) -> str | None:
    """Decode the file at `path` once, small; return why it cannot be decoded, or None."""
    try:
        read_image(path, 16)
    except UnreadableImageError as error:
        return error.reason
    return None


def image_dimensions(source: Source) -> tuple[int, int]:
    """Read width and height of the upright photograph from a file's head, without decoding it.

    Args:
        source: Path or content of a file, as for `decode_image`.

    Returns:
        Width and height in pixels.

    Raises:
        UnreadableImageError: The file is no image of the formats that `decode_image` reads.
    """
    with open_image(source) as image:
        width, height = image.size
        # From 5 on the orientations exchange width and height; of TIFF newer Pillow has done so.
        tags = getattr(image, "tag_v2", {})
        as_stored = not tags or (width, height) == (tags.get(256), tags.get(257))
        turned = as_stored and orientation_of(image) >= 5
        return (height, width) if turned else (width, height)


def write_image(path: Path, pixels: NDArray[np.uint8], *, quality: int = 90) -> None:
    """Write RGB `pixels` (h, w, 3) as a JPEG of `quality` 1 to 95 that is whole or not there."""
    # Pillow itself takes a write that the disk's last room cut short for a whole one.
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="JPEG", quality=quality)
    with atomic_path(path) as partial:
        # No view of its buffer: held by a traceback it outlives the file in memory, which ends the
        # process of Python 3.12.1 and earlier (gh-111049).
        partial.write_bytes(content.getvalue())


def _square(image: Image.Image, image_size: int) -> Image.Image:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return image.resize(
        (image_size, image_size),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=2.0,
    )
