"""Torn files are found in every format; what only looks torn is read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image, features

from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.integrity import whole_content
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.imaging.tiff_tags import tiff_tags
from melanoscope.imaging.torn_jpeg import mended_jpeg

from .images import encode, painting

FEW = settings(max_examples=25, database=None, suppress_health_check=[HealthCheck.too_slow])
PX = 24


def skin(width: int = 90, height: int = 70) -> Image.Image:
    """Nowhere black and nowhere smooth, as photographs are."""
    noise = np.random.default_rng(0).normal(0, 12, (height, width, 3))
    pixels = np.asarray(painting(width, height)) + noise
    return Image.fromarray(np.clip(pixels, 1, 255).astype(np.uint8))


def with_black_below(image: Image.Image, from_row: int) -> Image.Image:
    pixels = np.array(image)
    pixels[from_row:] = 0
    return Image.fromarray(pixels)


OPTIONS: dict[str, tuple[str, dict]] = {
    "JPEG": ("JPEG", {"quality": 85}),
    "JPEG, own tables": ("JPEG", {"quality": 85, "optimize": True}),
    "JPEG, progressive": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {"quality": 80}),
    "WebP, lossless": ("WEBP", {"lossless": True}),
    "TIFF": ("TIFF", {}),
    "TIFF, LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF, deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "TIFF, PackBits": ("TIFF", {"compression": "packbits"}),
    "TIFF, JPEG": ("TIFF", {"compression": "jpeg"}),
    "BMP": ("BMP", {}),
}
if features.check("avif"):
    OPTIONS["AVIF"] = ("AVIF", {})
try:
    import pillow_heif

    pillow_heif.register_heif_opener()
    OPTIONS["HEIC"] = ("HEIF", {})
except ImportError:
    pass
FILES = {name: encode(skin(), kind, **options) for name, (kind, options) in OPTIONS.items()}
RAW = ("TIFF", "BMP")


def pixels_or_none(data: bytes) -> np.ndarray | None:
    try:
        return decode_image(data, PX).pixels
    except UnreadableImageError:
        return None


WHOLE = {name: decode_image(data, PX).pixels for name, data in FILES.items()}


@pytest.mark.parametrize("name", FILES)
@FEW
@given(st.data())
def test_cut_off_anywhere(name, data):
    """Refused, or nothing of the picture is missing."""
    size = len(FILES[name])
    length = data.draw(st.integers(size - 12, size - 1) | st.integers(0, size - 1))
    found = pixels_or_none(FILES[name][:length])
    assert found is None or (found == WHOLE[name]).all()


@pytest.mark.parametrize("name", [name for name in FILES if name not in RAW])
@FEW
@given(st.data())
def test_zeros_from_anywhere_on(name, data):
    """Of the last bytes, some formats cannot tell; what of a WebP's is measured by a benchmark."""
    size, last = len(FILES[name]), 150 if name.startswith("WebP") else 9
    begin = data.draw(st.integers(max(0, size - 300), size - last) | st.integers(0, size - last))
    found = pixels_or_none(FILES[name][:begin] + bytes(size - begin))
    assert found is None or (found == WHOLE[name]).all()


@pytest.mark.parametrize("name", RAW)
@FEW
@given(st.integers(0, 67), st.integers(3, 87))
def test_zeros_from_within_a_row_on(name, row, column):
    """Black rows are a picture's own right; a row that stops with black below is not."""
    file, (start, stride) = FILES[name], {"TIFF": (None, 270), "BMP": (54, 272)}[name]
    if start is None:
        (start,) = next(tag for tag in tiff_tags(file) if tag.name == 273).values(file)[:1]
    begin = start + row * stride + 3 * column
    torn = file[:begin] + bytes(start + 70 * stride - begin) + file[start + 70 * stride :]
    assert len(torn) == len(file)
    assert pixels_or_none(torn) is None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("tail", [b"\0" * 5000, b"\xff" * 100, b"SEFT" + bytes(40)])
def test_bytes_behind_the_end(name, tail):
    """As Samsung's and Apple's phones, and programs that fill up blocks, leave them."""
    if name in ("HEIC", "AVIF") and tail[:4] != b"\0" * 4:
        tail = struct.pack(">I4s", 8 + len(tail), b"free") + tail
    found = pixels_or_none(FILES[name] + tail)
    assert found is not None
    assert (found == WHOLE[name]).all()


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("from_row", [0, 1, 35, 69])
@pytest.mark.parametrize("quality", [30, 90])
def test_black_below_is_no_tear(name, from_row, quality):
    kind, options = OPTIONS[name]
    image = with_black_below(skin().resize((300, 70)), from_row)
    if kind not in ("TIFF", "BMP", "PNG"):
        options = options | {"quality": quality}
    assert pixels_or_none(encode(image, kind, **options)) is not None


@pytest.mark.parametrize("quality", [10, 60, 95])
@pytest.mark.parametrize("method", [0, 4, 6])
def test_the_zeros_that_webp_codes_black_with(quality, method):
    """Up to thousands of them at the end of a whole file."""
    image = with_black_below(skin(640, 480), 240)
    data = encode(image, "WEBP", quality=quality, method=method)
    assert data.endswith(bytes(9)) or quality < 95
    assert pixels_or_none(data) is not None
    assert pixels_or_none(data[: len(data) // 2] + bytes(len(data) - len(data) // 2)) is None


@pytest.mark.parametrize("name", RAW)
@pytest.mark.parametrize("angle", [0.5, 3, 45])
def test_black_corners_and_masks(name, angle):
    image = skin(300, 200).rotate(angle, expand=angle > 1)
    assert pixels_or_none(encode(image, name)) is not None
    y, x = np.mgrid[:200, :300]
    inside = (x - 150) ** 2 + (y - 100) ** 2 < 80**2
    masked = Image.fromarray(np.asarray(skin(300, 200)) * inside[..., None].astype("u1"))
    assert pixels_or_none(encode(masked, name)) is not None


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "LAB"])
@pytest.mark.parametrize("name", [n for n in OPTIONS if n.startswith("TIFF")] + ["BMP"])
def test_every_kind_of_pixel(name, mode):
    kind, options = OPTIONS[name]
    grey = np.asarray(skin().convert("L"))
    image = {
        "I;16": lambda: Image.fromarray(grey.astype(np.uint16) * 257),
        "F": lambda: Image.fromarray(grey.astype(np.float32)),
        "LAB": lambda: Image.merge("LAB", skin().split()),
    }.get(mode, lambda: skin().convert(mode))()
    try:
        data = encode(image, kind, **options)
    except (OSError, KeyError, SystemError):
        pytest.skip("Pillow does not write it")
    assert whole_content(kind, data, 10**6) is data


# --- JPEG


def pixels_of(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


@settings(FEW, max_examples=60)
@given(st.integers(0, 60))
@example(1)
@example(2)
def test_a_jpeg_without_its_end_marker(n):
    """Its picture is whole or it is refused, to the last bit of the last block."""
    for name in ("JPEG", "JPEG, own tables"):
        data = FILES[name]
        cut = data[: len(data) - n]
        for torn in (cut, cut + bytes(n), cut + bytes(4096)):
            mended = mended_jpeg(torn, 10**6)
            assert (mended is not None) or n > 2
            if mended is not None:
                assert pixels_of(mended) == pixels_of(data)
    assert mended_jpeg(FILES["JPEG, progressive"][:-2], 10**6) is None


def test_a_jpeg_in_a_jpeg():
    """A second picture behind the first one (MPO), or a preview before it, is not looked at."""
    first, second = (encode(skin(), "JPEG", quality=q) for q in (85, 40))
    data = encode(skin(), "MPO", save_all=True, append_images=[skin().convert("L")])
    assert pixels_or_none(data[:-100] + bytes(100)) is not None
    exif = b"\xff\xe1" + struct.pack(">H", 2 + len(second)) + second
    whole = first[:2] + exif + first[2:]
    assert (decode_image(whole, PX).pixels == decode_image(first, PX).pixels).all()
    for cut in (3, 50, len(first) // 2):
        assert pixels_or_none(whole[:-cut]) is None
        assert pixels_or_none(whole[:-cut] + bytes(cut)) is None


@pytest.mark.parametrize("optimize", [False, True])
def test_a_hole_in_a_jpeg(optimize):
    """What a sparse copy leaves out; black has zeros of its own."""
    image = with_black_below(skin(900, 700), 400)
    data = encode(image, "JPEG", quality=90, optimize=optimize)
    assert pixels_or_none(data) is not None
    assert bytes(64) in encode(Image.new("L", (2000, 2000)), "JPEG", optimize=True)
    assert pixels_or_none(encode(Image.new("L", (2000, 2000)), "JPEG", optimize=True)) is not None
    assert pixels_or_none(data[:9000] + bytes(4096) + data[13096:]) is None


# --- TIFF


def with_its_directory_first(data: bytes) -> bytes:
    """Move the directory of a TIFF to its head, as many programs write it."""
    place = struct.unpack_from("<I", data, 4)[0]
    tail = data[place:]
    moved, shift = bytearray(tail), 8 - place
    (n,) = struct.unpack_from("<H", tail)
    for at in range(2, 2 + 12 * n, 12):
        name, kind, count = struct.unpack_from("<HHI", tail, at)
        size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}[kind] * count
        value = at + 8
        if size > 4:
            value = struct.unpack_from("<I", tail, at + 8)[0] - place
            struct.pack_into("<I", moved, at + 8, value + 8)
        if name == 273:
            strips = struct.unpack_from(f"<{count}I", tail, value)
            new = [strip + len(tail) for strip in strips]
            struct.pack_into(f"<{count}I", moved, value, *new)
    assert shift < 0
    return data[:4] + struct.pack("<I", 8) + bytes(moved) + data[8:place]


@pytest.mark.parametrize("name", ["TIFF, LZW", "TIFF, deflate", "TIFF, PackBits", "TIFF, JPEG"])
@FEW
@given(st.data())
def test_strips_at_the_end_of_the_file(name, data):
    file = with_its_directory_first(FILES[name])
    assert (decode_image(file, PX).pixels == WHOLE[name]).all()
    size = len(file)
    begin = data.draw(st.integers(size - 400, size - 9) | st.integers(300, size - 9))
    for torn in (file[:begin], file[:begin] + bytes(size - begin)):
        found = pixels_or_none(torn)
        assert found is None or (found == WHOLE[name]).all()


@settings(FEW, max_examples=200)
@given(st.binary(max_size=120), st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF"]))
def test_looking_never_fails(noise, kind):
    head = {
        "JPEG": b"\xff\xd8\xff",
        "PNG": b"\x89PNG\r\n\x1a\n",
        "WEBP": b"RIFF\x40\0\0\0WEBPVP8 ",
        "BMP": b"BM",
        "TIFF": b"II*\0",
    }[kind]
    content = head + noise
    assert whole_content(kind, content, 10**6) in (None, content) or kind == "JPEG"


HOLED = {
    "JPEG": {"quality": 95},
    "JPEG ": {"quality": 95, "progressive": True},
    "JPEG  ": {"quality": 95, "restart_marker_blocks": 8},
    "TIFF": {},
    "TIFF ": {"compression": "tiff_lzw"},
    "WEBP": {"lossless": True},
    "BMP": {},
}


@pytest.mark.parametrize("name", HOLED)
@pytest.mark.parametrize("pages", [(1, 2), (2, 5)])
def test_pages_that_a_sparse_copy_left_out(name, pages):
    file = encode(skin(260, 200), name.strip(), **HOLED[name])
    begin, end = (4096 * page for page in pages)
    assert len(file) > end
    assert pixels_or_none(file[:begin] + bytes(end - begin) + file[end:]) is None
    assert pixels_or_none(file) is not None


def test_a_black_field_amid_a_picture_is_no_hole():
    pixels = np.array(skin(4096, 12).convert("L"))
    pixels[3:7, 10:] = 0
    for kind in ("BMP", "TIFF"):
        assert pixels_or_none(encode(Image.fromarray(pixels), kind)) is not None
