"""The colour scale of signed evidence: even, symmetric, and told apart by colour-blind eyes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoscope.inference.explain.colormap import (
    AGAINST,
    FOR,
    WHITE,
    color_bar,
    diverging,
    from_oklab,
    tint,
    to_oklab,
)

# Machado, Oliveira & Fernandes 2009, severity 1: linear RGB as seen by colour-blind eyes.
BLIND = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
SKIN = [(232, 194, 176), (198, 150, 120), (141, 96, 70), (84, 56, 44)]


def seen_by(eyes, rgb):
    step = np.asarray(rgb, float) / 255
    linear = np.where(step <= 0.04045, step / 12.92, ((step + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.array(BLIND[eyes]).T, 0, 1)
    step = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(step * 255).astype(np.uint8)


def apart(a, b):
    """Distance in OKLab; about 0.02 is just seen."""
    a, b = np.asarray(a, np.uint8), np.asarray(b, np.uint8)
    return np.linalg.norm(to_oklab(a) - to_oklab(b), axis=-1)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (1.0, 0.0, 0.0)),
        ((255, 0, 0), (0.6280, 0.2249, 0.1258)),
        ((0, 0, 255), (0.4520, -0.0325, -0.3115)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
    ],
)
def test_oklab_agrees_with_its_author(rgb, lab):
    assert to_oklab(np.array(rgb, np.uint8)) == pytest.approx(lab, abs=2e-4)


def test_oklab_and_back_is_every_pixel_again():
    pixels = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert np.array_equal(from_oklab(to_oklab(pixels)), pixels)


def test_neither_side_is_lighter():
    light = to_oklab(np.array([FOR, AGAINST], np.uint8))[:, 0]
    assert abs(light[0] - light[1]) < 0.01


def test_equal_steps_of_evidence_are_equal_steps_to_the_eye():
    for side in (-1, 1):
        scale = diverging(side * np.linspace(0, 1, 11))
        steps = apart(scale[1:], scale[:-1])
        # 8 bits leave about 0.003 of rounding.
        assert np.abs(steps / steps.mean() - 1).max() < 0.1


@pytest.mark.parametrize("eyes", sorted(BLIND))
@pytest.mark.parametrize("ground", [WHITE, *SKIN])
def test_colour_blind_eyes_tell_the_sides_apart_on_paper_and_on_every_skin(eyes, ground):
    pixels = np.array([ground, ground], np.uint8)
    against, speaks_for = seen_by(eyes, tint(pixels, np.array([-0.5, 0.5])))
    assert apart(against, speaks_for) > 0.1


def test_that_test_would_notice_red_and_green():
    # A green as light as the red: what must not be chosen.
    green = from_oklab(np.array([0.62, -0.13, 0.09], np.float32))
    assert apart(seen_by("deutan", FOR), seen_by("deutan", green)) < 0.1


pixel = st.tuples(*[st.integers(0, 255)] * 3)


@given(pixel, st.floats(0.05, 1))
def test_evidence_pulls_a_pixel_towards_its_hue_and_by_its_strength(rgb, strength):
    # In 8 bits the steps next to black are coarse: photographs hold little that is darker.
    before = np.array([rgb, rgb], np.uint8) // 2 + 60
    after = tint(before, np.array([-strength, strength]))
    for hue, old, new in zip((AGAINST, FOR), before, after, strict=True):
        assert apart(new, hue) == pytest.approx((1 - strength) * apart(old, hue), abs=0.02)


@given(pixel)
def test_no_evidence_changes_nothing(rgb):
    assert tuple(tint(np.array(rgb, np.uint8), np.array(0.0))) == rgb


def test_more_than_all_is_all():
    assert diverging(np.array([-7.0, 7.0])).tolist() == [list(AGAINST), list(FOR)]


def test_the_color_bar_runs_from_against_over_paper_to_for():
    drawn = color_bar(101, 5)
    assert drawn.shape == (5, 101, 3)
    assert drawn[2, [0, 50, 100]].tolist() == [list(AGAINST), list(WHITE), list(FOR)]
