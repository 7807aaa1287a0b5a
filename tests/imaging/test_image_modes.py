"""Photographs of every mode: grey, one to sixteen bits, palettes, CMYK, transparency."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from melanoscope.imaging.decode import decode_image, read_image

from .images import PX, difference, encode, painting, png, put, reference


def test_grey(tmp_path):
    grey = painting().convert("L")
    for kind in ("PNG", "JPEG"):
        pixels = read_image(put(tmp_path, encode(grey, kind)), PX)
        assert difference(pixels, reference(grey)) < 3
        assert (pixels == pixels[..., :1]).all()


def test_one_bit(tmp_path):
    image = Image.new("1", (40, 40))
    image.paste(1, (20, 0, 40, 40))
    pixels = read_image(put(tmp_path, encode(image, "PNG")), PX)
    assert pixels[:, :12].max() == 0
    assert pixels[:, -12:].min() == 255


def test_cmyk(tmp_path):
    """Four inks, so that a forgotten inversion or a dropped channel would show at once."""
    cmyk = painting().convert("CMYK")
    for kind in ("JPEG", "TIFF"):
        pixels = read_image(put(tmp_path, encode(cmyk, kind)), PX)
        assert difference(pixels, reference(painting())) < 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey(tmp_path, kind):
    """Not clipped at 255: a 16-bit ramp over the whole range stays a ramp."""
    grey = np.asarray(painting().convert("L"))
    image = Image.fromarray(grey.astype(np.uint16) * 257)
    assert image.mode == "I;16"
    pixels = read_image(put(tmp_path, encode(image, kind)), PX)
    assert difference(pixels, reference(Image.fromarray(grey))) < 1


@pytest.mark.parametrize(
    ("dtype", "top"),
    [
        (np.int32, 255),
        (np.int32, 65535),
        (np.float32, 1.0),
        (np.float32, 255.0),
        (np.float32, 65535.0),
    ],
)
def test_deep_grey_tiff(tmp_path, dtype, top):
    grey = np.asarray(painting().convert("L")) / 255.0
    image = Image.fromarray((grey * top).astype(dtype))
    pixels = read_image(put(tmp_path, encode(image, "TIFF")), PX)
    assert difference(pixels, reference(painting().convert("L"))) < 1.5


def test_twelve_bits_and_white_as_zero(tmp_path):
    """Both are read by Pillow as if they were not: nearly black, and as a negative."""
    grey = np.asarray(painting().convert("L")).astype(np.uint16)
    normal = reference(painting().convert("L"))
    twelve = b"".join(pack_twelve(row) for row in grey.astype(int) * 4095 // 255)
    assert difference(decode_image(tiff(twelve, 12, 1), PX).pixels, normal) < 1
    negative = (65535 - grey * 257).astype("<u2").tobytes()
    assert difference(decode_image(tiff(negative, 16, 0), PX).pixels, normal) < 1


def pack_twelve(row: np.ndarray) -> bytes:
    pairs = row.reshape(-1, 2)
    a, b = pairs[:, 0], pairs[:, 1]
    packed = np.stack((a >> 4, (a & 15) << 4 | b >> 8, b & 255), axis=1)
    return packed.astype(np.uint8).tobytes()


def tiff(data: bytes, bits: int, photometric: int) -> bytes:
    """Write a grey TIFF of 48 x 48 by hand."""
    tags = {256: 48, 257: 48, 258: bits, 259: 1, 262: photometric, 277: 1, 278: 48}
    entries = [(tag, 3, value) for tag, value in tags.items()]
    entries += [(273, 4, 14 + 12 * 9), (279, 4, len(data))]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, v) for tag, kind, v in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 9) + table + b"\0\0\0\0" + data


def test_not_a_number_is_black(tmp_path):
    grey = np.full((20, 20), 0.5, np.float32)
    grey[:, 10:] = np.nan
    pixels = read_image(put(tmp_path, encode(Image.fromarray(grey), "TIFF")), 20)
    assert pixels[10, 2, 0] == 128
    assert pixels[10, 18, 0] == 0


@pytest.mark.parametrize("transparent", [False, True])
def test_sixteen_bit_colour_png(tmp_path, transparent):
    rgb = np.asarray(painting()).astype(">u2") * 257
    raw = b"".join(b"\0" + row.tobytes() for row in rgb)
    header = struct.pack(">IIBBBBB", 48, 48, 16, 2, 0, 0, 0)
    chunks = [(b"tRNS", struct.pack(">HHH", 1, 2, 3))] if transparent else []
    pixels = read_image(put(tmp_path, png(header, raw, *chunks)), PX)
    # Pillow takes the upper byte, which is at most one level from the rounded value.
    assert difference(pixels, reference(painting())) < 1.5


def test_sixteen_bit_colour_and_alpha_png(tmp_path):
    rgba = np.full((20, 20, 4), (50, 100, 150, 255), np.uint16)
    rgba[:, 10:, 3] = 0
    raw = b"".join(b"\0" + row.tobytes() for row in (rgba * 257).astype(">u2"))
    header = struct.pack(">IIBBBBB", 20, 20, 16, 6, 0, 0, 0)
    pixels = read_image(put(tmp_path, png(header, raw)), 20)
    assert pixels[10, 3].tolist() == [50, 100, 150]
    assert pixels[10, 17].tolist() == [255, 255, 255]


def test_palette(tmp_path):
    palette = painting().quantize(64)
    pixels = read_image(put(tmp_path, encode(palette, "PNG")), PX)
    assert difference(pixels, reference(palette)) < 0.5
    assert difference(pixels, reference(painting())) < 8


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])])
def test_transparent_palette_over_white(tmp_path, transparency):
    image = Image.new("P", (40, 40), 1)
    image.putpalette([0, 0, 0, 200, 10, 20])
    image.paste(0, (0, 0, 20, 40))
    data = encode(image, "PNG", transparency=transparency)
    pixels = read_image(put(tmp_path, data), PX)
    assert pixels[16, 4].tolist() == [255, 255, 255]
    assert pixels[16, 28].tolist() == [200, 10, 20]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_alpha_over_white(tmp_path, kind):
    image = Image.new("RGBA", (40, 40), (200, 0, 100, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    image.paste((0, 0, 0, 128), (20, 0, 40, 20))
    pixels = read_image(put(tmp_path, encode(image, kind, lossless=True)), 40)
    assert pixels[6, 6].tolist() == [255, 255, 255]
    assert abs(int(pixels[6, 33, 0]) - 127) <= 1
    assert pixels[33, 33].tolist() == [200, 0, 100]


def test_grey_with_alpha_over_white(tmp_path):
    image = Image.new("LA", (40, 40), (90, 255))
    image.paste((0, 0), (0, 0, 20, 40))
    pixels = read_image(put(tmp_path, encode(image, "PNG")), PX)
    assert pixels[16, 4].tolist() == [255, 255, 255]
    assert pixels[16, 28].tolist() == [90, 90, 90]
