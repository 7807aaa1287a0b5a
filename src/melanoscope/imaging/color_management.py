"""Converts what a file holds to sRGB, the color space that networks are trained on.

A phone's photograph is in Display P3: taken for sRGB its reds are pale, and the colour of a lesion
is evidence. A profile is applied as browsers do, and after shrinking: converting the square costs
a millisecond, a phone's 12 million pixels 0.4 s. On 100 photographs of lesions read as Display P3,
converting before or after shrinking differs by 0.2 levels, and the profile moves them by 4.3.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from PIL import ImageCms

# Profiles of presses have 3 MB; larger ones are passed over unread.
_MAX_PROFILE = 4 * 2**20
_SPACES = {b"GRAY": "L", b"RGB ": "RGB", b"CMYK": "CMYK"}
_PHOTOMETRIC, _BITS = 262, 258
_BAND = 2**20  # pixels of a large image that are converted at a time

# Linear light, D65: SMPTE EG 432-1 primaries to those of IEC 61966-2-1.
_P3_TO_SRGB = np.array(
    ((1.22494, -0.22494, 0.0), (-0.04206, 1.04206, 0.0), (-0.01964, -0.07864, 1.09828))
)
_P3_PRIMARIES = 12  # of ISO/IEC 23091-2


def flatten(image: Image.Image) -> tuple[Image.Image, bytes | None]:
    """Convert an image to mode L, RGB or CMYK, over white, with its ICC profile if it fits."""
    profile = image.info.get("icc_profile")
    space = _space(profile)
    grey = Image.getmodebase(image.mode) == "L"
    if image.mode == "CMYK" and space == "CMYK":
        return image, profile
    fits = (space == "RGB" and image.mode not in ("CMYK", "LAB")) or (space == "L" and grey)
    flat, mode = _over_white(image), "L" if grey and space != "RGB" else "RGB"
    return flat if flat.mode == mode else flat.convert(mode), profile if fits else None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image of mode L, RGB or CMYK to RGB in sRGB; a broken `profile` is ignored."""
    transform = None if profile is None else _transform(profile, image.mode)
    if transform is not None:
        return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def from_nclx(pixels: NDArray[np.uint8], signal: dict[str, Any] | None) -> NDArray[np.uint8]:
    """Convert RGB `pixels`, (h, w, 3), of Display P3 to sRGB, as HEIC's `nclx` box signals it."""
    # `signal` holds the numbers of ISO/IEC 23091-2; other primaries are taken for those of sRGB.
    if not signal or signal.get("color_primaries") != _P3_PRIMARIES:
        return pixels
    level = np.arange(256) / 255.0
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(light[pixels] @ _P3_TO_SRGB.T, 0.0, 1.0)
    curved = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    converted: NDArray[np.uint8] = np.rint(curved * 255.0).astype(np.uint8)
    return converted


def _space(profile: object) -> str | None:
    """Read a profile's colour space from its head, as Pillow's mode (ICC.1:2022, section 7.2)."""
    if not isinstance(profile, bytes) or not 128 < len(profile) <= _MAX_PROFILE:
        return None
    return _SPACES.get(profile[16:20]) if profile[36:40] == b"acsp" else None


@functools.lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Build the transform from a profile to sRGB; None where it is sRGB already, or broken."""
    # Cached, as a phone always writes the same one.
    from PIL import ImageCms

    try:
        transform = ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.PERCEPTUAL,
        )
        white = Image.new(mode, (1, 1), 0 if mode == "CMYK" else "white")
        if min(np.asarray(transform.apply(white)).ravel()) < 247:
            return None  # white that is not white: Firefox calls such a profile bogus, too
        if mode == "CMYK":
            return transform
        probe = _probe(mode)
        moved = np.abs(np.asarray(transform.apply(probe), int) - np.asarray(probe.convert("RGB")))
    except (OSError, TypeError, ValueError, ImageCms.PyCMSError):
        return None
    return transform if moved.max() > 1 else None


def _probe(mode: str) -> Image.Image:
    """Return an image with colours from all over a space."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, 18).astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1)
    return Image.fromarray(cube.reshape(-1, 18, 3))


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _grey8(image)
    if not image.has_transparency_data:
        return image
    flat = Image.new("RGB", image.size)
    for place, band in _bands(image):
        layer = band.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        flat.paste(Image.alpha_composite(white, layer).convert("RGB"), place)
    return flat


def _bands(image: Image.Image) -> Iterator[tuple[tuple[int, int], Image.Image]]:
    """Go through an image from top to bottom: where a band begins, and the band."""
    # What is computed of a whole image at once takes five times its room.
    width, height = image.size
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        yield (0, top), image.crop((0, top, width, min(top + rows, height)))


def _grey8(image: Image.Image) -> Image.Image:
    """Bring 12-bit, 16-bit or floating-point grey to 8 bits; the values tell its range."""
    # Pillow knows of neither fewer than 16 bits nor black and white exchanged, as TIFF has them.
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS, (16,))[0]
    highest = max(_as_grey(band).max() for _, band in _bands(image))
    if image.mode == "F" and highest <= 1:
        top = 1.0
    elif highest <= 255:
        top = 255.0
    else:
        top = 2.0**bits - 1 if 8 < bits < 16 else 65535.0
    flat = Image.new("L", image.size)
    for place, band in _bands(image):
        grey = _as_grey(band)
        if tags.get(_PHOTOMETRIC) == 0:
            grey = top - grey
        levels = np.clip(np.rint(grey * (255.0 / top)), 0, 255).astype(np.uint8)
        flat.paste(Image.fromarray(levels), place)
    return flat


def _as_grey(band: Image.Image) -> NDArray[np.float32]:
    grey: NDArray[np.float32] = np.nan_to_num(np.asarray(band).astype(np.float32))
    return grey
