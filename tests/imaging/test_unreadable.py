"""What is no whole photograph is refused with a reason, and with nothing but that."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from melanoscope.imaging import decode
from melanoscope.imaging.decode import decode_image, read_image, why_unreadable
from melanoscope.imaging.open_image import UnreadableImageError

from .images import PX, encode, painting, png, put

# Pillow says of some broken files what is wrong before it refuses or repairs them.
pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning"
)


def reason_of(path: Path) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        read_image(path, PX)
    assert caught.value.path == path
    assert why_unreadable(path) == caught.value.reason
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return caught.value.reason


# --- what is no photograph


def test_empty_absent_folder_text(tmp_path):
    assert reason_of(put(tmp_path, b"")) == "an empty file"
    assert reason_of(tmp_path / "nowhere.jpg") == "no file"
    assert reason_of(tmp_path / "no" / "where.jpg") == "no file"
    assert reason_of(tmp_path) == "a folder"
    text = put(tmp_path, b"my lesion, by hand", "a.jpg")
    assert reason_of(text) == "no image of these formats"
    assert reason_of(put(tmp_path, b"x", "file") / "below.jpg") == "no file"


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (b"<html>404 Not Found</html>", "a web page", "not the page that shows it"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git-lfs", "git lfs pull"),
        (b"PK\x03\x04" + bytes(200), "a zip archive", "replace the file"),
        (b"%PDF-1.7", "a PDF", "replace the file"),
        (bytes(4000), "zeros", "copy or download"),
    ],
)
def test_what_lies_there_instead_is_named(tmp_path, content, what, mend):
    path = put(tmp_path, content, "a.jpg")
    assert reason_of(path).startswith("no image of these formats: ")
    with pytest.raises(UnreadableImageError, match=mend) as caught:
        decode_image(path, 8)
    assert what in caught.value.reason


def test_other_image_formats_are_refused(tmp_path):
    for kind in ("GIF", "PPM", "ICO"):
        path = put(tmp_path, encode(painting(), kind), "a.jpg")
        assert reason_of(path) == "no image of these formats"


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(decode.Image, "open", refuse)
    path = put(tmp_path, encode(painting(), "PNG"))
    assert reason_of(path) == "no permission to read"


@pytest.mark.parametrize("fill", [b"", b"\0", b"\xff"])
@pytest.mark.parametrize("progressive", [False, True])
def test_an_interrupted_download(tmp_path, fill, progressive):
    """Cut off, or at its full length with nothing in its second half."""
    data = encode(painting(300, 200), "JPEG", quality=95, progressive=progressive)
    half = len(data) // 2
    path = put(tmp_path, data[:half] + fill * (len(data) - half))
    assert "truncated" in reason_of(path)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP"])
def test_half_a_file(tmp_path, kind):
    data = encode(painting(64, 64), kind)
    assert "truncated" in reason_of(put(tmp_path, data[: len(data) // 2]))


@pytest.mark.parametrize("side", [9_500, 30_000])
def test_a_decompression_bomb(tmp_path, side):
    """A few kilobytes that would become 90 or 900 million pixels."""
    row = zlib.compressobj(9)
    line = b"\0" * (side // 8 + 2)
    raw = b"".join(row.compress(line) for _ in range(side)) + row.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    bomb = png(header, packed=raw)
    assert len(bomb) < 200_000
    assert "decompression bomb" in reason_of(put(tmp_path, bomb))


# --- fuzz


def small_files() -> dict[str, bytes]:
    """One small valid file of each format and kind of pixel."""
    rgb = painting(17, 12)
    palette = rgb.quantize(16)
    deep = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "lesion"
    return {
        "JPEG": encode(rgb, "JPEG", exif=exif),
        "progressive": encode(rgb, "JPEG", progressive=True),
        "CMYK": encode(rgb.convert("CMYK"), "JPEG"),
        "MPO": encode(rgb, "MPO", save_all=True, append_images=[rgb]),
        "PNG": encode(rgb, "PNG", exif=exif),
        "palette": encode(palette, "PNG", transparency=bytes(range(16))),
        "16 bit": encode(deep, "PNG"),
        "alpha": encode(rgb.convert("LA"), "PNG"),
        "WEBP": encode(rgb, "WEBP", exif=exif.tobytes()),
        "TIFF": encode(rgb, "TIFF"),
        "LZW": encode(rgb, "TIFF", compression="tiff_lzw"),
        "16 bit TIFF": encode(deep, "TIFF"),
        "BMP": encode(rgb, "BMP"),
        "palette BMP": encode(palette, "BMP"),
    }


FILES = small_files()
# Broken TIFF can name millions of pixels, up to `MAX_PIXELS`; what that costs is not the point.
FEW = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


def read_or_refuse(path: Path) -> np.ndarray | None:
    try:
        pixels = read_image(path, 8)
    except UnreadableImageError:
        return None
    assert pixels.shape == (8, 8, 3)
    assert pixels.dtype == np.uint8
    return pixels


@pytest.fixture
def small_limit(monkeypatch):
    """Refuse what a flipped byte blows up before it costs a second."""
    monkeypatch.setattr(decode, "MAX_PIXELS", 10_000_000)


@pytest.mark.parametrize("name", FILES)
@FEW
@given(st.data())
def test_flipped_bytes(tmp_path, small_limit, name, data):
    broken = bytearray(FILES[name])
    # Headers are where decoders trip; the first bytes get half of the changes.
    head = st.integers(0, min(150, len(broken) - 1))
    anywhere = st.integers(0, len(broken) - 1)
    for place in data.draw(st.lists(head | anywhere, min_size=1, max_size=6)):
        broken[place] = data.draw(st.integers(0, 255))
    read_or_refuse(put(tmp_path, bytes(broken)))


@settings(FEW, max_examples=150)
@given(
    st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"BM"]
    ),
    st.binary(max_size=200),
)
def test_random_bytes(tmp_path, small_limit, magic, noise):
    read_or_refuse(put(tmp_path, magic + noise))


@pytest.mark.parametrize("name", ["JPEG", "progressive", "PNG", "16 bit", "WEBP", "BMP", "TIFF"])
@FEW
@given(st.data())
def test_any_truncation_is_refused_or_decodes_whole(tmp_path, name, data):
    """Never half a lesion on grey, which a network would learn from without a word."""
    whole = read_or_refuse(put(tmp_path, FILES[name]))
    length = data.draw(st.integers(0, len(FILES[name]) - 1))
    pixels = read_or_refuse(put(tmp_path, FILES[name][:length]))
    assert pixels is None or (pixels == whole).all()
