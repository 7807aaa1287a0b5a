"""The quality gate: what is measured reacts to what it is named after, and to nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from melanoscope.data.sources.lesion_painter import Traits, paint
from melanoscope.errors import BundleError, DataError
from melanoscope.export.quality_limits import STANDARD, fit_limits
from melanoscope.inference.quality.gate import (
    LOW,
    MEASURES,
    Bounds,
    QualityLimits,
    find_distance_issue,
    find_issues,
)
from melanoscope.inference.quality.issues import ADVICE, KINDS
from melanoscope.inference.quality.measures import measure_quality

PX = 128


def square(picture) -> np.ndarray:
    side = min(picture.shape[:2])
    image = Image.fromarray(picture[:side, :side])
    return np.asarray(image.resize((PX, PX), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def lesions() -> list[np.ndarray]:
    found = []
    for k in range(8):
        rng = np.random.default_rng(k)
        traits = Traits(*rng.random(3).tolist(), 0.3 + 0.4 * float(rng.random()))
        found.append(square(paint(traits, k / 8, rng, np.random.default_rng([k, 1]))))
    return found


def textured(rng=None) -> np.ndarray:
    """Skin colours with texture in every pixel."""
    rng = rng or np.random.default_rng(1)
    plain = np.array([190, 140, 120]) + rng.normal(0, 8, (PX, PX, 1))
    return np.clip(plain, 0, 255).astype(np.uint8)


def of(pixels):
    return measure_quality(pixels, 640, 480)


def blurred(pixels, sigma):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(sigma)))


def test_turning_and_mirroring_change_nothing(lesions):
    for pixels in lesions:
        here = of(pixels)
        for other in (pixels[::-1], pixels[:, ::-1], pixels.transpose(1, 0, 2), np.rot90(pixels)):
            there = of(np.ascontiguousarray(other))
            for name in MEASURES:
                assert getattr(there, name) == pytest.approx(
                    getattr(here, name), rel=1e-4, abs=1e-6
                )


def test_sharpness_falls_with_every_blur(lesions):
    for pixels in [*lesions, textured()]:
        values = [of(blurred(pixels, sigma)).sharpness for sigma in (0, 0.5, 1, 2, 4)]
        assert values == sorted(values, reverse=True)
        assert values[0] - values[-1] > 0.05


def test_a_camera_moved_to_one_side_is_less_sharp(lesions):
    for pixels in lesions:
        for axis in (0, 1):
            moved = np.mean([np.roll(pixels, k, axis) for k in range(6)], axis=0).astype(np.uint8)
            assert of(moved).sharpness < of(pixels).sharpness


def test_exposure_moves_what_is_about_exposure(lesions):
    pixels = lesions[0]
    dark = (pixels * 0.2).astype(np.uint8)
    assert of(dark).brightness < of(pixels).brightness / 3
    assert of(dark).dark_share > of(pixels).dark_share
    bright = np.clip(pixels.astype(int) * 3, 0, 255).astype(np.uint8)
    assert of(bright).bright_share > 0.5 > of(pixels).bright_share


def test_shares_are_counted():
    pixels = np.full((PX, PX, 3), (180, 140, 120), np.uint8)
    pixels[:32] = 0
    pixels[32:64] = 255
    found = of(pixels)
    assert found.dark_share == 0.25
    assert found.bright_share == 0.25
    assert found.strange_share == 0  # black and white have no colour to be strange


def test_green_and_grey_are_strange_and_skin_is_not():
    green, grey, skin = (
        np.full((PX, PX, 3), colour, np.uint8)
        for colour in ((90, 160, 90), (128, 128, 128), (200, 150, 130))
    )
    assert of(green).strange_share == of(grey).strange_share == 1
    assert of(skin).strange_share == 0


def test_hues_of_a_rainbow_do_not_agree():
    angle = np.linspace(0, 2 * np.pi, PX)
    rainbow = np.stack([128 + 100 * np.cos(angle + k * 2 * np.pi / 3) for k in range(3)], -1)
    pixels = np.broadcast_to(rainbow[None], (PX, PX, 3)).astype(np.uint8)
    assert of(np.ascontiguousarray(pixels)).hue_agreement < 0.1
    assert of(textured()).hue_agreement > 0.95


@pytest.mark.parametrize("tone", [(235, 200, 180), (190, 140, 120), (90, 60, 48)])
def test_a_lesion_has_contrast_on_skin_of_every_tone(tone):
    skin = np.full((PX, PX, 3), tone, np.float64)
    y, x = np.mgrid[:PX, :PX] - PX / 2
    spot = np.where((np.hypot(y, x) < 20)[..., None], skin * 0.5, skin)
    assert of(skin.astype(np.uint8)).lesion_contrast < 0.01
    assert of(spot.astype(np.uint8)).lesion_contrast > 0.3


def test_a_drawn_screen_is_flat_and_a_photograph_is_not(lesions):
    screen = np.full((PX, PX, 3), (220, 220, 240), np.uint8)
    screen[40:60, 20:100] = (40, 90, 160)
    assert of(screen).flat_share > 0.8
    assert of(textured()).flat_share < 0.01


def test_the_scale_is_that_of_the_short_side():
    assert measure_quality(textured(), 64, 300).scale == 0.5


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((64, 32, 3), np.uint8),
        np.zeros((64, 64, 3), np.float32),
    ],
)
def test_what_is_no_decoded_square_is_refused(pixels):
    with pytest.raises(DataError, match="decode it first"):
        measure_quality(pixels, 64, 64)


@pytest.mark.parametrize("name", MEASURES)
def test_each_measure_doubts_and_then_refuses(name, lesions):
    quality = of(lesions[0])
    value = getattr(quality, name)
    step = 1.0 if name in LOW else -1.0
    loose = {n: Bounds(-1e9, -2e9) if n not in LOW else Bounds(1e9, 2e9) for n in MEASURES}

    def found(doubtful, refused):
        return find_issues(quality, QualityLimits(**loose | {name: Bounds(doubtful, refused)}))

    assert found(value, value + step) == ()  # at the limit is within it
    (doubted,) = found(value - step, value + step)
    assert doubted.severity == "doubtful"
    (refused,) = found(value - 2 * step, value - step)
    assert refused.severity == "refused"
    assert refused.kind in KINDS
    assert refused.advice == ADVICE[refused.kind]


def test_one_kind_is_named_once_and_at_its_worst():
    black = of(np.zeros((PX, PX, 3), np.uint8))
    kinds = [one.kind for one in find_issues(black, STANDARD)]
    assert kinds.count("too dark") == 1
    assert {one.kind: one.severity for one in find_issues(black, STANDARD)}["too dark"] == "refused"


def test_the_distance_is_judged_on_both_sides_of_its_limits():
    assert find_distance_issue(100, 100, 200) is None
    assert find_distance_issue(100.1, 100, 200).severity == "doubtful"
    assert find_distance_issue(200, 100, 200).severity == "doubtful"
    assert find_distance_issue(200.1, 100, 200).severity == "refused"
    assert find_distance_issue(float("nan"), 100, 200).severity == "refused"


@pytest.mark.parametrize(
    ("name", "doubtful", "refused"),
    [
        ("scale", 0.3, 0.5),
        ("clutter", 0.5, 0.3),
        ("scale", math.nan, 0.3),
        ("scale", 0.5, math.nan),
        ("clutter", 0.5, math.inf),
    ],
)
def test_limits_that_are_not_sound_are_refused(name, doubtful, refused):
    with pytest.raises(BundleError, match=f"two bounds of '{name}'"):
        replace(STANDARD, **{name: Bounds(doubtful, refused)})


@pytest.mark.real
def test_few_real_photographs_are_refused_for_their_quality(real_folder):
    from melanoscope.imaging.decode import decode_image

    rates = {}
    for kind, pattern in {
        "dermoscopy": "lesions/ham10000/HAM10000_images/*.jpg",
        "telephone": "lesions/pad-ufes-20/images/*.jpg",
    }.items():
        files = sorted(real_folder.glob(pattern))[:400:4]
        decoded = [decode_image(file, PX) for file in files]
        qualities = [measure_quality(one.pixels, one.width, one.height) for one in decoded]
        limits = fit_limits(qualities) if kind == "dermoscopy" else STANDARD
        refused = [any(c.severity == "refused" for c in find_issues(q, limits)) for q in qualities]
        rates[kind] = np.mean(refused)
    assert rates["dermoscopy"] <= 0.02
    assert rates["telephone"] <= 0.10
