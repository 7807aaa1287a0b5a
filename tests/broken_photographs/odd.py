"""Whole photographs of unusual kinds, which are read; and pictures of kinds that are not."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Iterator

import numpy as np
import PIL
from PIL import Image

from tests.imaging.images import encode

from .entry import Entry, Right
from .whole import SUFFIXES, is_written, lesion

_SIDES = ((1, 1), (2, 1), (1, 20_000), (20_000, 1))


def odd(seed: int) -> Iterator[Entry]:
    """Go through photographs of unusual sizes, pixels, frames and companions."""
    image = lesion(seed, 80, 60)
    yield from _sizes(image)
    yield from _pixels(image)
    yield from _several_frames(image)
    yield from _metadata(image)
    yield from _companions(image)


def _sizes(image: Image.Image) -> Iterator[Entry]:
    for width, height in _SIDES:
        small = image.resize((width, height))
        for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "HEIF", "AVIF"):
            if kind == "WEBP" and max(width, height) > 16_383:
                continue
            if not is_written(kind) or (kind in ("HEIF", "AVIF") and max(width, height) > 2):
                continue
            name = f"{width}x{height}.{SUFFIXES[kind]}"
            yield Entry("extreme size", name, Right.READ, encode(small, kind))


def _pixels(image: Image.Image) -> Iterator[Entry]:
    grey = image.convert("L")
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    clear = image.convert("RGBA")
    clear.putalpha(grey)
    palette = image.quantize(16)
    lab = image.convert("LAB")
    lab.info.pop("icc_profile", None)  # which says when it was made
    files = {
        "cmyk.jpg": encode(image.convert("CMYK"), "JPEG"),
        "grey.jpg": encode(grey, "JPEG"),
        "cmyk.tif": encode(image.convert("CMYK"), "TIFF"),
        "16-bit.png": encode(deep, "PNG"),
        "16-bit.tif": encode(deep, "TIFF"),
        "float.tif": encode(image.convert("F"), "TIFF"),
        "one-bit.png": encode(image.convert("1"), "PNG"),
        "one-bit.tif": encode(image.convert("1"), "TIFF", compression="group4"),
        "grey-alpha.png": encode(image.convert("LA"), "PNG"),
        "alpha.png": encode(clear, "PNG"),
        "alpha.webp": encode(clear, "WEBP"),
        "alpha.tif": encode(clear, "TIFF"),
        "palette.png": encode(palette, "PNG"),
        "palette.bmp": encode(palette, "BMP"),
        "palette-alpha.png": encode(palette, "PNG", transparency=bytes(range(16))),
        "lab.tif": encode(lab, "TIFF"),
        "interlaced.jpg": encode(image, "JPEG", progressive=True, subsampling=0),
    }
    for name, content in files.items():
        yield Entry("unusual pixels", name, Right.READ, content)
    # Pillow reads back its own from 13.0 on; before, it is refused.
    right = Right.READ if int(PIL.__version__.partition(".")[0]) >= 13 else Right.EITHER
    ycbcr = encode(image.convert("YCbCr"), "TIFF")
    yield Entry("unusual pixels", "ycbcr.tif", right, ycbcr)


def _several_frames(image: Image.Image) -> Iterator[Entry]:
    others = [image.rotate(180), image.rotate(90)]
    still = encode(image, "PNG")
    more = {"save_all": True, "append_images": others}
    lossless = encode(image, "WEBP", lossless=True)
    moving = encode(image, "WEBP", lossless=True, **more)
    apng, gif = encode(image, "PNG", **more), encode(image, "GIF", **more)
    tiff, mpo = encode(image, "TIFF", **more), encode(image, "MPO", **more)
    yield Entry("several frames", "moving.png", Right.READ, apng, still)
    yield Entry("several frames", "moving.webp", Right.READ, moving, lossless)
    yield Entry("several frames", "pages.tif", Right.READ, tiff, still)
    yield Entry("several frames", "mpo.jpg", Right.READ, mpo)
    yield Entry("other formats", "moving.gif", Right.REFUSED, gif, says="no image")
    yield Entry("other formats", "gif.jpg", Right.REFUSED, gif, says="no image")
    for kind in ("PPM", "ICO", "TGA", "JPEG2000"):
        other = encode(image, kind)
        yield Entry("other formats", f"{kind}.jpg", Right.REFUSED, other, says="no image")
    film = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(200)
    yield Entry("other formats", "film.jpg", Right.REFUSED, film, says="a video")


def _metadata(image: Image.Image) -> Iterator[Entry]:
    """EXIF whose directories lead back to themselves, profiles of nonsense, floods of text."""
    whole = encode(image, "JPEG")
    ring = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 8)
    far = b"II*\0" + struct.pack("<I", 0xFFFFFFF0)
    many = b"MM\0*" + struct.pack(">IH", 8, 65535)
    for name, block in {"ring": ring, "far": far, "many": many, "none": b""}.items():
        content = encode(image, "JPEG", exif=b"Exif\0\0" + block)
        yield Entry("EXIF", f"exif-{name}.jpg", Right.READ, content, whole)
    rng = random.Random(0)
    head = bytes(12) + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(84)
    profiles = {
        "noise": rng.randbytes(3000),
        "head": struct.pack(">I", 500) + head[4:] + rng.randbytes(372),
        "long": bytes(3_000_000),
        "tags": head + struct.pack(">I", 2**31) + rng.randbytes(400),
    }
    png = encode(image, "PNG")
    for name, profile in profiles.items():
        content = encode(image, "JPEG", icc_profile=profile)
        yield Entry("ICC", f"icc-{name}.jpg", Right.READ, content, whole)
        content = encode(image, "PNG", icc_profile=profile)
        # Pillow reads no more than a megabyte of a PNG's profile.
        right = Right.TORN if name == "long" else Right.READ
        yield Entry("ICC", f"icc-{name}.png", right, content, png)
    tiff = bytearray(encode(image, "TIFF"))
    start = int.from_bytes(tiff[4:8], "little")
    end = start + 2 + 12 * int.from_bytes(tiff[start : start + 2], "little")
    looped = bytes(tiff[:end]) + struct.pack("<I", start) + bytes(tiff[end + 4 :])
    yield Entry("EXIF", "directory-ring.tif", Right.READ, looped, bytes(tiff))


def _companions(image: Image.Image) -> Iterator[Entry]:
    """Files that are two things at once."""
    jpeg, png = encode(image, "JPEG"), encode(image, "PNG")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("evil.py"), "print(1)")
    archive_bytes = packed.getvalue()
    page = b"<html><script>alert(1)</script></html>"
    yield Entry("polyglot", "zip-behind.jpg", Right.READ, jpeg + archive_bytes, jpeg)
    yield Entry("polyglot", "zip-behind.png", Right.READ, png + archive_bytes, png)
    spoken = jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(page) + 2) + page + jpeg[2:]
    yield Entry("polyglot", "page-inside.jpg", Right.READ, spoken, jpeg)
    for name, before in {
        "page": page,
        "pdf": b"%PDF-1.7\n",
        "gif": b"GIF89a/*",
        "zip": archive_bytes,
        "shell": b"#!/bin/sh\n",
        "line": b"\n",
    }.items():
        yield Entry("polyglot", f"{name}-first.jpg", Right.REFUSED, before + jpeg, says="no image")
    yield Entry("polyglot", "words.bmp", Right.REFUSED, b"BMW is no photograph" * 40)
    yield Entry("polyglot", "twice.jpg", Right.READ, jpeg + jpeg, jpeg)
    text = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    yield Entry("other content", "pointer.jpg", Right.REFUSED, text, says="git-lfs")
    yield Entry("other content", "zeros.jpg", Right.REFUSED, bytes(5000), says="zeros")
    yield Entry("other content", "empty.jpg", Right.REFUSED, b"", says="an empty file")
    yield Entry("other content", "text.jpg", Right.REFUSED, b"my lesion", says="no image")
    yield Entry("other content", "noise.jpg", Right.REFUSED, random.Random(1).randbytes(5000))
