"""A file is what its first bytes say."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.file_type import HEAD, detect_file_type
from melanoscope.imaging.open_image import UnreadableImageError

from .images import encode, painting, put


def ftyp(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + b"\0\0\0\0" + b"".join(brands[1:])
    return struct.pack(">I", len(body) + 4) + body + b"\0\0\0\x08mdat"


FILMS = {
    "mp4": ftyp(b"isom", b"iso2", b"avc1", b"mp41"),
    "iphone": ftyp(b"qt  ", b"qt  "),
    "android": ftyp(b"mp42", b"isom", b"mp42"),
    "3gp": ftyp(b"3gp5", b"isom"),
    "old quicktime": b"\0\0\0\x08wide\0\0\0\0mdat",
    "older quicktime": b"\0\1\2\3moov\0\0\0\x6cmvhd",
    "avi": b"RIFF\0\0\1\0AVI LIST",
    "webm": b"\x1aE\xdf\xa3\x01\0\0\0\0\0\0\x1fB\x86\x81\x01",
    "mpeg": b"\0\0\1\xba\x44\0",
    "transport": (b"G" + b"\1" * 187) * 3,
    "wmv": b"0&\xb2u\x8ef\xcf\x11\xa6\xd9",
    "flash": b"FLV\x01\x05\0",
    "ogg": b"OggS\0\2",
}


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_named_one(tmp_path, name):
    """Whatever its file is called."""
    path = put(tmp_path, FILMS[name] + b"\0" * 300, "lesion.jpg")
    for source in (path, str(path), path.read_bytes()):
        with pytest.raises(UnreadableImageError, match="found a video; take one sharp photograph"):
            decode_image(source, 8)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_photographs(kind):
    assert detect_file_type(encode(painting(), kind)[:HEAD]) == kind


def test_dicom_is_known_behind_its_preamble():
    assert detect_file_type(bytes(128) + b"DICM" + bytes(60)) == "DICOM"
    assert detect_file_type(b"II*\0" + bytes(124) + b"DICM") == "TIFF"
    assert detect_file_type(bytes(127) + b"DICM" + bytes(60)) is None


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        ((b"heic", b"mif1", b"heic"), "HEIF"),
        ((b"mif1", b"mif1", b"heic", b"MiHB"), "HEIF"),
        ((b"msf1", b"hevc"), "HEIF"),
        ((b"heix",), "HEIF"),
        ((b"avif", b"mif1", b"miaf"), "AVIF"),
        ((b"mif1", b"avif", b"miaf"), "AVIF"),
        ((b"isom",), "video"),
        ((b"isom", *(b"mp42",) * 60), "video"),
    ],
)
def test_brands(brands, kind):
    assert detect_file_type(ftyp(*brands)[:HEAD]) == kind


@given(st.binary(max_size=HEAD))
def test_any_bytes(head):
    kinds = {"JPEG", "PNG", "WEBP", "TIFF", "BMP", "HEIF", "AVIF", "video", None}
    assert detect_file_type(head) in kinds
    assert detect_file_type(b"\0\0\0\x14ftyp" + head) in {"HEIF", "AVIF", "video"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(UnreadableImageError, match="no ordinary file"):
        decode_image(tmp_path / "pipe.jpg", 8)
