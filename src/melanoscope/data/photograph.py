"""The one place that opens an image file, so that training and diagnosis see the same pixels.

A photograph becomes the largest centred square, resized to a fixed side. The aspect ratio is kept,
since asymmetry is a sign of melanoma and squashing would change it.
"""

from __future__ import annotations

import contextlib
import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from melanoscope.errors import DataError

# Part of every pixel store's name: raise it when the pixels of `read_photograph` change.
DECODER_VERSION = 1

# Pillow's own limit before it warns of a decompression bomb; larger files are refused here.
MAX_PIXELS = 89_478_485
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# Only what cameras and archives write: every further decoder is a further way in. JPEG stands for
# MPO too (a JPEG with a second picture behind it), which Pillow knows by no name of its own.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp"})

# Pillow's decoders answer broken files with any of these.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
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


class UnreadablePhotograph(DataError):
    """A file that cannot be decoded whole; `reason` says why in a few words."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(
            f"a whole photograph ({', '.join(FORMATS)}) at '{path}'",
            reason,
            "replace the file or take it out of the table",
        )


def read_photograph(path: Path, px: int) -> NDArray[np.uint8]:
    """Decode a photograph to RGB of a fixed size.

    EXIF orientation is applied; grey, palette, CMYK, alpha (over white) and 16-bit files become
    8-bit RGB; large JPEGs are decoded at a fraction of their size where that suffices.

    Args:
        path: File of one of `FORMATS`.
        px: Side of the square in pixels.

    Returns:
        Array of shape (px, px, 3), uint8.

    Raises:
        UnreadablePhotograph: Absent, empty, truncated, not an image, or more than `MAX_PIXELS`.
    """
    try:
        if path.stat().st_size == 0:
            raise UnreadablePhotograph(path, "an empty file")
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadablePhotograph(
                    path, f"{width} x {height} pixels, a decompression bomb (over {MAX_PIXELS})"
                )
            # Twice the wanted side leaves the resampling filter enough to work with.
            image.draft(None, (2 * px, 2 * px))
            image.load()
            return _square(_to_rgb(_upright(image)), px)
    except UnreadablePhotograph:
        raise
    except Image.DecompressionBombError:
        raise UnreadablePhotograph(path, "a decompression bomb") from None
    except UnidentifiedImageError:
        raise UnreadablePhotograph(path, "no image of these formats") from None
    except FileNotFoundError:
        raise UnreadablePhotograph(path, "no file") from None
    except IsADirectoryError:
        raise UnreadablePhotograph(path, "a folder") from None
    except PermissionError:
        raise UnreadablePhotograph(path, "no permission to read") from None
    except _BROKEN as error:
        raise UnreadablePhotograph(path, f"a broken file ({error})") from None


def why_unreadable(path: Path) -> str | None:
    """Decode a photograph whole, at the least cost, and return why it cannot be, or None."""
    try:
        read_photograph(path, 16)
    except UnreadablePhotograph as error:
        return error.reason
    return None


def photograph_size(path: Path) -> tuple[int, int]:
    """Read width and height in pixels from a file's head, as EXIF turns it.

    Raises:
        UnreadablePhotograph: No image of `FORMATS`.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            with contextlib.suppress(*_BROKEN):
                # From 5 on the orientations exchange width and height.
                if image.getexif().get(ExifTags.Base.Orientation, 1) >= 5:
                    return height, width
            return width, height
    except _BROKEN as error:
        raise UnreadablePhotograph(path, f"a broken file ({error})") from None


def write_photograph(path: Path, pixels: NDArray[np.uint8], *, quality: int = 90) -> None:
    """Write RGB pixels of shape (h, w, 3) as a JPEG that is either whole or not there."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        Image.fromarray(pixels).save(partial, format="JPEG", quality=quality)
        os.replace(partial, path)  # noqa: PTH105 - atomic also where the target exists
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _upright(image: Image.Image) -> Image.Image:
    """Apply EXIF orientation. Broken EXIF says nothing, and the photograph beside it may be whole.

    `ImageOps.exif_transpose` would also write the EXIF anew, and fails where it cannot.
    """
    with contextlib.suppress(*_BROKEN):
        turn = _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
        return image if turn is None else image.transpose(turn)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_grey8(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _grey8(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Bring 16-bit or floating-point grey to 8 bits; the range follows from what is there."""
    grey = np.nan_to_num(values.astype(np.float32))
    top = (
        1.0
        if values.dtype.kind == "f" and grey.max() <= 1
        else 255.0
        if grey.max() <= 255
        else 65535.0
    )
    grey8: NDArray[np.uint8] = np.clip(np.rint(grey * (255.0 / top)), 0, 255).astype(np.uint8)
    return grey8


def _square(image: Image.Image, px: int) -> NDArray[np.uint8]:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    square = image.resize(
        (px, px),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
        reducing_gap=2.0,
    )
    return np.asarray(square)
