"""Skin tone against closed forms, drawn scenes whose tone is known, and pictures without skin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from scipy.stats import spearmanr
from skimage.color import lab2rgb

from melanoscope.data import skin_segmentation
from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.skin_segmentation import segment_skin
from melanoscope.data.skin_tone import (
    ESTIMATED,
    NOT_ESTIMABLE,
    OVEREXPOSED,
    REASONS,
    SKIN_TONES,
    TOO_DARK,
    TOO_LITTLE_SKIN,
    UNEVEN,
    UNLIKE_SKIN,
    individual_typology_angle,
    skin_tone_band,
)
from melanoscope.data.sources import DataSpec, read_sources
from melanoscope.data.sources.lesion_painter import Traits, paint
from melanoscope.data.sources.simulated_scene import SHORT_SIDE
from melanoscope.errors import DataError

PX = 128
LIGHT = (224, 172, 138)
TONES = [(243, 212, 196), LIGHT, (198, 134, 92), (141, 85, 54), (92, 60, 44), (78, 51, 38)]


def lab_of(rgb):
    """CIELAB of one sRGB colour under D65, written out from IEC 61966-2-1 and CIE 15."""
    c = np.asarray(rgb, float) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = (np.array(to_xyz) @ linear) / [0.95047, 1.0, 1.08883]
    f = [t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in (x, y, z)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def angle_of(rgb):
    light, _, yellow = lab_of(rgb)
    return np.degrees(np.arctan((light - 50) / yellow))


def scene(skin=LIGHT, lesion=(96, 52, 40), radius=0.3, px=PX, noise=2.0, seed=0):
    """A round lesion in the middle of even skin."""
    y, x = np.mgrid[-1 : 1 : px * 1j, -1 : 1 : px * 1j]
    inside = np.hypot(x, y) < radius
    picture = np.where(inside[..., None], lesion, skin).astype(float)
    picture += np.random.default_rng(seed).normal(0, noise, (px, px, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def skin_mask(pixels):
    masks = [region.mask for region in segment_skin(pixels)]
    return np.stack(masks) if masks else np.zeros((0, *pixels.shape[1:3]), bool)


def estimate(*pictures):
    return individual_typology_angle(np.stack(pictures))


@pytest.mark.parametrize("rgb", TONES)
def test_even_patch_has_the_angle_of_its_colour(rgb):
    found = estimate(np.full((PX, PX, 3), rgb, np.uint8))
    assert found.reason[0] == ESTIMATED
    assert found.angle[0] == pytest.approx(angle_of(rgb), abs=0.02)
    assert found.skin_share[0] == 1
    assert found.angle.dtype == np.float64


@pytest.mark.parametrize("rgb", TONES[:5])
def test_a_lesion_does_not_move_the_angle(rgb):
    lesion = [channel * 0.45 for channel in rgb]
    found = estimate(scene(rgb, lesion))
    assert found.angle[0] == pytest.approx(angle_of(rgb), abs=1.5)
    mask = skin_mask(scene(rgb, lesion)[None])[0]
    y, x = np.mgrid[-1 : 1 : PX * 1j, -1 : 1 : PX * 1j]
    assert not mask[np.hypot(x, y) < 0.36].any()  # with a margin: borders fade out
    assert mask[np.hypot(x, y) > 0.55].mean() > 0.97


def test_vignette_and_black_corners():
    y, x = np.mgrid[-1 : 1 : PX * 1j, -1 : 1 : PX * 1j]
    far = np.hypot(x, y)
    shade = (1 - 0.12 * far**2) * (far < 1.15)
    picture = (scene() * shade[..., None]).astype(np.uint8)
    found, mask = estimate(picture), skin_mask(picture[None])[0]
    # The shade itself darkens the skin by up to 9 %, which is 5 degrees at the edge of the tube.
    assert angle_of(LIGHT) - 6 < found.angle[0] < angle_of(LIGHT)
    assert not mask[far > 1.12].any()  # the rim is blurred
    assert mask[(far > 0.5) & (far < 1.0)].mean() > 0.9


def test_shade_towards_the_edge_is_not_taken_for_a_pale_lesion():
    y, x = np.mgrid[-1 : 1 : PX * 1j, -1 : 1 : PX * 1j]
    far = np.hypot(x, y)
    picture = scene(lesion=(190, 135, 100)) * (1 - 0.15 * far**2)[..., None]
    mask = skin_mask(picture.astype(np.uint8)[None])[0]
    assert not mask[far < 0.28].any()
    assert mask[(far > 0.5) & (far < 1.0)].mean() > 0.95


def test_the_fading_border_of_a_lesion_is_left_out():
    y, x = np.mgrid[-1 : 1 : PX * 1j, -1 : 1 : PX * 1j]
    far, picture = np.hypot(x, y), scene().astype(float)
    picture[(far > 0.3) & (far < 0.36)] *= 0.985
    mask = skin_mask(picture.astype(np.uint8)[None])[0]
    assert not mask[far < 0.36].any()


def test_light_from_one_side_leaves_skin_on_both():
    slope = np.linspace(0.9, 1.08, PX)[None, :, None]
    mask = skin_mask((scene() * slope).clip(0, 255).astype(np.uint8)[None])[0]
    assert mask[:, :25].mean() > 0.8
    assert mask[:, -25:].mean() > 0.8
    assert not mask[54:74, 54:74].any()


def test_hairs_and_a_ruler_are_left_out():
    image = Image.fromarray(scene())
    draw = ImageDraw.Draw(image)
    lines = Image.new("L", image.size)
    for canvas, colour in ((draw, (60, 45, 38)), (ImageDraw.Draw(lines), 255)):
        for k in range(9):
            canvas.line([(14 * k, 0), (14 * k + 20, PX)], colour, 1 + k % 2)
        canvas.line([(10, 120), (110, 120)], colour, 2)
    picture, hair = np.asarray(image), np.asarray(lines) > 0
    found, mask = estimate(picture), skin_mask(picture[None])[0]
    assert found.angle[0] == pytest.approx(angle_of(LIGHT), abs=1)
    assert mask[hair].mean() < 0.02
    assert found.skin_share[0] > 0.3


def test_glints_and_ink_are_left_out():
    picture = scene()
    picture[10:14, 10:60] = 255
    picture[100:120, 90:120] = (88, 60, 150)
    mask = skin_mask(picture[None])[0]
    assert not mask[10:14, 10:60].any()
    assert not mask[100:120, 90:120].any()
    assert estimate(picture).angle[0] == pytest.approx(angle_of(LIGHT), abs=1)


def test_pictures_without_skin_are_refused_with_a_reason():
    grey = np.full((PX, PX, 3), 150, np.uint8)
    blue_cast = scene((190, 170, 185), (90, 60, 80))
    shadow = scene()
    shadow[:, : PX // 2] //= 2
    bright, white = np.full_like(grey, (255, 226, 190)), np.full_like(grey, 255)
    found = estimate(np.zeros_like(grey), grey, blue_cast, shadow, bright, white)
    assert np.isnan(found.angle).all()
    assert found.reason.tolist() == [
        *(TOO_DARK, UNLIKE_SKIN, UNLIKE_SKIN, UNEVEN, OVEREXPOSED, TOO_LITTLE_SKIN)
    ]


@pytest.mark.parametrize(
    ("lab", "reason"),
    [
        ((70, 5, 3), UNLIKE_SKIN),  # skin's hue, and hardly any colour
        ((70, 5, 7), ESTIMATED),
        ((70, 45, 7), UNLIKE_SKIN),  # pink
        ((70, -4, 20), UNLIKE_SKIN),  # green
        ((70, 12, -6), UNLIKE_SKIN),  # violet: arctan would fold it back to -73 degrees
        ((40, 10, 15), ESTIMATED),
    ],
)
def test_limits_of_colour(lab, reason):
    rgb = np.round(lab2rgb(np.array(lab, float)) * 255).astype(np.uint8)
    assert estimate(np.broadcast_to(rgb, (PX, PX, 3))).reason[0] == reason


def test_a_lesion_that_fills_the_frame_is_refused():
    full = [
        paint(
            Traits(0.3, 0.6, 0.9, 3.5),
            0.2,
            np.random.default_rng(seed),
            np.random.default_rng(100 + seed),
        )[:, :SHORT_SIDE]
        for seed in range(6)
    ]
    found = estimate(*full)
    assert np.isnan(found.angle).all()
    assert (found.reason == TOO_LITTLE_SKIN).all()
    assert estimate(scene(radius=1.1)).reason[0] == TOO_LITTLE_SKIN
    # As docs/skin_tone.md says: of one even colour, it cannot be told from dark skin.
    assert skin_tone_band(estimate(scene(radius=1.5)).angle[0]) == "dark"


def test_the_angle_follows_the_tone_of_simulated_skin():
    rng = np.random.default_rng(5)
    tones, angles = rng.uniform(0, 1, 60), []
    for k, tone in enumerate(tones):
        traits = Traits(0.3, 0.3, 0.4, float(rng.uniform(0.25, 0.7)))
        picture = paint(traits, tone, np.random.default_rng(k), np.random.default_rng(900 + k))
        left = (picture.shape[1] - SHORT_SIDE) // 2
        angles.append(estimate(picture[:, left : left + SHORT_SIDE]).angle[0])
    known = np.isfinite(angles)
    assert known.mean() > 0.9
    assert spearmanr(np.array(angles)[known], -tones[known]).statistic > 0.9


def test_each_photograph_alone_and_however_it_lies():
    pictures = np.stack(
        [scene(rgb, [c * 0.4 for c in rgb], seed=k) for k, rgb in enumerate(TONES)] * 7
    )
    assert len(pictures) > skin_segmentation._CHUNK
    together = individual_typology_angle(pictures)
    alone = np.array([estimate(one).angle[0] for one in pictures])
    np.testing.assert_array_equal(together.angle, alone)
    turned = individual_typology_angle(np.ascontiguousarray(np.rot90(pictures, axes=(1, 2))))
    np.testing.assert_allclose(turned.angle, together.angle, atol=1)


@pytest.mark.parametrize("px", [64, 96, 224])
def test_other_sizes_give_the_same_angle(px):
    assert estimate(scene(px=px)).angle[0] == pytest.approx(angle_of(LIGHT), abs=1)
    assert estimate(scene(px=px)).skin_share[0] == pytest.approx(0.87, abs=0.06)


@examples(max_examples=25)
@given(arrays(np.uint8, (2, 32, 36, 3), elements=st.integers(0, 255)))
def test_an_angle_or_a_reason_for_any_picture(pixels):
    found = individual_typology_angle(pixels)
    assert ((found.reason == ESTIMATED) == np.isfinite(found.angle)).all()
    assert np.isin(found.reason, REASONS).all()
    assert (np.abs(found.angle[np.isfinite(found.angle)]) <= 90).all()
    assert ((found.skin_share >= 0) & (found.skin_share <= 1)).all()


def test_bands():
    angles = (56, 55, 48, 41, 35, 28, 20, 10, 0, -29, -30, -60, np.nan, None)
    words = (
        *("very light", "light", "light", "intermediate", "intermediate", "tan", "tan"),
        *("brown", "brown", "brown", "dark", "dark", NOT_ESTIMABLE, NOT_ESTIMABLE),
    )
    assert tuple(skin_tone_band(angle) for angle in angles) == words
    assert tuple(dict.fromkeys(words)) == SKIN_TONES


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((1, 64, 64), np.uint8),
        np.zeros((1, 64, 64, 4), np.uint8),
        np.zeros((1, 8, 64, 3), np.uint8),
        np.zeros((1, 64, 64, 3), np.float32),
    ],
)
def test_other_arrays_are_refused(pixels):
    for function in (individual_typology_angle, skin_mask):
        with pytest.raises(DataError, match="uint8"):
            function(pixels)


def test_no_photographs():
    found = individual_typology_angle(np.zeros((0, PX, PX, 3), np.uint8))
    assert found.angle.shape == found.reason.shape == found.skin_share.shape == (0,)
    assert skin_mask(np.zeros((0, PX, PX, 3), np.uint8)).shape == (0, PX, PX)


@pytest.mark.real
def test_real_photographs(real_folder, tmp_path):
    """Most of ISIC 2019 can be judged; most of HAM10000 cannot, for its white balance."""
    share = {}
    for kind in ("isic2019", "ham10000"):
        spec = DataSpec(kind, str(real_folder / "lesions" / kind))
        catalog = build_catalog(read_sources([spec], ReadOptions(tmp_path)))
        drawn = catalog.with_files.frame["image_id"].sample(150, seed=0)
        others = set(catalog.with_files.frame["image_id"]) - set(drawn)
        store = open_pixel_store(catalog.without(others), PX, tmp_path)
        found = individual_typology_angle(np.asarray(store.pixels))
        share[kind] = np.isfinite(found.angle).mean()
        assert (found.skin_share > 0.1).mean() > 0.9
    assert share["isic2019"] > 0.5 > share["ham10000"] > 0.1
