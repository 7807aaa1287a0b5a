"""Files that would keep a decoder busy are refused before it sees them; ordinary ones never are."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from melanoscope.imaging import decoder_limits
from melanoscope.imaging.decoder_limits import exceeds_decoder_limits
from melanoscope.imaging.file_type import detect_file_type
from melanoscope.imaging.open_image import UnreadableImageError, open_image

from .images import encode, painting, png, put


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def parts(count: int, side: int = 64) -> bytes:
    """A sequential JPEG of two components, the first of which comes again and again."""
    blocks = (side // 8) ** 2
    start = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    start += segment(0xC0, struct.pack(">BHHB", 8, side, side, 2) + b"\1\x11\0\2\x11\0")
    start += segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")
    start += segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
    scan = segment(0xDA, b"\1\1\0\0\x3f\0") + b"\0" * (blocks // 4)
    return start + scan * count + b"\xff\xd9"


def scans(count: int, side: int = 4000) -> bytes:
    """A grey progressive JPEG of many scans, each of which says in 40 bytes: nothing changes."""
    blocks = (side // 8) ** 2
    start = b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64)
    start += segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0")
    start += segment(0xC4, b"\0" + bytes([1] + [0] * 15) + b"\0")  # DC: one symbol
    start += segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\xe0")  # AC: a run of ends
    start += segment(0xDA, b"\1\1\0\0\0\0") + b"\0" * (blocks // 8)
    bits = ("0" + "1" * 14) * -(-blocks // 32767)
    bits += "1" * (-len(bits) % 8)
    run = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    return start + (segment(0xDA, b"\1\1\0\1\x3f\0") + run) * count + b"\xff\xd9"


def strips(count: int) -> bytes:
    """A TIFF of so many strips, all of them the same one."""
    entries = [(256, 1, 64), (257, 1, count), (258, 1, 8), (259, 1, 1), (262, 1, 1)]
    at = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(273, count, at), (279, count, at + 4 * count)]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    head += b"".join(struct.pack("<HHII", tag, 4, n, value) for tag, n, value in entries)
    return head + b"\0" * 4 + struct.pack("<I", at) * count + struct.pack("<I", 64) * count


def chunks(count: int) -> bytes:
    nothing = struct.pack(">I", 0) + b"abCd" + struct.pack(">I", zlib.crc32(b"abCd"))
    whole = encode(painting(8, 8), "PNG")
    return whole[:33] + nothing * count + whole[33:]


def coded_rows(count: int) -> bytes:
    flat = encode(painting(8, 8).quantize(16), "BMP")
    return flat[:30] + struct.pack("<I", 1) + flat[34:] + b"\0\2\0\0" * count


WHOLE = encode(painting(64, 64), "JPEG")
FLOODS = {
    "scans": (scans(2000), "more than 100 scans"),
    "parts": (parts(2000), "more than 100 scans"),
    "segments": (WHOLE[:2] + b"\xff\xfe\0\2" * 500_000 + WHOLE[2:], "more than 2000 segments"),
    "filled": (WHOLE[:2] + b"\xff\xff\xfe\0\2" * 3000 + WHOLE[2:], "more than 2000 segments"),
    "chunks": (chunks(500_000), "more than 20000 chunks"),
    "strips": (strips(500_000), "more than 65536 strips"),
    "rows": (coded_rows(500_000), "rows in run-length code"),
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_refused_at_once(tmp_path, name):
    content, reason = FLOODS[name]
    for source in (content, put(tmp_path, content)):
        started = time.process_time()
        with (
            pytest.raises(UnreadableImageError, match=reason),
            open_image(source, max_pixels=100_000_000) as image,
        ):
            image.load()
        assert time.process_time() - started < 0.5


def test_the_scans_are_such_as_a_decoder_obeys():
    """Otherwise the test above would hold for any garbage."""
    with Image.open(io.BytesIO(scans(3, 400))) as image:
        image.load()
        assert image.info["progressive"]


def test_a_sequential_picture_has_one_scan_of_all_components():
    """So that nobody has to look for more of them: the decoder refuses a second one."""
    whole = encode(painting(64, 64), "JPEG")
    twice = whole[:-2] + whole[whole.index(b"\xff\xda") :]
    assert exceeds_decoder_limits("JPEG", twice) is None
    with Image.open(io.BytesIO(twice)) as image, pytest.raises(OSError, match="broken"):
        image.load()


def ordinary() -> dict[str, bytes]:
    noise = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
    picture = Image.fromarray(noise)
    profile = bytes(range(256)) * 1000  # four segments of it; 0xFF 0xDA is in there
    return {
        "JPEG": encode(picture, "JPEG", quality=100, icc_profile=profile * 8),
        "progressive": encode(picture, "JPEG", quality=100, progressive=True),
        "restarts": encode(picture, "JPEG", restart_marker_blocks=1),
        "several": encode(picture, "MPO", save_all=True, append_images=[picture] * 40),
        "PNG": encode(picture, "PNG"),
        "TIFF": encode(picture, "TIFF", strip_size=900 * 3),
        "big TIFF": encode(picture, "TIFF", big_tiff=True),
        "LZW": encode(picture, "TIFF", compression="tiff_lzw"),
        "BMP": encode(picture, "BMP"),
        "WEBP": encode(picture, "WEBP"),
    }


@pytest.mark.parametrize("name", ordinary())
def test_ordinary_files_are_let_in(name):
    content = ordinary()[name]
    assert exceeds_decoder_limits(detect_file_type(content), content) is None


def test_strips_of_a_big_tiff_are_counted():
    content = encode(painting(64, 64), "TIFF", big_tiff=True)
    (at,) = (
        at for kind in (3, 4, 16) if (at := content.find(struct.pack("<HHQ", 273, kind, 1))) > 0
    )
    many = content[: at + 4] + struct.pack("<Q", 70_000) + content[at + 12 :]
    assert exceeds_decoder_limits("TIFF", content) is None
    assert exceeds_decoder_limits("TIFF", many) == "more than 65536 strips"


@given(st.sampled_from(["JPEG", "PNG", "TIFF", "BMP", "WEBP"]), st.binary(max_size=300))
def test_whatever_comes_it_says_something_or_nothing(kind, content):
    heads = {"JPEG": b"\xff\xd8", "PNG": png(b"", b"")[:8], "TIFF": b"MM\0*", "BMP": b"BM"}
    exceeds_decoder_limits(kind, heads.get(kind, b"") + content)


@pytest.mark.real
def test_real_photographs_are_let_in(real_folder):
    paths = sorted((real_folder / "lesions").rglob("*.jpg"))
    assert paths
    assert [path for path in paths if exceeds_decoder_limits("JPEG", path.read_bytes())] == []


@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_counted_may_be_chance(progressive):
    """In a profile 0xFF 0xDA is no scan."""
    profile = b"\xff\xda" * 500
    content = encode(painting(64, 64), "JPEG", icc_profile=profile, progressive=progressive)
    assert content.count(b"\xff\xda") > decoder_limits.MAX_SCANS
    assert exceeds_decoder_limits("JPEG", content) is None
