"""Small files that announce or become huge ones, or that keep a decoder busy."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.imaging import dicoms
from tests.imaging.images import encode, png
from tests.imaging.test_decoder_limits import chunks, coded_rows, parts, scans, strips

from .entry import Entry, Right
from .whole import lesion, whole_files

_BOMB = "bomb"


def bombs(seed: int) -> Iterator[Entry]:
    """Go through files that must be refused before their decoder reserves memory or time."""
    image = lesion(seed, 80, 60)
    yield from _announced(image, seed)
    yield from _packed(image)
    for name, content in {
        "scans.jpg": scans(2000),
        "parts.jpg": parts(2000),
        "chunks.png": chunks(30_000),
        "strips.tif": strips(70_000),
        "rows.bmp": coded_rows(70_000),
    }.items():
        yield Entry("flood", name, Right.REFUSED, content, says="")


def _announced(image: Image.Image, seed: int) -> Iterator[Entry]:
    for side in (9_500, 30_000, 2**31 - 1):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        yield Entry(_BOMB, f"{side}.png", Right.REFUSED, png(header, b"\0" * 100))
        bmp = bytearray(encode(image, "BMP"))
        bmp[18:26] = struct.pack("<ii", side, side)
        yield Entry(_BOMB, f"{side}.bmp", Right.REFUSED, bytes(bmp))
        tiff = encode(image, "TIFF", compression="tiff_lzw")
        for tag, old in ((256, 80), (257, 60)):
            for kind, form in ((3, "<HHIHH"), (4, "<HHII")):
                more = (0,) if kind == 3 else ()
                found = struct.pack(form, tag, kind, 1, old, *more)
                tiff = tiff.replace(found, struct.pack("<HHII", tag, 4, 1, side))
        yield Entry(_BOMB, f"{side}.tif", Right.REFUSED, tiff)
    jpeg = encode(image, "JPEG")
    place = jpeg.index(b"\xff\xc0") + 5
    huge = jpeg[:place] + struct.pack(">HH", 65_500, 65_500) + jpeg[place + 4 :]
    yield Entry(_BOMB, "65500.jpg", Right.REFUSED, huge, says="bomb")
    for alpha in (0, 1):
        for side in (9_000, 16_383):
            content = webp_of_one_color(side, alpha)
            yield Entry(_BOMB, f"{side}-{alpha}.webp", Right.REFUSED, content, says="bomb")
    for name, size in (("heic", 12), ("avif", 12)):
        whole = whole_files(seed).get(name)
        if whole is not None:
            place = whole[1].index(b"ispe") + 8
            huge = whole[1][:place] + struct.pack(">II", 40_000, 40_000) + whole[1][place + 8 :]
            yield Entry(_BOMB, f"{size}.{name}", Right.REFUSED, huge, says="bomb")
    grey = np.zeros((8, 8), np.uint8)
    for rows in (9_600, 65_535):
        content = dicoms.native(grey, "MONOCHROME2", Rows=rows, Columns=rows)
        yield Entry(_BOMB, f"{rows}.dcm", Right.REFUSED, content)


def webp_of_one_color(side: int, alpha: int) -> bytes:
    """Write a lossless WebP of 40 bytes, any size and one color: its pixels take no bits."""
    small = encode(Image.new("RGBA", (8, 8), (9, 9, 9, 255)), "WEBP", lossless=True)
    place = small.index(b"VP8L") + 9
    bits = (side - 1) | (side - 1) << 14 | alpha << 28
    return small[:place] + struct.pack("<I", bits) + small[place + 4 :]


def _packed(image: Image.Image) -> Iterator[Entry]:
    """Compressed text, profiles and rows that grow to 50 MB; what they stand beside is whole."""
    zeros = zlib.compress(bytes(50_000_000), 9)
    whole = encode(image, "PNG")
    text = b"Comment\0\0" + zeros
    profile = b"icc\0\0" + zeros
    for name, kind, body in (("text", b"zTXt", text), ("profile", b"iCCP", profile)):
        chunk = struct.pack(">I", len(body)) + kind + body
        chunk += struct.pack(">I", zlib.crc32(kind + body))
        content = whole[:33] + chunk + whole[33:]
        yield Entry("packed bomb", f"{name}.png", Right.TORN, content, whole)
    header = struct.pack(">IIBBBBB", 80, 60, 8, 2, 0, 0, 0)
    yield Entry("packed bomb", "rows.png", Right.EITHER, png(header, packed=zeros))
