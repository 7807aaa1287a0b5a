"""Whether two files are one photograph: byte for byte, pixel for pixel, or one a smaller copy."""

from __future__ import annotations

import os
from pathlib import Path

from melanoscope.imaging.decode import image_dimensions
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.imaging.whole_picture import has_same_pixels, shows_the_same

_BLOCK = 2**20


def has_same_content(first: str, second: str) -> bool:
    """Whether two files are one on disk, or equal byte for byte; sizes are compared first."""
    try:
        with Path(first).open("rb", 0) as a, Path(second).open("rb", 0) as b:
            one, other = (os.fstat(file.fileno()) for file in (a, b))
            if (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino):
                return True
            if one.st_size != other.st_size:
                return False
            while block := a.read(_BLOCK):
                if block != b.read(len(block)):
                    return False
            return True
    except OSError:
        return False


def n_pixels(path: str) -> int:
    """Return a photograph's number of pixels, 0 where its head cannot be read."""
    try:
        width, height = image_dimensions(Path(path))
    except UnreadableImageError:
        return 0
    return width * height


def relation(other: str, taken: str) -> str | None:
    """Say what `other` is to `taken`, which has as many pixels or more; None: something else."""
    pixels = n_pixels(other)
    if not pixels:
        return None
    if pixels < n_pixels(taken):
        return "resized copy" if shows_the_same(Path(other), Path(taken)) else None
    return "copy" if has_same_pixels(Path(other), Path(taken)) else None
