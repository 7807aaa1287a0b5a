"""Photographs in DICOM files come out in their own colors, whatever the tags say."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

pytest.importorskip("pydicom")

from melanoscope.imaging.decode import decode_image, image_dimensions, why_unreadable
from melanoscope.imaging.open_image import TooManyPixelsError, UnreadableImageError

from . import dicoms, icc
from .dicoms import coded, described, jpeg, lesion, lossless_jpeg, native, write
from .images import difference, encode, put

PX = 40
RGB = np.asarray(lesion())
YCBCR = dicoms.to_ycbcr(RGB)
PLAIN = decode_image(encode(lesion(), "PNG"), PX).pixels
SIZE = lesion().size


def decoded(content: bytes) -> np.ndarray:
    return decode_image(content, PX).pixels


def refused(content: bytes, *words: str, **options) -> str:
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(content, PX, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert "Erika" not in line
    for word in words:
        assert word in line, line
    return line


@pytest.mark.parametrize("syntax", dicoms.NATIVE)
@pytest.mark.parametrize("tag", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("stored", ["RGB", "YCbCr"])
def test_uncompressed_colors_are_those_of_the_pixels(syntax, tag, planar, stored):
    pixels = RGB if stored == "RGB" else YCBCR
    content = native(pixels, tag, syntax, PlanarConfiguration=planar)
    assert difference(decoded(content), PLAIN) < 0.8


def test_uncompressed_ybr_full_422_of_two_bytes_a_pixel():
    pairs = YCBCR.reshape(len(YCBCR), -1, 2, 3)
    y, chroma = pairs[..., 0], pairs[:, :, 0, 1:]
    stored = np.concatenate([y, chroma], axis=-1)
    dataset = described(*SIZE, "YBR_FULL_422")
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OB"
    assert difference(decoded(write(dataset)), PLAIN) < 1.5


@pytest.mark.parametrize("tag", ["RGB", "YBR_FULL_422", "YBR_FULL"])
@pytest.mark.parametrize("marks", ["jfif", "none"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_inside_is_decoded_as_the_jpeg_file(tag, marks, subsampling):
    alone = jpeg(lesion(), subsampling=subsampling)
    frame = jpeg(lesion(), marks=marks, subsampling=subsampling)
    content = coded([frame], SIZE, tag, dicoms.JPEG)
    np.testing.assert_array_equal(decoded(content), decoded(alone))


@pytest.mark.parametrize("tag", ["RGB", "YBR_FULL_422", "YBR_FULL"])
@pytest.mark.parametrize("marks", ["Adobe", "none"])
def test_a_jpeg_of_rgb_inside(tag, marks):
    frame = jpeg(lesion(), keep_rgb=True)
    assert b"Adobe" in frame
    if marks == "none":
        at = frame.index(b"\xff\xee")
        frame = frame[:at] + frame[at + 16 :]
        for name, number in ((b"R", b"\1"), (b"G", b"\2"), (b"B", b"\3")):
            frame = frame.replace(name + b"\x11\0", number + b"\x11\0", 1)
            frame = frame.replace(name + b"\0", number + b"\0", 1)
    content = coded([frame], SIZE, tag, dicoms.JPEG)
    assert difference(decoded(content), PLAIN) < 2


@pytest.mark.parametrize("tag", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("stored", ["RGB", "YCbCr"])
@pytest.mark.parametrize("jfif", [True, False])
def test_lossless_jpeg(tag, stored, jfif):
    frame = lossless_jpeg(RGB if stored == "RGB" else YCBCR, jfif=jfif)
    content = coded([frame], SIZE, tag, dicoms.JPEG_LOSSLESS)
    assert difference(decoded(content), PLAIN) < 0.8


@pytest.mark.parametrize("tag", ["RGB", "YBR_RCT", "YBR_ICT", "YBR_FULL"])
@pytest.mark.parametrize("stored", ["transformed", "RGB", "YCbCr"])
def test_jpeg_2000(tag, stored):
    image = Image.fromarray(YCBCR if stored == "YCbCr" else RGB)
    frame = encode(image, "JPEG2000", no_jp2=True, mct=int(stored == "transformed"))
    assert difference(decoded(coded([frame], SIZE, tag, dicoms.J2K)), PLAIN) < 0.8


def rle(channels: np.ndarray) -> bytes:
    from pydicom.pixels.encoders.native import _encode_segment

    segments = []
    for at in range(channels.shape[2]):
        plane = np.ascontiguousarray(channels[..., at])
        segments.append(bytes(_encode_segment(plane.tobytes(), columns=plane.shape[1])))
    offsets = [64 + sum(len(one) for one in segments[:at]) for at in range(len(segments))]
    head = np.array([len(segments), *offsets, *[0] * (15 - len(segments))], "<u4").tobytes()
    return head + b"".join(segments)


@pytest.mark.parametrize("tag", ["RGB", "YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize("stored", ["RGB", "YCbCr"])
def test_run_length(tag, stored):
    frame = rle(RGB if stored == "RGB" else YCBCR)
    assert difference(decoded(coded([frame], SIZE, tag, dicoms.RLE)), PLAIN) < 0.8


GREY = np.asarray(lesion().convert("L"))


@pytest.mark.parametrize("tag", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_grey(tag, bits):
    stored = GREY if bits == 8 else np.rint(GREY * ((2**bits - 1) / 255)).astype(np.uint16)
    stored = (2**bits - 1 - stored).astype(stored.dtype) if tag == "MONOCHROME1" else stored
    content = native(stored, tag, BitsStored=bits, HighBit=bits - 1)
    expected = decode_image(encode(Image.fromarray(GREY), "PNG"), PX).pixels
    assert difference(decoded(content), expected) < 0.6


def test_grey_signed_and_through_a_window():
    expected = decode_image(encode(Image.fromarray(GREY), "PNG"), PX).pixels
    signed = (GREY.astype(np.int16) - 128) * 16
    content = native(signed, "MONOCHROME2", PixelRepresentation=1, BitsStored=12, HighBit=11)
    assert difference(decoded(content), expected) < 1
    wide = GREY.astype(np.uint16) * 2 + 500  # values 500 to 1010, halved by the slope
    window = {"RescaleSlope": 0.5, "RescaleIntercept": 0, "WindowCenter": 378, "WindowWidth": 256}
    assert difference(decoded(native(wide, "MONOCHROME2", **window)), expected) < 1


def test_run_length_of_other_kinds():
    stored = np.rint(GREY * 16.06).astype(np.uint16)
    frame = rle(stored.astype(">u2").view(np.uint8).reshape(*GREY.shape, 2))
    bits = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}
    expected = decode_image(encode(Image.fromarray(GREY), "PNG"), PX).pixels
    content = coded([frame], SIZE, "MONOCHROME2", dicoms.RLE, **bits)
    assert difference(decoded(content), expected) < 0.8


def test_a_run_length_code_that_grows_is_refused():
    bomb = np.array([3, 64, 64, 64] + [0] * 12, "<u4").tobytes() + b"\x81\0" * 2_000_000
    content = coded([bomb], SIZE, "RGB", dicoms.RLE)
    started = time.process_time()
    decode_or_refuse(content)
    assert time.process_time() - started < 1


def decode_or_refuse(content: bytes) -> None:
    with contextlib.suppress(UnreadableImageError):
        assert decoded(content).shape == (PX, PX, 3)


@pytest.mark.parametrize("tag", ["MONOCHROME1", "MONOCHROME2"])
def test_grey_jpeg(tag):
    stored = 255 - GREY if tag == "MONOCHROME1" else GREY
    content = coded([jpeg(Image.fromarray(stored))], SIZE, tag, dicoms.JPEG)
    expected = decode_image(encode(Image.fromarray(GREY), "PNG"), PX).pixels
    assert difference(decoded(content), expected) < 1.5


@pytest.mark.parametrize("bits", [8, 16])
def test_palette(bits):
    indexed = lesion().quantize(64)
    palette = np.array(indexed.getpalette("RGB")[: 64 * 3]).reshape(-1, 3)
    tags = {}
    for at, color in enumerate(("Red", "Green", "Blue")):
        column = palette[:, at].astype(np.uint8 if bits == 8 else np.uint16)
        column = column if bits == 8 else column * 257
        tags[f"{color}PaletteColorLookupTableDescriptor"] = [len(palette), 0, bits]
        tags[f"{color}PaletteColorLookupTableData"] = column.tobytes()
    content = native(np.asarray(indexed), "PALETTE COLOR", **tags)
    expected = decode_image(encode(indexed.convert("RGB"), "PNG"), PX).pixels
    assert difference(decoded(content), expected) < 0.6


def test_sixteen_bit_colors():
    content = native(RGB.astype(np.uint16) * 16, "RGB", BitsStored=12, HighBit=11)
    assert difference(decoded(content), PLAIN) < 1.5


def test_the_first_of_several_frames():
    first, second = jpeg(lesion()), jpeg(Image.new("RGB", SIZE, "white"))
    content = coded([first, second], SIZE, "YBR_FULL_422", dicoms.JPEG)
    np.testing.assert_array_equal(decoded(content), decoded(first))
    both = np.concatenate([RGB, np.full_like(RGB, 255)])
    stacked = native(both, "RGB", NumberOfFrames=2, Rows=len(RGB))
    assert difference(decoded(stacked), PLAIN) < 0.6


def test_a_profile_is_used():
    profile = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve(), "p3")
    expected = decode_image(encode(lesion(), "PNG", icc_profile=profile), PX).pixels
    assert difference(expected, PLAIN) > 2
    assert difference(decoded(native(RGB, "RGB", ICCProfile=profile)), expected) < 0.6
    within = coded([jpeg(lesion(), icc_profile=profile)], SIZE, "YBR_FULL_422", dicoms.JPEG)
    assert difference(decoded(within), expected) < 2


@pytest.mark.parametrize(
    "tags", [{"PixelAspectRatio": [1, 2]}, {"PixelSpacing": [0.05, 0.1]}], ids=["ratio", "spacing"]
)
def test_oblong_pixels_are_made_square(tmp_path, tags):
    narrow = lesion(192, 80).resize((96, 80), Image.Resampling.BOX)
    content = native(np.asarray(narrow), "RGB", **tags)
    found = decode_image(content, PX)
    assert (found.width, found.height) == image_dimensions(content) == (192, 80)
    assert difference(found.pixels, decode_image(encode(lesion(192, 80), "PNG"), PX).pixels) < 2
    frame = coded([jpeg(narrow)], SIZE, "YBR_FULL_422", dicoms.JPEG, **tags)
    assert decode_image(frame, PX).width == image_dimensions(frame)[0] == 192


def test_exif_and_patients_axes_turn_nothing():
    exif = Image.Exif()
    exif[0x0112] = 6
    frame = jpeg(lesion(), exif=exif.tobytes())
    content = coded([frame], SIZE, "YBR_FULL_422", dicoms.JPEG, PatientOrientation=["P", "F"])
    np.testing.assert_array_equal(decoded(content), decoded(jpeg(lesion())))
    assert image_dimensions(content) == SIZE


# --- what is refused

LIMITED = native(RGB, "RGB")


def test_limits_hold_before_decoding():
    with pytest.raises(TooManyPixelsError, match="96 x 80"):
        decode_image(LIMITED, PX, max_pixels=96 * 80 - 1)
    # A head that lies, whichever way.
    frame = jpeg(lesion(400, 300))
    refused(coded([frame], SIZE, "YBR_FULL_422", dicoms.JPEG), "not of the size")
    huge = described(60_000, 60_000, "RGB")
    huge.PixelData, huge["PixelData"].VR = b"\0\0", "OB"
    with pytest.raises(TooManyPixelsError):
        decode_image(write(huge), PX)
    with pytest.raises(TooManyPixelsError):
        image_dimensions(write(huge))


def empty() -> bytes:
    return write(described(*SIZE, "RGB"))


def report() -> bytes:
    from pydicom.dataset import Dataset

    return write(Dataset())


def tiled() -> bytes:
    wide = lesion(200, 100)
    frame = bytearray(encode(wide, "JPEG2000", no_jp2=True))
    frame[24:32] = (1).to_bytes(4, "big") * 2  # of one pixel each
    return coded([bytes(frame)], wide.size, "YBR_RCT", dicoms.J2K)


REFUSED = {
    "tiles": (tiled, "more than 16384 tiles"),
    "no pixels": (empty, "without pixels"),
    "report": (report, "without a picture"),
    "deflated": (lambda: write(described(*SIZE, "RGB"), dicoms.DEFLATED), "deflated"),
    "video": (lambda: coded([b"\0\0"], SIZE, "YBR_FULL_422", "1.2.840.10008.1.2.4.102"), "video"),
    "JPEG-LS": (
        lambda: coded([b"\xff\xd8\xff\xf7\0\0"], SIZE, "RGB", "1.2.840.10008.1.2.4.80"),
        "JPEG-LS",
    ),
    "12 bits": (
        lambda: coded(
            [jpeg(lesion()).replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c")],
            SIZE,
            "YBR_FULL_422",
            "1.2.840.10008.1.2.4.51",
        ),
        "12 bits",
    ),
    "floats": (lambda: native(RGB, "RGB", BitsAllocated=32), "32 bits"),
    "partial": (lambda: native(RGB, "YBR_PARTIAL_422"), "YBR_PARTIAL"),
    "long pixels": (lambda: native(RGB, "RGB", PixelAspectRatio=[1, 9]), "as long as wide"),
    "cut head": (lambda: LIMITED[:300], "DICOM"),
    "only a head": (lambda: LIMITED[:140], "DICOM"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_what_gives_no_picture_is_said(tmp_path, fault):
    make, words = REFUSED[fault]
    refused(make(), words)
    assert words in str(why_unreadable(put(tmp_path, make(), "a.dcm")))


KINDS = {
    "native": lambda: native(RGB, "RGB"),
    "jpeg": lambda: coded([jpeg(lesion())], SIZE, "YBR_FULL_422", dicoms.JPEG),
    "lossless": lambda: coded([lossless_jpeg(RGB, jfif=False)], SIZE, "RGB", dicoms.JPEG_LOSSLESS),
    "rle": lambda: coded([rle(RGB)], SIZE, "RGB", dicoms.RLE),
    "j2k": lambda: coded([encode(lesion(), "JPEG2000", no_jp2=True)], SIZE, "YBR_RCT", dicoms.J2K),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.98])
def test_torn_files_are_refused(kind, share):
    content = KINDS[kind]()
    assert difference(decoded(content), PLAIN) < 2
    refused(content[: int(len(content) * share)], "truncated")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_files_that_end_in_zeros_are_refused(kind, share):
    content = KINDS[kind]()
    kept = content[: int(len(content) * share)]
    refused(kept + bytes(len(content) - len(kept)), "truncated")
    if kind == "jpeg":  # also where only the coded picture ends early
        end = content.rindex(b"\xff\xd9")
        refused(kept + bytes(end - len(kept)) + content[end:], "truncated")


@pytest.mark.parametrize("how", [{"PlanarConfiguration": 1}, {"syntax": "big"}, {}])
def test_uncompressed_zeros_at_the_end(how):
    black = RGB.copy()
    black[60:] = 0
    decoded(native(black, "RGB", **how))  # a border, between rows
    content = native(RGB, "RGB", **how)
    kept = content[: len(content) - RGB.size // 2 - 30]
    refused(kept + bytes(len(content) - len(kept)), "truncated")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_broken_bytes_give_a_line_or_a_picture(data):
    content = bytearray(KINDS[data.draw(st.sampled_from(sorted(KINDS)))]())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(132, min(len(content), 1200) - 1))
        content[place] = data.draw(st.integers(0, 255))
    try:
        assert decoded(bytes(content)).shape == (PX, PX, 3)
    except UnreadableImageError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert not re.search("Erika|Mustermann|4711|1964", str(error))  # noqa: PT017


def test_without_the_extra_the_line_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    refused(LIMITED, "pip install 'melanoscope[dicom]'")


def test_other_pictures_are_not_taken_for_dicom():
    frame = io.BytesIO()
    lesion().save(frame, "TIFF")
    both = bytearray(frame.getvalue())
    both[128:132] = b"DICM"
    assert decode_image(bytes(both), PX).width == SIZE[0]


def test_a_window_that_shows_nothing_is_passed_over():
    window = {"WindowCenter": 5000, "WindowWidth": 10}
    found = decoded(native(GREY, "MONOCHROME2", **window))
    assert np.array_equal(found, decoded(native(GREY, "MONOCHROME2")))


def test_samples_in_the_upper_bits():
    upper = GREY.astype(np.uint16) << 8
    found = decoded(native(upper, "MONOCHROME2", BitsStored=12, HighBit=15))
    assert difference(found, decoded(native(GREY, "MONOCHROME2"))) < 1


@pytest.mark.parametrize("start", [128, 132])
def test_a_file_without_its_head_is_called_that(start):
    content = native(RGB, "RGB")
    with pytest.raises(UnreadableImageError, match="without its head"):
        decoded(content[start:])
