"""A photograph is refused by what its decoding takes, before anything is reserved for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from melanoscope.imaging import content as contents
from melanoscope.imaging.content import MAX_PIXELS, read_content
from melanoscope.imaging.decode import decode_image, image_dimensions
from melanoscope.imaging.memory_limits import BUDGET_PER_PIXEL, max_file_bytes, need_of_webp
from melanoscope.imaging.open_image import TooManyPixelsError, UnreadableImageError
from tests.broken_photographs.bombs import webp_of_one_color

from .images import encode, painting, png, put

# The child decodes a small file first, so that libraries are loaded, and then says by how much the
# most memory it ever had exceeds what it has now.
_CHILD = """
import sys
from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.open_image import UnreadableImageError
def memory(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))
small, *files = sys.argv[1:]
decode_image(small, 32)
for path in files:
    before = memory("VmRSS")
    open("/proc/self/clear_refs", "w").write("5")
    try:
        decode_image(path, 32)
        what = "read"
    except UnreadableImageError as error:
        what = "refused"
    print(what, memory("VmHWM") - before)
"""


def peaks(*files: Path) -> list[tuple[str, int]]:
    """Return what became of files in a process of its own, and the bytes that each took."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("peaks of memory are read from Linux' /proc")
    small = put(files[0].parent, encode(painting(8, 8), "PNG"), "small.png")
    words = [sys.executable, "-c", _CHILD, str(small), *map(str, files)]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    return [(what, int(size)) for what, _, size in (line.partition(" ") for line in told)]


def test_bombs_take_no_memory(tmp_path):
    """46 bytes took 2.2 GiB; a sparse file takes no room on the disk and any in memory."""
    bomb = put(tmp_path, webp_of_one_color(9_000, 1), "bomb.webp")
    assert bomb.stat().st_size < 100
    sparse = put(tmp_path, encode(painting(), "JPEG")[:200], "sparse.jpg")
    os.truncate(sparse, 3 * 2**30)
    boxes = put(tmp_path, b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", "sparse.avif")
    os.truncate(boxes, 3 * 2**30)
    for what, size in peaks(bomb, sparse, boxes):
        assert what == "refused"
        assert size < 8 * 2**20


def test_what_is_let_in_takes_no_more_than_was_said(tmp_path):
    """Three million pixels each; benchmarks/decoder_memory.py measures every format."""
    width, height = 2000, 1500
    rows = np.arange(height)[:, None] // 8 + np.arange(width) // 8
    image = Image.fromarray(np.stack([rows % 251, rows % 241, rows % 239], -1).astype(np.uint8))
    clear = image.convert("RGBA")
    clear.putalpha(200)
    files = {
        "progressive.jpg": (encode(image, "JPEG", progressive=True, subsampling=0), 11),
        "alpha.png": (encode(clear, "PNG", compress_level=1), 12),
        "lossless.webp": (encode(image, "WEBP", lossless=True, method=0, quality=0), 20),
    }
    paths = [put(tmp_path, content, name) for name, (content, _) in files.items()]
    for (name, (content, each)), (what, size) in zip(files.items(), peaks(*paths), strict=True):
        assert what == "read"
        assert size < width * height * each + len(content) + 20 * 2**20, name
        assert size > width * height * each / 4, name  # or the limit says nothing


def test_a_large_photograph_is_let_in(tmp_path):
    """24 megapixels of a camera, as JPEG: draft mode decodes a sixteenth of them."""
    path = put(tmp_path, encode(Image.new("RGB", (6000, 4000), "tan"), "JPEG"), "large.jpg")
    decoded = decode_image(path, 32)
    assert (decoded.width, decoded.height) == (6000, 4000)


@pytest.mark.parametrize(
    ("kind", "mode", "side", "is_let_in"),
    [
        ("WEBP", "RGB", 600, True),
        ("WEBP", "RGB", 700, False),  # 20 bytes a pixel
        ("PNG", "RGB", 990, True),
        ("PNG", "RGBA", 800, True),
        ("PNG", "RGBA", 850, False),  # 12
        ("JPEG", "RGB", 990, True),
        ("TIFF", "RGB", 900, False),  # 11
        ("BMP", "RGB", 990, True),
    ],
)
def test_pixels_count_as_often_as_they_take_room(kind, mode, side, is_let_in):
    content = encode(Image.new(mode, (side, side)), kind)
    if is_let_in:
        assert decode_image(content, 16, max_pixels=1_000_000).width == side
        return
    with pytest.raises(TooManyPixelsError, match="MB to decode") as caught:
        decode_image(content, 16, max_pixels=1_000_000)
    assert caught.value.pixels > 1_000_000 > side * side
    assert f"{side} x {side}" in caught.value.size


def test_the_size_of_a_webp_is_read_from_its_head():
    for options in ({}, {"lossless": True}, {"exif": Image.Exif().tobytes() + b"II*\0\x08\0\0\0"}):
        content = encode(painting(37, 21), "WEBP", **options)
        need = need_of_webp(content)
        assert need is not None
        assert (need.width, need.height) == (37, 21)
    assert need_of_webp(b"RIFF\0\0\0\0WEBPVP8 ") is None
    large = need_of_webp(webp_of_one_color(9_000, 0))
    assert large is not None
    assert large.pixels > MAX_PIXELS
    assert large.bytes > MAX_PIXELS * BUDGET_PER_PIXEL


def test_long_files_are_not_read(tmp_path):
    path = put(tmp_path, png(b"")[:8])
    os.truncate(path, max_file_bytes(MAX_PIXELS) + 1)
    for read in (read_content, image_dimensions, lambda p: decode_image(p, 16)):
        with pytest.raises(UnreadableImageError, match="bytes"):
            read(path)
    whole = encode(painting(), "PNG")
    assert read_content(put(tmp_path, whole, "whole.png")) == whole
    with pytest.raises(UnreadableImageError, match="no file"):
        read_content(tmp_path / "nowhere.png")


def test_a_file_that_grows_while_it_is_read(tmp_path, monkeypatch):
    """Its length is asked for, and then it is another."""
    path = put(tmp_path, b"x" * 5_000_000)
    monkeypatch.setattr(contents, "max_file_bytes", lambda _pixels: 2_000_000)
    real = contents.refuse_long
    monkeypatch.setattr(
        contents, "refuse_long", lambda source, most: isinstance(source, Path) or real(source, most)
    )
    with pytest.raises(UnreadableImageError, match="bytes"):
        contents.read_bounded(path, 1)
