"""Who, where and when stays in the decoder; so does the disk."""

from __future__ import annotations

import functools
import gc
import logging
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin, features

from melanoscope.imaging.decode import DecodedImage, decode_image
from melanoscope.imaging.open_image import UnreadableImageError

from . import icc
from .images import encode, painting, put

OWNER = "Erika Mustermann"
PLACE = (48.0, 51.0, 29.5)
MODULE_KINDS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
DICOM_KINDS = ("DICOM", "DICOM, JPEG")


@functools.cache
def telltale(kind: str) -> bytes:
    """A photograph that says in every way its format has whose it is."""
    if kind in DICOM_KINDS:
        return telltale_dicom(kind)
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = exif[ExifTags.Base.ImageDescription] = OWNER
    exif[ExifTags.Base.DateTime] = "2024:05:06 07:08:09"
    exif[ExifTags.Base.Orientation] = 6
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef] = PLACE, "N"
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{OWNER}</x:xmpmeta>".encode()
    profile = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve(), OWNER)
    options: dict = {"exif": exif.tobytes(), "xmp": xmp, "icc_profile": profile}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", OWNER)
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        options["pnginfo"] = text
    elif kind == "TIFF":
        exif[ExifTags.Base.XMLPacket] = xmp
        options = {"exif": exif, "icc_profile": profile}
    elif kind in ("JPEG", "MPO"):
        options["comment"] = OWNER
    data = encode(painting(48, 40), kind, **options)
    assert OWNER.encode() in data
    return data


def telltale_dicom(kind: str) -> bytes:
    pytest.importorskip("pydicom")
    from . import dicoms

    image = painting(48, 40)
    profile = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve(), OWNER)
    tags = {"PatientName": OWNER, "InstitutionName": OWNER, "ImageComments": OWNER}
    tags |= {"AcquisitionDate": "20240506", "ICCProfile": profile, "PatientComments": OWNER}
    if kind == "DICOM":
        return dicoms.native(np.asarray(image), "RGB", **tags)
    frame = telltale("JPEG")
    return dicoms.coded([frame], image.size, "YBR_FULL_422", dicoms.JPEG, **tags)


def holds(thing: object) -> bool:
    """Look for the secret in all that can be reached from a thing."""
    seen: set[int] = set()
    stack = [thing]
    while stack:
        one = stack.pop()
        if id(one) in seen or isinstance(one, type):
            continue
        seen.add(id(one))
        if isinstance(one, bytes | bytearray | memoryview) and OWNER.encode() in bytes(one):
            return True
        if isinstance(one, str) and OWNER in one:
            return True
        stack.extend(gc.get_referents(one))
        if isinstance(one, np.ndarray) and one.base is not None:
            stack.append(one.base)
    return False


@pytest.mark.parametrize("kind", MODULE_KINDS + DICOM_KINDS)
def test_pixels_and_a_size_are_all_that_leaves(tmp_path, kind):
    data = telltale(kind)
    for source in (data, put(tmp_path, data)):
        found = decode_image(source, 32)
        assert set(DecodedImage.__slots__) == {"pixels", "width", "height"}
        assert (type(found.width), type(found.height)) == (int, int)
        assert type(found.pixels) is np.ndarray
        assert found.pixels.base is None
        assert not found.pixels.flags.writeable
        assert not holds(found)
        for written in (pickle.dumps(found), repr(found).encode(), found.pixels.tobytes()):
            assert OWNER.encode() not in written
    if kind in DICOM_KINDS:
        assert holds(data)
        return
    with Image.open(tmp_path / "photograph") as image:
        assert holds(image)  # this search finds what there is to find


@pytest.mark.parametrize("kind", MODULE_KINDS)
def test_pixels_are_those_of_a_photograph_that_says_nothing(kind):
    """Nothing of the metadata can be hidden in them: only orientation and profile have a part."""
    image = painting(48, 40)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    profile = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve(), "another")
    bare = encode(image, kind, exif=exif if kind == "TIFF" else exif.tobytes(), icc_profile=profile)
    found, other = decode_image(telltale(kind), 32), decode_image(bare, 32)
    assert (found.pixels == other.pixels).all()
    assert (found.width, found.height) == (other.width, other.height) == (40, 48)


@pytest.mark.parametrize("kind", MODULE_KINDS + DICOM_KINDS)
@settings(
    max_examples=30,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_errors_and_logs_name_no_one(caplog, kind, data):
    """Broken in every way, with logging at its most talkative."""
    content = bytearray(telltale(kind))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(1, len(content))) :]
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    with caplog.at_level(logging.DEBUG):
        said = what_is_said_of(bytes(content))
    assert "Muster" not in said
    assert "Muster" not in caplog.text
    assert "GPS" not in caplog.text


def what_is_said_of(content: bytes) -> str:
    try:
        decode_image(content, 8)
    except UnreadableImageError as error:
        return f"{error} {error.reason}"
    return ""


QUIET = """
import sys
from melanoscope.imaging.decode import decode_image
from melanoscope.imaging.open_image import UnreadableImageError
data = sys.stdin.buffer.read()
for place in range(132, 1200, 3):
    broken = bytearray(data)
    broken[place] ^= 0x55
    try:
        decode_image(bytes(broken), 8)
    except UnreadableImageError as error:
        assert "Muster" not in str(error)
"""


@pytest.mark.parametrize("kind", DICOM_KINDS)
def test_warnings_of_libraries_stay_inside(kind):
    """pydicom warns of broken values by quoting them."""
    run = [sys.executable, "-c", QUIET]
    ran = subprocess.run(run, input=telltale(kind), capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


CODE = """
import sys
opened, kind = [], sys.argv[1]
def listen(event, values):
    if event == "open" and isinstance(values[1], str) and set(values[1]) & set("wax+"):
        opened.append(values[0])
    if event in ("os.mkdir", "os.rename", "tempfile.mkstemp", "socket.connect"):
        opened.append(event)
from melanoscope.imaging.decode import decode_image
before = {name for name in sys.modules if name.startswith(("PIL.", "pillow_heif"))}
data = sys.stdin.buffer.read()
sys.addaudithook(listen)
decode_image(data, 16)
print(sorted(before & {"PIL.ImageCms", "pillow_heif", "PIL.JpegImagePlugin"}), opened)
print("PIL.ImageCms" in sys.modules, "pillow_heif" in sys.modules)
"""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_an_upload_is_never_written_to_disk_and_decoders_come_late(kind):
    data = telltale(kind)
    run = [sys.executable, "-B", "-c", CODE, kind]
    ran = subprocess.run(run, input=data, capture_output=True, check=False)
    assert ran.stdout.decode().splitlines() == ["[] []", f"True {kind == 'HEIF'}"], ran.stderr
    plain = encode(painting(), "JPEG")
    ran = subprocess.run(run, input=plain, capture_output=True, check=False)
    assert ran.stdout.decode().splitlines() == ["[] []", "False False"], ran.stderr
