"""What the package reads of files: formats, heads, torn ones, decoded and resampled pixels."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np
from PIL import Image, ImageOps, features

from melanoscope.imaging import heif
from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.file_type import detect_file_type
from melanoscope.imaging.integrity import whole_content
from melanoscope.imaging.open_image import UnreadableImageError
from tests.page.golden_pictures import decoded, lesion, saved, text

SIZES = (
    (160, 160, 128),
    (213, 160, 128),
    (161, 300, 128),
    (161, 194, 128),
    (161, 195, 128),
    (100, 129, 128),
    (777, 1003, 128),
    (128, 128, 128),
    (640, 427, 128),
    (427, 641, 128),
    (1003, 777, 128),
    (50, 37, 64),
    (900, 904, 31),
    (64, 65, 64),
    (17, 5, 16),
    (1, 3, 16),
    (2000, 701, 32),
)
"""Width and height of what is resampled, and the side that it is brought to."""


def resample() -> list[dict[str, Any]]:
    """Squares of noise by the decoder, from PNG."""
    rng = np.random.default_rng(2)
    cases = []
    for width, height, image_size in SIZES:
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        # Edges at the ends of the scale, where the fixed point overshoots and is cut off.
        pixels[: height // 2] = (pixels[: height // 2] > 127) * np.uint8(255)
        cases.append(
            {
                "width": width,
                "height": height,
                "image_size": image_size,
                "pixels": text(pixels),
                "square": text(decoded(pixels, image_size)),
            }
        )
    return cases


def kinds() -> list[dict[str, str | None]]:
    """Formats by their first bytes."""
    heads = [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"BM",
        b"II*\0",
        b"MM\0+",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0AVI LIST",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        b"\0\0\0\x14ftypqt  ",
        b"\0\0\0\x08wide",
        b"\x1aE\xdf\xa3",
        b"GIF89a",
        b"<html>",
        b"",
        b"G" + 187 * b"\0" + b"G",
    ]
    return [
        {"head": base64.b64encode(one).decode(), "kind": detect_file_type(one)} for one in heads
    ]


def heads() -> list[dict[str, Any]]:
    """Files of every format, their sizes as stored, and how they are to be turned."""
    image = Image.fromarray(lesion(5)).resize((37, 21))
    faded = image.convert("RGBA")
    faded.putalpha(77)
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "JPEG": saved(image, "JPEG"),
        "JPEG, progressive": saved(image, "JPEG", progressive=True),
        "JPEG, turned": saved(image, "JPEG", exif=exif),
        "PNG": saved(image, "PNG"),
        "BMP": saved(image, "BMP"),
        "WEBP, lossy": saved(image, "WEBP"),
        "WEBP, lossless": saved(image, "WEBP", lossless=True),
        "WEBP, alpha": saved(faded, "WEBP"),
        "WEBP, turned": saved(image, "WEBP", exif=exif),
    }
    if features.check("avif"):
        files["AVIF"] = saved(image, "AVIF")
    return [
        {
            "name": name,
            "kind": name.split(",")[0],
            "file": base64.b64encode(content).decode(),
            "orientation": 6 if "turned" in name else 1,
        }
        for name, content in files.items()
    ]


def torn() -> list[dict[str, Any]]:
    """Files that are whole and that zeros end, and whether Python takes them for torn."""
    whole = Image.fromarray(lesion(4)).resize((150, 110))
    noise = np.random.default_rng(4).normal(0, 12, (110, 150, 3))
    noisy = Image.fromarray((np.asarray(whole) + noise).clip(1, 255).astype(np.uint8))
    black = np.array(noisy)
    black[50:] = 0
    kinds = {"BMP": {}, "WEBP": {"quality": 85}, "WEBP, lossless": {"lossless": True}}
    if features.check("avif"):
        kinds["AVIF"] = {}
    found = []
    for name, options in kinds.items():
        kind = name.split(",")[0]
        for image in (noisy, Image.fromarray(black)):
            content = saved(image, kind, **options)
            for share in (0.2, 0.5, 0.9, 1.0):
                place = int(len(content) * share)
                file = content[:place] + bytes(len(content) - place)
                is_torn = (
                    heif.is_torn(file)
                    if kind == "AVIF"
                    else whole_content(kind, file, 10**6) is None
                )
                # Black rows below a BMP are no tear, and zeros in their place no loss.
                found.append(
                    {
                        "name": f"{name}, {'black below' if image is not noisy else ''} {share}",
                        "kind": kind,
                        "file": base64.b64encode(file).decode(),
                        "torn": is_torn,
                    }
                )
    return found


def turns() -> list[dict[str, Any]]:
    """A picture, turned as EXIF says."""
    pixels = np.arange(3 * 4 * 7, dtype=np.uint8).reshape(4, 7, 3)
    found = []
    for orientation in range(1, 9):
        image = Image.fromarray(pixels)
        image.getexif()[0x0112] = orientation
        upright = np.asarray(ImageOps.exif_transpose(image))
        size = {"width": upright.shape[1], "height": upright.shape[0]}
        found.append({"orientation": orientation, **size, "pixels": text(upright)})
    return found


def jpegs() -> list[dict[str, Any]]:
    """JPEGs, and what Pillow's draft mode makes of them at 1/2, 1/4 and 1/8."""
    whole = Image.fromarray(lesion(3)).resize((333, 251), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(8).normal(0, 25, (251, 333, 3))
    noisy = Image.fromarray((np.asarray(whole) + noise).clip(0, 255).astype(np.uint8))
    files: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "4:4:4": (noisy, {"quality": 95, "subsampling": 0}),
        "4:2:2": (noisy, {"quality": 85, "subsampling": 1}),
        "4:2:0": (noisy, {"quality": 85, "subsampling": 2}),
        "smooth": (whole, {"quality": 40}),
        "loud": (noisy, {"quality": 100, "subsampling": 0}),
        "coarse": (noisy, {"quality": 3}),
        "progressive": (noisy, {"quality": 90, "progressive": True}),
        "progressive, 4:4:4": (noisy, {"quality": 97, "progressive": True, "subsampling": 0}),
        "progressive, grey": (noisy.convert("L"), {"quality": 90, "progressive": True}),
        "grey": (noisy.convert("L"), {"quality": 90}),
        "optimised": (noisy, {"quality": 90, "optimize": True}),
        "restarts": (noisy, {"quality": 90, "restart_marker_blocks": 3}),
        "restarts, progressive": (
            noisy,
            {"quality": 90, "restart_marker_rows": 1, "progressive": True},
        ),
        "no transform": (noisy, {"quality": 90, "keep_rgb": True}),
        "narrow": (noisy.crop((0, 0, 17, 251)), {"quality": 90, "subsampling": 1}),
    }
    return [
        {
            "name": name,
            "file": base64.b64encode(content).decode(),
            "at": _drafts(content),
            "cuts": _cuts(content),
        }
        for name, content in (
            (name, saved(image, "JPEG", **options)) for name, (image, options) in files.items()
        )
    ]


def _cuts(content: bytes) -> list[dict[str, Any]]:
    """Where a JPEG is cut off and given an end marker, and whether Python takes it for torn."""
    places = [content.index(b"\xff\xda"), len(content) - 500, len(content) - 2]
    places += [int(len(content) * share) for share in (0.4, 0.6, 0.9)]
    places += [match.start() for match in re.finditer(b"\xff\xda", content)]  # scans are missing
    return [{"at": at, "torn": not _is_read(content[:at] + b"\xff\xd9")} for at in places]


def _is_read(content: bytes) -> bool:
    try:
        decode_image(content, 32)
    except UnreadableImageError:
        return False
    return True


def _drafts(content: bytes) -> list[dict[str, Any]]:
    found = []
    for factor in (2, 4, 8):
        with Image.open(io.BytesIO(content)) as image:
            if min(image.size) >= factor:
                image.draft(None, (image.width // factor, image.height // factor))
            pixels = np.asarray(image.convert("RGB"))
            if image.decoderconfig[:1] == (factor,):
                height, width = pixels.shape[:2]
                size = {"factor": factor, "width": width, "height": height}
                found.append({**size, "pixels": text(pixels)})
    return found
