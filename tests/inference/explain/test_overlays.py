"""Overlays keep place, sign and proportion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import gaussian_filter

from melanoscope.errors import DataError
from melanoscope.inference.explain.colormap import AGAINST, FOR, to_oklab
from melanoscope.inference.explain.overlays import (
    attribution_overlay,
    attribution_scale,
    evidence_scale,
    gaussian_blur,
    heat_overlay,
    interpolate,
)

from .samples import photograph


def change(after, before):
    return np.linalg.norm(to_oklab(after) - to_oklab(before), axis=-1)


def apart(pixels, hue):
    return np.linalg.norm(to_oklab(pixels) - to_oklab(np.array(hue, np.uint8)), axis=-1)


# Overlays of evidence


def test_where_nothing_is_said_the_photograph_is_unchanged():
    pixels = photograph()
    assert np.array_equal(heat_overlay(pixels, np.zeros((4, 4))), pixels)
    half = heat_overlay(pixels, np.array([[0.0, 0.0, 0.0, 1.0]]))
    assert np.array_equal(half[:, :64], pixels[:, :64])
    assert not np.array_equal(half[:, 96:], pixels[:, 96:])


@pytest.mark.parametrize(("sign", "hue", "other"), [(1, FOR, AGAINST), (-1, AGAINST, FOR)])
def test_evidence_turns_pixels_towards_its_own_hue(sign, hue, other):
    pixels = photograph()
    drawn = heat_overlay(pixels, np.full((3, 3), sign * 0.7))
    assert (apart(drawn, hue) < 0.6 * apart(pixels, hue)).all()
    assert (apart(drawn, hue) < apart(drawn, other)).all()


def test_the_scale_is_the_same_on_both_sides_of_nothing():
    pixels = np.full((90, 90, 3), 128, np.uint8)
    drawn = heat_overlay(pixels, np.array([[-2.0, 1.0, -1.0]]))
    middles = drawn[45, [15, 45, 75]]
    whole, against, speaks_for = (
        change(one, pixels[0, 0]) / apart(pixels[0, 0], hue)
        for one, hue in zip(middles, (AGAINST, FOR, AGAINST), strict=True)
    )
    assert whole == pytest.approx(0.5, abs=0.02)
    assert against == pytest.approx(0.25, abs=0.02)
    assert speaks_for == pytest.approx(0.25, abs=0.02)
    assert np.array_equal(drawn[:, 60:], heat_overlay(pixels, np.array([[-2.0, 1, -1]]))[:, 60:])


def test_a_given_scale_weakens_and_clips():
    pixels = photograph()
    values = np.array([[1.0]])
    own, wide, narrow = (heat_overlay(pixels, values, scale=one) for one in (None, 4.0, 0.1))
    assert change(wide, pixels).mean() < 0.35 * change(own, pixels).mean()
    assert np.array_equal(narrow, own)


def test_the_lesion_stays_visible_under_the_strongest_evidence():
    pixels = photograph()
    light = to_oklab(heat_overlay(pixels, np.ones((4, 4)), opacity=0.6))[..., 0]
    assert light.std() > 0.35 * to_oklab(pixels)[..., 0].std()


@pytest.mark.parametrize("shape", [(4, 4), (7, 5), (5, 7), (1, 3)])
def test_one_hot_place_shows_in_its_own_place(shape):
    height, width = 210, 210
    pixels = np.full((height, width, 3), 150, np.uint8)
    for row in range(shape[0]):
        for column in range(shape[1]):
            values = np.zeros(shape)
            values[row, column] = 1
            moved = change(heat_overlay(pixels, values), pixels)
            top, left = height * row / shape[0], width * column / shape[1]
            part = moved[
                round(top) : round(top + height / shape[0]),
                round(left) : round(left + width / shape[1]),
            ]
            assert part.max() == moved.max() > 0.05
            assert part.sum() > 0.4 * moved.sum()
            y, x = np.argwhere(moved == moved.max()).mean(axis=0) + 0.5
            if 0 < row < shape[0] - 1:
                assert y == pytest.approx(top + height / shape[0] / 2, abs=1)
            if 0 < column < shape[1] - 1:
                assert x == pytest.approx(left + width / shape[1] / 2, abs=1)


maps = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-5, 5, allow_subnormal=False),
)


@given(maps)
def test_between_places_nothing_is_invented(values):
    h, w = values.shape
    smooth = interpolate(values, 5 * h, 5 * w)
    assert np.allclose(smooth[2::5, 2::5], values, atol=1e-12)
    padded = np.pad(values, 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    low, high = (np.kron(f(around, axis=(2, 3)), np.ones((5, 5))) for f in (np.min, np.max))
    # Neither a higher value nor another sign than the places around have.
    assert (smooth >= low - 1e-12).all()
    assert (smooth <= high + 1e-12).all()


def test_what_is_hardly_there_is_drawn_hardly_at_all():
    assert evidence_scale(np.full((4, 4), 0.001)) == pytest.approx(1 / 16)
    assert evidence_scale(np.array([[0.1, -3.0]])) == 3.0


@pytest.mark.parametrize(
    ("pixels", "values"),
    [
        (photograph().astype(float), np.ones((2, 2))),
        (photograph()[..., 0], np.ones((2, 2))),
        (photograph(), np.ones(4)),
        (photograph(), np.ones((0, 4))),
        (photograph(), np.array([[np.nan, 1.0]])),
        (photograph(), np.array([[np.inf, 1.0]])),
    ],
)
def test_impossible_evidence_is_refused(pixels, values):
    with pytest.raises(DataError):
        heat_overlay(pixels, values)
    with pytest.raises(DataError):
        attribution_overlay(pixels, values)


def test_an_impossible_scale_is_refused():
    for scale in (-1.0, np.nan, np.inf):
        with pytest.raises(DataError, match="scale"):
            heat_overlay(photograph(), np.ones((2, 2)), scale=scale)


# Integrated Gradients


def test_smoothing_is_a_gaussian_that_keeps_the_sum():
    values = np.random.default_rng(1).normal(size=(96, 128))
    smooth = gaussian_blur(values)
    assert smooth.sum() == pytest.approx(values.sum())
    oracle = gaussian_filter(values, (0.012 * 96, 0.012 * 128), mode="reflect", truncate=4.0)
    # The oracle cuts its kernel off at a rounded distance.
    assert np.abs(smooth - oracle).max() < 2e-3 * np.abs(oracle).max()


def test_one_extreme_pixel_does_not_whiten_the_others():
    pixels = photograph()
    values = np.zeros((128, 128))
    values[20:60, 20:60] = 1
    plain = attribution_overlay(pixels, values)
    values[100, 100] = 1e6
    struck = attribution_overlay(pixels, values)
    assert np.array_equal(plain[30:50, 30:50], struck[30:50, 30:50])
    assert (apart(struck[30:50, 30:50], FOR) < 0.05).all()


def test_without_attribution_there_is_only_grey():
    drawn = attribution_overlay(photograph(), np.zeros((128, 128)))
    assert np.ptp(drawn.astype(int), axis=2).max() <= 1
    assert attribution_scale(np.zeros((8, 8))) == 1


@pytest.mark.parametrize("darkness", [1.0, 0.25])
def test_gradients_keep_sign_and_place_on_light_and_dark_skin(darkness):
    pixels = (photograph() * darkness).astype(np.uint8)
    values = np.zeros((128, 128))
    values[10:30, 10:30], values[90:110, 60:80] = 1, -1
    drawn = attribution_overlay(pixels, values)
    assert (apart(drawn[14:26, 14:26], FOR) < 0.1).all()
    assert (apart(drawn[94:106, 64:76], AGAINST) < 0.1).all()
    assert np.ptp(drawn[40:80, 90:].astype(int), axis=2).max() <= 1


def test_gradients_belong_to_the_photograph():
    with pytest.raises(DataError, match="Integrated Gradients"):
        attribution_overlay(photograph(64), np.zeros((32, 32)))
