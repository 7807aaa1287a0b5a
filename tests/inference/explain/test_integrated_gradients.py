from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from melanoscope.cli.predict import predict
from melanoscope.errors import DataError
from melanoscope.inference.explain.integrated_gradients import (
    BASELINES,
    BLUR,
    DEFAULT_BASELINE,
    DEFAULT_STEPS,
    TOLERANCE,
    Baseline,
    baseline_image,
    gauss_legendre,
    integrated_gradients,
)
from melanoscope.inference.predictor import Predictor

Run = Callable[[NDArray[np.float32]], tuple[NDArray[Any], NDArray[Any]]]
Picture = NDArray[np.uint8]


def picture(seed: int = 0, height: int = 9, width: int = 12) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def image_of(photograph: Picture) -> NDArray[np.float64]:
    return photograph.transpose(2, 0, 1) / 255.0


def weights_of(photograph: Picture, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(3, *photograph.shape[:2]))


def power(weights: NDArray[np.float64], degree: int) -> Run:
    """Sum of weights times pixels to the power of `degree`."""

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        values = (weights * images.astype(float) ** degree).sum((1, 2, 3))
        return values, degree * weights * images.astype(float) ** (degree - 1)

    return run


def steps_up(height: float) -> Run:
    """A function of the mean that rises by `height` between 0.2 and 0.21, as networks may."""

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        mean = images.astype(float).mean((1, 2, 3))
        inside = (mean > 0.2) & (mean < 0.21)
        values = np.clip((mean - 0.2) * 100, 0, 1) * height + mean
        slope = np.where(inside, 100 * height, 0.0) + 1
        return values, np.broadcast_to(slope[:, None, None, None] / images[0].size, images.shape)

    return run


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("degree", [1, 2, 3, 6])
def test_of_powers_are_closed_forms(baseline: Baseline, degree: int) -> None:
    photograph = picture()
    weights = weights_of(photograph)
    found = integrated_gradients(
        power(weights, degree), photograph, baseline=baseline, steps=(degree + 1) // 2
    )
    image, nothing = image_of(photograph), baseline_image(photograph, baseline)
    expected = (weights * (image**degree - nothing**degree)).sum(axis=0)
    if degree > 1:
        # Along a straight way a power's mean slope times the way is the difference of the powers.
        assert found.steps == (degree + 1) // 2
    np.testing.assert_allclose(found.pixels, expected, atol=1e-5)
    assert found.difference == pytest.approx(expected.sum(), abs=1e-4)
    assert found.pixels.dtype == np.float64
    assert found.baseline == baseline


def test_of_products_share_equally() -> None:
    """Of f = x y from 0, each has half: the one sum of attributions where order does not matter."""

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        gradient = np.zeros_like(images)
        gradient[:, 0, 0, 0], gradient[:, 1, 0, 1] = images[:, 1, 0, 1], images[:, 0, 0, 0]
        return images[:, 0, 0, 0] * images[:, 1, 0, 1], gradient

    photograph = np.zeros((2, 2, 3), np.uint8)
    photograph[0, 0, 0], photograph[0, 1, 1] = 255, 51
    found = integrated_gradients(run, photograph, baseline="black", steps=1)
    np.testing.assert_allclose(found.pixels, [[0.1, 0.1], [0, 0]], atol=1e-7)


@given(
    steps=st.integers(1, 40),
    batch=st.integers(1, 50),
    baseline=st.sampled_from(BASELINES),
    seed=st.integers(0, 9),
)
def test_batches_bound_what_is_asked_and_change_nothing(
    steps: int, batch: int, baseline: Baseline, seed: int
) -> None:
    photograph, asked = picture(seed, 4, 5), []
    run = power(weights_of(photograph), 3)

    def watched(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        asked.append(len(images))
        assert images.dtype == np.float32
        assert images.min() >= 0
        assert images.max() <= 1
        return run(images)

    kept = {"baseline": baseline, "steps": steps, "max_steps": steps}
    found = integrated_gradients(watched, photograph, batch_size=batch, **kept)
    assert max(asked) <= batch
    assert sum(asked) == steps + 2
    whole = integrated_gradients(run, photograph, batch_size=1000, **kept)
    np.testing.assert_allclose(found.pixels, whole.pixels, atol=1e-12)
    assert found.completeness_error == pytest.approx(whole.completeness_error, abs=1e-9)


def test_steps_are_doubled_until_the_sum_is_whole() -> None:
    photograph = np.full((4, 4, 3), 255, np.uint8)
    coarse = integrated_gradients(steps_up(0.5), photograph, baseline="black", steps=8, max_steps=8)
    assert coarse.steps == 8
    assert coarse.completeness_error > TOLERANCE
    assert coarse.difference == pytest.approx(1.5, abs=1e-6)
    missed = abs(coarse.pixels.sum() - coarse.difference) / coarse.difference
    assert coarse.completeness_error == pytest.approx(missed)
    found = integrated_gradients(
        steps_up(0.5), photograph, baseline="black", steps=8, max_steps=512
    )
    assert found.completeness_error < TOLERANCE
    assert found.steps > 8
    assert np.log2(found.steps / 8).is_integer()


def test_says_what_is_left_where_the_most_steps_do_not_suffice() -> None:
    photograph = np.full((4, 4, 3), 255, np.uint8)
    found = integrated_gradients(steps_up(0.5), photograph, baseline="black", steps=6, max_steps=30)
    assert found.steps == 24
    assert found.completeness_error > TOLERANCE


def test_a_difference_of_nothing_is_not_divided_by() -> None:
    def flat(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Values that differ by rounding only, gradients that add up to as little."""
        return images[:, 0, 0, 0] * 1e-7, np.full(images.shape, 1e-8)

    found = integrated_gradients(flat, picture(), baseline="black")
    assert found.steps == 64
    assert found.completeness_error < 1e-3


@given(steps=st.integers(1, 64))
def test_gauss_legendre_is_exact_for_polynomials(steps: int) -> None:
    places, weights = gauss_legendre(steps)
    assert places.min() > 0
    assert places.max() < 1
    for degree in (0, 1, 2 * steps - 1):
        assert (weights * places**degree).sum() == pytest.approx(1 / (degree + 1), rel=1e-10)


def test_agrees_with_captum_on_the_same_function() -> None:
    torch = pytest.importorskip("torch")
    captum = pytest.importorskip("captum.attr")
    torch.manual_seed(0)
    layers = torch.nn
    network = layers.Sequential(
        *(layers.Conv2d(3, 8, 3), layers.ReLU(), layers.MaxPool2d(2), layers.Flatten()),
        *(layers.Linear(392, 16), layers.SiLU(), layers.Linear(16, 1), layers.Flatten(0)),
    ).double()

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        asked = torch.from_numpy(images).double().requires_grad_()
        values = network(asked)
        (gradient,) = torch.autograd.grad(values.sum(), asked)
        return values.detach().numpy(), gradient.numpy()

    photograph = picture(3, 16, 16)
    for baseline in BASELINES:
        found = integrated_gradients(run, photograph, baseline=baseline, steps=64, max_steps=64)
        theirs = captum.IntegratedGradients(network).attribute(
            torch.from_numpy(image_of(photograph)[None]),
            baselines=torch.from_numpy(np.array(baseline_image(photograph, baseline)[None])),
            n_steps=64,
        )
        expected = theirs[0].sum(dim=0).detach().numpy()
        assert np.abs(found.pixels - expected).max() < 1e-3 * np.abs(expected).max()


def test_black_is_nothing_at_all() -> None:
    assert not baseline_image(picture(), "black").any()


def test_blurred_averages_with_a_gaussian_and_nothing_from_outside() -> None:
    photograph = picture(0, 10, 14)
    image, found = image_of(photograph), baseline_image(photograph, "blurred")
    assert found.shape == image.shape
    for y, x in ((0, 0), (4, 7), (9, 2)):
        down = np.exp(-(((np.arange(10) - y) / (BLUR * 10)) ** 2) / 2)
        along = np.exp(-(((np.arange(14) - x) / (BLUR * 14)) ** 2) / 2)
        kernel = np.outer(down, along)
        expected = (image * kernel).sum((1, 2)) / kernel.sum()
        np.testing.assert_allclose(found[:, y, x], expected)


def test_blurred_keeps_one_colour_and_takes_fine_structure() -> None:
    plain = np.full((32, 32, 3), (200, 150, 100), np.uint8)
    np.testing.assert_allclose(baseline_image(plain, "blurred"), image_of(plain))
    board = np.indices((32, 32)).sum(axis=0) % 2 * np.uint8(255)
    found = baseline_image(np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8), "blurred")
    assert np.ptp(found) < 0.1


@pytest.mark.parametrize("corners", [0, 12])
def test_mean_skin_passes_over_lesion_hair_and_dark_corners(corners: int) -> None:
    rng = np.random.default_rng(0)
    skin = np.array([205, 160, 140])
    photograph = np.clip(skin + rng.normal(0, 3, (64, 64, 1)), 0, 255).astype(np.uint8)
    photograph = np.broadcast_to(photograph, (64, 64, 3)).copy()
    photograph[20:50, 0:45] = (90, 55, 40)  # reaches the frame
    photograph[:, 30] = 20
    y, x = np.indices((64, 64))
    far = np.hypot(y - 31.5, x - 31.5) > 45 - corners
    photograph[far & (corners > 0)] = 5
    found = baseline_image(photograph, "mean skin")
    np.testing.assert_allclose(found[:, 0, 0] * 255, skin, atol=4)
    assert not np.ptp(found, axis=(1, 2)).any()


def test_wrong_words_and_numbers_are_refused() -> None:
    run = power(weights_of(picture()), 1)
    with pytest.raises(DataError, match="nearest: blurred"):
        integrated_gradients(run, picture(), baseline="blured")  # type: ignore[arg-type]
    for steps in (0, -1, 1025):
        with pytest.raises(DataError, match=f"1 to 1024 steps; found {steps}"):
            integrated_gradients(run, picture(), baseline="black", steps=steps)
    with pytest.raises(DataError, match="1 or more images"):
        integrated_gradients(run, picture(), baseline="black", batch_size=0)


def test_one_default_of_baseline_and_steps_everywhere():
    # Written out where importing the module would slow a start.
    for function in (Predictor.explain, predict):
        told = inspect.signature(function).parameters
        assert told["baseline"].default == DEFAULT_BASELINE
        assert told["steps"].default == DEFAULT_STEPS
