"""HEIC and AVIF: turned once, whole, in the right colours, and refused where their decoders lie."""

from __future__ import annotations

import io
import struct
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, features

from melanoscope.imaging import heif
from melanoscope.imaging.decode import decode_image, image_dimensions, read_image
from melanoscope.imaging.open_image import UnreadableImageError

from . import icc
from .images import PX, difference, encode, painting, put, reference

pillow_heif = pytest.importorskip("pillow_heif")
pillow_heif.register_heif_opener()
if not features.check("avif"):
    pytest.skip("this Pillow reads no AVIF", allow_module_level=True)

P3 = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve(), "Display P3")
KINDS = pytest.mark.parametrize("kind", ["HEIF", "AVIF"])


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


def reason_of(data: bytes) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(data, PX)
    assert "\n" not in str(caught.value)
    return caught.value.reason


# --- reading


@KINDS
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_reading(tmp_path, kind, mode):
    image = painting(80, 64).convert(mode)
    path = put(tmp_path, encode(image, kind, quality=95))
    found = decode_image(path, PX)
    assert difference(found.pixels, reference(image)) < 3
    assert (found.width, found.height) == image_dimensions(path) == (80, 64)
    assert (read_image(path, PX) == found.pixels).all()


@KINDS
def test_alpha_over_white(kind):
    image = Image.new("RGBA", (64, 64), (200, 0, 100, 255))
    image.paste((0, 0, 0, 0), (0, 0, 32, 64))
    pixels = decode_image(encode(image, kind, quality=95), 64).pixels
    assert pixels[32, 8].min() > 250
    assert np.abs(pixels[32, 56].astype(int) - (200, 0, 100)).max() < 6


@KINDS
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_once(tmp_path, kind, orientation):
    """The container says how to turn; EXIF beside it says so again, and is not to be obeyed."""
    data = encode(painting(56, 40), kind, quality=95, exif=turned(orientation))
    image = painting(56, 40)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    path = put(tmp_path, data)
    found = decode_image(path, PX)
    assert difference(found.pixels, reference(upright(painting(56, 40), orientation))) < 3
    assert (found.width, found.height) == ((40, 56) if orientation > 4 else (56, 40))
    assert image_dimensions(path) == (found.width, found.height)


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """By turning an array, another way than Pillow's."""
    pixels = np.asarray(image)
    if orientation > 4:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 7, 6):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return Image.fromarray(np.ascontiguousarray(pixels))


def test_exif_alone_turns_no_heic():
    """ISO/IEC 23008-12 lets only the container's own properties turn."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = encode(painting(56, 40), "HEIF", quality=95, exif=exif)
    assert b"irot" not in data
    assert b"imir" not in data
    assert difference(decode_image(data, PX).pixels, reference(painting(56, 40))) < 3


def test_the_primary_picture_counts():
    second = Image.new("RGB", (48, 48), (10, 200, 30))
    data = encode(second, "HEIF", save_all=True, append_images=[painting()], primary_index=1)
    assert difference(decode_image(data, PX).pixels, reference(painting())) < 4


def test_the_first_frame_of_an_avif():
    data = encode(painting(), "AVIF", quality=95, save_all=True, append_images=[second_frame()])
    assert difference(decode_image(data, PX).pixels, reference(painting())) < 4


def second_frame() -> Image.Image:
    return Image.new("RGB", (48, 48), (10, 200, 30))


def test_tiles_of_a_phone():
    data = encode(painting(300, 220), "HEIF", quality=95, tile_size=128)
    assert len(list(heif._coded_items(data))) == 6
    assert difference(decode_image(data, PX).pixels, reference(painting(300, 220))) < 3


def test_ten_bits():
    values = np.asarray(painting()).astype(np.uint16) * 257
    file = pillow_heif.from_bytes("RGB;16", (48, 48), values.tobytes())

    buffer = io.BytesIO()
    file.save(buffer, quality=95)
    assert difference(decode_image(buffer.getvalue(), PX).pixels, reference(painting())) < 4


@pytest.mark.parametrize(
    "told",
    [
        {"icc_profile": P3},
        {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6},
    ],
)
def test_display_p3(told):
    """Told by a profile or by numbers, the same photograph comes out."""
    image = Image.new("RGB", (64, 64), (200, 100, 80))
    expected = decode_image(encode(image, "PNG", icc_profile=P3), 8).pixels
    data = encode(image, "HEIF", quality=95, chroma=444, **told)
    assert difference(decode_image(data, 8).pixels, expected) < 2
    assert difference(expected, np.asarray(image.resize((8, 8)))) > 6


# --- refusing


def test_without_the_extra(tmp_path, monkeypatch):
    path = put(tmp_path, encode(painting(), "HEIF"))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(path, PX)
    assert str(caught.value).endswith("HEIC photograph without its decoder; "
                                      "pip install 'melanoscope[heic]'")  # fmt: skip


def test_without_avif(monkeypatch):
    monkeypatch.setattr(features, "check", lambda _name: False)
    assert reason_of(encode(painting(), "AVIF")) == "an AVIF photograph"


@KINDS
@pytest.mark.parametrize("fill", [b"", b"\0", b"\xff"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.98])
@pytest.mark.parametrize("options", [{}, {"tile_size": 128}])
def test_an_interrupted_download(kind, fill, share, options):
    """Cut off, or at its full length with nothing at its end."""
    noise = np.random.default_rng(0).normal(0, 10, (220, 300, 3))
    image = Image.fromarray(
        np.clip(np.asarray(painting(300, 220)) + noise, 0, 255).astype(np.uint8)
    )
    data = encode(image, kind, quality=90, **(options if kind == "HEIF" else {}))
    decode_image(data, PX)
    cut = int(len(data) * share)
    assert "truncated" in reason_of(data[:cut] + fill * (len(data) - cut))


@KINDS
@pytest.mark.parametrize("size", [(9_500, 9_500), (30_000, 30_000), (2**31, 2**31)])
def test_a_picture_that_claims_to_be_huge(kind, size):
    """Also where the container crops it to a few pixels, as HEIC's encoder does here."""
    data = encode(painting(), kind)
    place = data.index(b"ispe") + 8
    bomb = data[:place] + struct.pack(">II", *size) + data[place + 8 :]
    assert "decompression bomb" in reason_of(bomb)


def test_no_picture_inside():
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    assert reason_of(data) == "a broken or unusual HEIC file"
    assert reason_of(data.replace(b"heic", b"avif")) == "a broken or unusual AVIF file"


FILES = {kind: encode(painting(40, 30), kind, quality=80) for kind in ("HEIF", "AVIF")}


@KINDS
@settings(max_examples=60, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_flipped_bytes(kind, data):
    broken = bytearray(FILES[kind])
    for place in data.draw(st.lists(st.integers(0, len(broken) - 1), min_size=1, max_size=4)):
        broken[place] = data.draw(st.integers(0, 255))
    try:
        pixels = decode_image(bytes(broken), 8).pixels
    except UnreadableImageError:
        return
    assert pixels.shape == (8, 8, 3)


@settings(max_examples=300, database=None)
@given(st.binary(max_size=300), st.integers(0, 400))
@example(b"\0\0\0\1meta" + b"\xff" * 20, 0)
def test_looking_at_boxes_never_fails(noise, place):
    """Of whatever bytes, alone and written over a real file."""
    for content in (noise, FILES["HEIF"][:place] + noise + FILES["HEIF"][place + len(noise) :]):
        assert heif.most_pixels(content) >= 0
        assert heif.is_torn(content) in (True, False)


def test_many_boxes_take_no_time():
    """A table of millions of empty stretches is not walked through."""
    iloc = b"iloc\1\0\0\0\0\0\xff\xff" + b"\0\1\0\0\0\0\xff\xff" * 65_535
    meta = b"meta\0\0\0\0" + struct.pack(">I", len(iloc) + 4) + iloc
    content = struct.pack(">I", len(meta) + 4) + meta
    assert not heif.is_torn(content)
