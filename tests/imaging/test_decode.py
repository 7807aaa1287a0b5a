"""Whatever a camera or archive writes becomes the same RGB square."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from melanoscope.errors import DataError
from melanoscope.imaging import decode
from melanoscope.imaging.decode import decode_image, image_dimensions, read_image, write_image

from .images import PX, difference, encode, painting, put, reference

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
