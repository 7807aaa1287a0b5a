"""Whatever a camera or archive writes becomes the same RGB square."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from melanoscope.errors import DataError
from melanoscope.imaging import decode
from melanoscope.imaging.decode import decode_image, image_dimensions, read_image, write_image

from .images import PX, difference, encode, painting, png, put, reference

# --- every format


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("MPO", {"quality": 95, "save_all": True, "append_images": [Image.new("RGB", (48, 48))]}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("BMP", {}),
    ],
)
def test_formats(tmp_path, kind, options):
    """Recognised by content; the name without a suffix helps nobody."""
    pixels = read_image(put(tmp_path, encode(painting(), kind, **options)), PX)
    assert pixels.shape == (PX, PX, 3)
    assert pixels.dtype == np.uint8
    assert difference(pixels, reference(painting())) < (3 if kind in ("JPEG", "MPO") else 0.5)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "MPO"])
def test_the_first_file_a_process_opens_may_be_of_any_format(tmp_path, kind):
    """Pillow loads its decoders one by one, as they are first needed."""
    path = put(tmp_path, encode(painting(), kind))
    code = (
        "import sys; from pathlib import Path; from melanoscope.imaging.decode import *; "
        "print(read_image(Path(sys.argv[1]), 8).shape)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert ran.stdout == "(8, 8, 3)\n", ran.stderr


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, kind, orientation):
    """HEIC and AVIF have a file of their own."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = put(tmp_path, encode(painting(56, 40), kind, exif=exif, quality=95))
    found = decode_image(path, PX)
    assert (found.width, found.height) == ((40, 56) if orientation > 4 else (56, 40))
    assert image_dimensions(path) == (found.width, found.height)
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
    pixels = read_image(path, PX)
    assert difference(pixels, reference(upright)) < 3
    if orientation > 1:
        assert difference(pixels, reference(painting(56, 40))) > 10


@pytest.mark.parametrize("kind", ["MPO", "PNG", "WEBP", "TIFF"])
def test_of_several_pictures_the_first_counts(tmp_path, kind):
    others = [Image.new("RGB", (48, 48), colour) for colour in ("red", "blue")]
    data = encode(painting(), kind, save_all=True, append_images=others, quality=95)
    assert difference(read_image(put(tmp_path, data), PX), reference(painting())) < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_path_a_name_and_the_content_are_the_same_photograph(tmp_path, kind):
    path = put(tmp_path, encode(painting(90, 70), kind))
    pixels = read_image(path, PX)
    for source in (path, str(path), path.read_bytes()):
        found = decode_image(source, PX)
        assert (found.pixels == pixels).all()
        assert (found.width, found.height) == (90, 70)


def test_the_size_of_a_large_jpeg_is_that_of_the_file(tmp_path):
    """Not of what it was decoded at."""
    found = decode_image(encode(painting(1601, 1203), "JPEG"), 32)
    assert (found.width, found.height) == (1601, 1203)


def test_a_nonsense_orientation_leaves_the_photograph_as_it_lies(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 77
    path = put(tmp_path, encode(painting(), "PNG", exif=exif))
    assert difference(read_image(path, PX), reference(painting())) < 0.5


def test_broken_exif_does_not_cost_the_photograph(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encode(painting(), "JPEG", exif=exif, quality=95)
    broken = data.replace(b"Exif\0\0MM", b"Exif\0\0xx").replace(b"Exif\0\0II", b"Exif\0\0xx")
    assert broken != data
    assert difference(read_image(put(tmp_path, broken), PX), reference(painting())) < 3


# --- every mode


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


# --- size and square


@pytest.mark.parametrize("size", [(100, 40), (40, 100), (41, 100), (7, 5), (1, 1), (1, 300)])
def test_the_square_is_the_centre(tmp_path, size):
    image = painting(*size)
    pixels = read_image(put(tmp_path, encode(image, "PNG")), PX)
    assert pixels.shape == (PX, PX, 3)
    assert difference(pixels, reference(image)) < 3


def test_nothing_is_squashed(tmp_path):
    """A disc stays a disc: asymmetry is a sign of melanoma."""
    x, y = np.meshgrid(np.arange(120), np.arange(60))
    disc = np.hypot(x - 59.5, y - 29.5) < 20
    image = Image.fromarray(np.where(disc, 0, 255).astype(np.uint8))
    dark = read_image(put(tmp_path, encode(image, "PNG")), 60)[..., 0] < 128
    assert dark.any(axis=0).sum() == dark.any(axis=1).sum() == 40


def test_scaled_decoding_is_close_to_full_decoding(tmp_path):
    """Of structure finer than the wanted pixels too, which careless shrinking turns into moire."""
    rng = np.random.default_rng(1)
    pixels = np.asarray(painting(1600, 1200)).astype(float)
    pixels += rng.normal(0, 12, (1200, 1600, 1)) + 25 * (np.arange(1600) // 3 % 2)[None, :, None]
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    path = put(tmp_path, encode(image, "JPEG", quality=90))
    with Image.open(path) as full:
        full.load()
        exact = np.asarray(decode._square(full, 128))
    with Image.open(path) as scaled:
        scaled.draft(None, (256, 256))
        assert scaled.size == (400, 300)
    assert difference(read_image(path, 128), exact) < 1.0


# --- writing


def test_what_is_written_is_read(tmp_path):
    pixels = np.asarray(painting(40, 40))
    write_image(tmp_path / "a.jpg", pixels, quality=95)
    assert difference(read_image(tmp_path / "a.jpg", 40), pixels) < 3
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_failed_writing_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    write_image(path, np.asarray(painting(40, 40)))
    before = path.read_bytes()

    def half(file, _content):
        with file.open("wb") as opened:
            opened.write(before[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        write_image(path, np.asarray(painting(30, 30)))
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_unreadable_is_a_data_error(tmp_path):
    """What catches the room's errors catches this one too."""
    with pytest.raises(DataError, match="replace the file"):
        read_image(tmp_path / "gone.png", PX)
