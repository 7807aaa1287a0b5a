"""Colours come out as the profile means them; what means nothing is passed over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from melanoscope.imaging.color_management import flatten, from_nclx, to_srgb
from melanoscope.imaging.decode import decode_image

from . import icc
from .images import PX, difference, encode, painting, reference

P3 = icc.rgb_profile(icc.DISPLAY_P3, icc.srgb_curve(), "Display P3")

# Published, D65: SMPTE EG 432-1 to CIE XYZ, and CIE XYZ to IEC 61966-2-1.
P3_TO_XYZ = np.array(
    (
        (0.4865709, 0.2656677, 0.1982173),
        (0.2289746, 0.6917385, 0.0792869),
        (0.0, 0.0451134, 1.0439444),
    )
)
XYZ_TO_SRGB = np.array(
    (
        (3.2404542, -1.5371385, -0.4985314),
        (-0.9692660, 1.8760108, 0.0415560),
        (0.0556434, -0.2040259, 1.0572252),
    )
)
# Bradford, from D50 to D65.
TO_D65 = np.array(
    (
        (0.9555766, -0.0230393, 0.0631636),
        (-0.0282895, 1.0099416, 0.0210077),
        (0.0122982, -0.0204830, 1.3299098),
    )
)
PATCHES = ((200, 100, 80), (90, 60, 50), (250, 214, 190), (128, 128, 128), (12, 9, 8), (255, 0, 0))


def light(level):
    level = np.asarray(level) / 255.0
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def level(light):
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def p3_to_srgb(patch):
    return level(XYZ_TO_SRGB @ P3_TO_XYZ @ light(patch))


def lab_to_srgb(lab):
    lightness, a, b = lab
    f = np.array((lightness / 116 + 16 / 116 + a / 500, (lightness + 16) / 116, 0.0))
    f[2] = f[1] - b / 200
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * icc.D50
    return level(XYZ_TO_SRGB @ TO_D65 @ xyz)


def patch_of(data: bytes) -> np.ndarray:
    """Decode a file of one colour."""
    pixels = decode_image(data, 8).pixels.astype(int)
    assert np.ptp(pixels, axis=(0, 1)).max() == 0
    return pixels[0, 0]


# --- Display P3, the phones' space


@pytest.mark.parametrize("patch", PATCHES)
def test_display_p3_by_the_published_matrices(patch):
    data = encode(Image.new("RGB", (20, 16), patch), "PNG", icc_profile=P3)
    assert np.abs(patch_of(data) - p3_to_srgb(patch)).max() <= 1
    if len(set(patch)) > 1 and patch != (12, 9, 8):
        assert np.abs(patch_of(data) - patch).max() >= 5 or patch == (255, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_carries_its_profile(kind):
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100}
    data = encode(Image.new("RGB", (64, 64), PATCHES[0]), kind, icc_profile=P3, **options)
    assert np.abs(patch_of(data) - p3_to_srgb(PATCHES[0])).max() <= 3
    assert np.abs(patch_of(data) - PATCHES[0]).max() > 10


@pytest.mark.parametrize("patch", PATCHES)
def test_numbers_instead_of_a_profile(patch):
    """What `nclx` says of a HEIC without a profile, beside what the profile would have made."""
    pixels = np.full((4, 4, 3), patch, np.uint8)
    converted = from_nclx(pixels, {"color_primaries": 12})
    assert np.abs(converted[2, 2] - p3_to_srgb(patch)).max() <= 1
    for signal in ({"color_primaries": 1}, {}, None):
        assert from_nclx(pixels, signal) is pixels


def test_shrinking_first_is_as_good():
    """Conversion after shrinking stands for conversion of the whole photograph."""
    rng = np.random.default_rng(3)
    # About as coloured as skin: what sRGB cannot hold is cut off, which does not commute.
    skin = np.array((190, 140, 120)) + 0.3 * (np.asarray(painting(640, 640), float) - 120)
    pixels = skin + rng.normal(0, 15, (640, 640, 1)) + rng.normal(0, 5, (640, 640, 3))
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    whole = to_srgb(image, P3)
    assert difference(np.asarray(whole), np.asarray(image)) > 4
    first = decode_image(encode(whole, "PNG"), 128).pixels
    after = decode_image(encode(image, "PNG", icc_profile=P3), 128).pixels
    assert difference(first, after) < 0.4
    assert np.abs(first.astype(int) - after).max() <= 5


# --- grey, transparent, palette


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_a_profile_for_grey(mode):
    values = np.full((12, 12), 100, np.uint8)
    image = {
        "L": Image.fromarray(values),
        "LA": Image.fromarray(values).convert("LA"),
        "I;16": Image.fromarray(values.astype(np.uint16) * 257),
    }[mode]
    assert image.mode == mode
    expected = level((100 / 255) ** 1.8)
    found = patch_of(encode(image, "PNG", icc_profile=icc.grey_profile(1.8)))
    assert np.abs(found - expected).max() <= 1
    assert abs(expected - 100) > 5


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_palette_and_alpha_keep_their_profile(mode):
    image = Image.new("RGB", (16, 16), PATCHES[0])
    image = image.quantize(4) if mode == "P" else image.convert(mode)
    found = patch_of(encode(image, "PNG", icc_profile=P3))
    assert np.abs(found - p3_to_srgb(PATCHES[0])).max() <= 1


def test_the_white_behind_transparency_stays_white():
    image = Image.new("RGBA", (16, 16), (200, 30, 60, 0))
    assert patch_of(encode(image, "PNG", icc_profile=P3)).tolist() == [255, 255, 255]


def test_grey_under_a_profile_for_colours():
    curve = icc.rgb_profile(icc.SRGB, icc.power_curve(1.0))
    found = patch_of(encode(Image.new("L", (9, 9), 55), "JPEG", icc_profile=curve, quality=100))
    assert np.abs(found - level(55 / 255)).max() <= 1


# --- profiles that change nothing


@pytest.mark.parametrize(
    "profile",
    [
        icc.rgb_profile(icc.SRGB, icc.srgb_curve()),
        icc.rgb_profile(icc.SRGB, icc.table_curve()),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
)
def test_srgb_changes_no_pixel(profile):
    """Not by the rounding either that going there and back would cost."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    image = Image.fromarray(noise)
    plain = decode_image(encode(image, "PNG"), 64).pixels
    assert (decode_image(encode(image, "PNG", icc_profile=profile), 64).pixels == plain).all()


def broken_profiles() -> dict[str, bytes]:
    black = ((0.0, 0.0, 0.0),) * 3
    return {
        "noise": bytes(range(256)) * 4,
        "short": P3[:100],
        "cut": P3[: len(P3) // 2],
        "no tags": P3[:128] + b"\0\0\0\0",
        "another space": icc.grey_profile(1.8),
        "white is black": icc.rgb_profile(black, icc.srgb_curve()),
        "huge": P3 + b"\0" * 2**22,
        "no mark": P3.replace(b"acsp", b"xxxx"),
    }


@pytest.mark.parametrize("name", broken_profiles())
def test_a_broken_profile_is_passed_over(name):
    image = painting(50, 40)
    plain = decode_image(encode(image, "WEBP", lossless=True), PX).pixels
    data = encode(image, "WEBP", lossless=True, icc_profile=broken_profiles()[name])
    assert (decode_image(data, PX).pixels == plain).all()


@settings(max_examples=80, database=None)
@given(st.data())
def test_flipped_bytes_in_a_profile(data):
    broken = bytearray(P3)
    for place in data.draw(st.lists(st.integers(0, len(P3) - 1), min_size=1, max_size=5)):
        broken[place] = data.draw(st.integers(0, 255))
    image = painting(20, 20)
    image.info["icc_profile"] = bytes(broken)
    converted = to_srgb(*flatten(image))
    assert (converted.mode, converted.size) == ("RGB", (20, 20))


def test_threads_share_a_profile():
    files = [encode(painting(60 + n, 50), "PNG", icc_profile=P3) for n in range(12)]
    alone = [decode_image(data, PX).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: decode_image(data, PX).pixels, files * 8))
    for index, pixels in enumerate(together):
        assert (pixels == alone[index % 12]).all()


# --- inks


def inks() -> np.ndarray:
    """CIELAB of mild inks on paper; whatever black covers is black."""
    lab = np.zeros((2, 2, 2, 2, 3))
    lab[..., 0, :] = np.array(
        [
            [[(100, 0, 0), (88, -4, 60)], [(52, 50, -8), (52, 45, 30)]],
            [[(62, -25, -32), (55, -38, 24)], [(36, 12, -34), (24, 2, 2)]],
        ]
    )
    lab[..., 0] = np.rint(lab[..., 0] * 2.55) / 2.55
    return lab


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
@pytest.mark.parametrize("corner", [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0),
                                    (0, 1, 1, 0), (1, 1, 0, 0), (0, 0, 0, 1)])  # fmt: skip
def test_inks_under_a_profile(kind, corner):
    """JPEG holds inks inverted, as Adobe has it: cyan forgotten to be turned back would be red."""
    image = Image.new("CMYK", (16, 16), tuple(255 * ink for ink in corner))
    options = {"quality": 100} if kind == "JPEG" else {}
    data = encode(image, kind, icc_profile=icc.press_profile(inks()), **options)
    assert np.abs(patch_of(data) - lab_to_srgb(inks()[corner])).max() <= 3
    naive = np.asarray(image.convert("RGB"))[0, 0].astype(int)
    if sum(corner[:3]):
        assert np.abs(patch_of(data) - naive).max() > 20


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
@pytest.mark.parametrize("profile", [None, P3, b"\0" * 400])
def test_inks_without_a_profile_for_inks(kind, profile):
    """There and back: each of four inks has to be where it was."""
    rgb = np.asarray(painting(), int)
    black = 255 - rgb.max(axis=2, keepdims=True)
    cmyk = np.concatenate((255 - rgb - black, black), axis=2)
    paper = 255 - black
    cmyk[..., :3] = np.rint(255 * (1 - rgb / np.maximum(paper, 1)))
    image = Image.fromarray(cmyk.astype(np.uint8), "CMYK")
    data = encode(image, kind, **({"icc_profile": profile} if profile else {}))
    assert difference(decode_image(data, PX).pixels, reference(painting())) < 4


def test_inks_stored_as_brightness_and_colour():
    """YCCK, the other way in which Adobe stores inks; Pillow reads it, and writes only CMYK."""
    inks = np.array((230, 40, 90), float)
    y = inks @ (0.299, 0.587, 0.114)
    cb, cr = (inks[2] - y) * 0.564 + 128, (inks[0] - y) * 0.713 + 128
    stored = tuple(255 - round(value) for value in (y, cb, cr))
    data = encode(Image.new("CMYK", (16, 16), (*stored, 30)), "JPEG", quality=100, subsampling=0)
    adobe = data.index(b"Adobe")
    assert data[adobe + 11] == 0
    data = data[: adobe + 11] + b"\2" + data[adobe + 12 :]
    expected = (255 - inks) * (255 - 30) / 255
    assert np.abs(patch_of(data) - expected).max() <= 3


@pytest.mark.parametrize("lab", [(60.0, 20, 20), (40.0, -10, 15), (80.0, 5, -20), (0.0, 0, 0)])
def test_lab(lab):
    stored = (round(lab[0] * 2.55), lab[1] + 128, lab[2] + 128)
    data = encode(Image.new("LAB", (12, 12), stored), "TIFF")
    assert np.abs(patch_of(data) - lab_to_srgb((stored[0] / 2.55, *lab[1:]))).max() <= 2


# --- one colour, whatever holds it


@settings(max_examples=120, database=None)
@given(st.data())
def test_one_colour_stays_one_colour(data):
    kind, mode = data.draw(
        st.sampled_from(
            [
                *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
                *(("TIFF", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB")),
                *(("TIFF", mode) for mode in ("I;16", "I", "F")),
                *(("BMP", mode) for mode in ("1", "L", "P", "RGB")),
                *(("WEBP", mode) for mode in ("RGB", "RGBA")),
                *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
            ]
        )
    )
    width, height = data.draw(st.integers(1, 70)), data.draw(st.integers(1, 70))
    px = data.draw(st.integers(1, 40))
    grey = data.draw(st.integers(0, 255))
    image, expected = one_colour(mode, (width, height), grey)
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(kind, {})
    found = decode_image(encode(image, kind, **options), px)
    assert found.pixels.shape == (px, px, 3)
    assert (found.width, found.height) == (width, height)
    slack = 4 if kind == "JPEG" or mode == "LAB" else 1
    assert np.abs(found.pixels.astype(int) - expected).max() <= slack


def one_colour(mode, size, grey) -> tuple[Image.Image, np.ndarray]:
    colour = np.array((grey, (grey * 7 + 31) % 256, 255 - grey))
    neutral = np.full(3, grey)
    match mode:
        case "1":
            return Image.new("1", size, grey > 127), np.full(3, 255 * (grey > 127))
        case "L":
            return Image.new("L", size, grey), neutral
        case "LA":
            alpha = 255 - grey // 2
            over = (grey * alpha + 255 * (255 - alpha)) / 255
            return Image.new("LA", size, (grey, alpha)), np.full(3, over)
        case "RGBA":
            over = (colour * 128 + 255 * 127) / 255
            return Image.new("RGBA", size, (*colour.tolist(), 128)), over
        case "CMYK":
            return Image.new("CMYK", size, (*(255 - colour).tolist(), 0)), colour
        case "LAB":
            return Image.new("LAB", size, (grey, 128, 128)), lab_to_srgb((grey / 2.55, 0, 0))
        case "I;16":
            values = np.full(size[::-1], max(grey, 1) * 257, np.uint16)
            return Image.fromarray(values), np.full(3, max(grey, 1))
        case "I":
            return Image.fromarray(np.full(size[::-1], grey, np.int32)), neutral
        case "F":
            return Image.fromarray(np.full(size[::-1], grey / 255, np.float32)), neutral
        case _:
            image = Image.new("RGB", size, tuple(colour.tolist()))
            return image.quantize(2) if mode == "P" else image, colour
