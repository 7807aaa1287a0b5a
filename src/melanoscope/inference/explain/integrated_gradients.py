"""Integrated Gradients (Sundararajan et al. 2017, eq. 1) from any function and its gradient.

What a pixel adds is its distance from the baseline times the mean gradient on the straight way from
the baseline to the photograph. All pixels sum to the difference between photograph and baseline
(completeness), which tells whether the mean was taken over enough points. Where it was not, twice
as many are taken: networks trained on photographs rise and fall more than once on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from melanoscope.errors import BundleError, DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ValueAndGradient = Callable[[NDArray[np.float32]], tuple[NDArray[Any], NDArray[Any]]]

Baseline = Literal["black", "blurred", "mean skin"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

DEFAULT_BASELINE: Baseline = "mean skin"  # the least completeness error: benchmarks/attribution.py
DEFAULT_STEPS = 64

BLUR = 0.1  # standard deviation of the blurred baseline's Gaussian, as a share of the side
_FRAME = 0.125  # width of the frame in which skin is looked for, as a share of the side

TOLERANCE = 0.02  # completeness error below which no more steps are taken
MAX_STEPS = 512  # never exceeded in search of completeness
_STEPS_LIMIT = 1024  # finding the points takes time with the third power of their number

# A difference below a hundredth of a logit is nothing to explain, and nothing to divide by.
_LEAST_DIFFERENCE = 0.01


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """What each pixel of a photograph adds to the logit, against a baseline.

    Attributes:
        pixels: What each pixel adds, summed over colors, shape (height, width); above 0 speaks for
            the target.
        baseline: One of `BASELINES`.
        steps: Number of points taken on the way from the baseline to the photograph.
        difference: Evidence of the photograph minus that of the baseline; `pixels` should sum to
            it.
        completeness_error: |sum of pixels - difference| / |difference|, where a |difference| below
            0.01 is taken for 0.01.
    """

    pixels: NDArray[np.float64]
    baseline: str
    steps: int
    difference: float
    completeness_error: float


def integrated_gradients(
    value_and_gradient: ValueAndGradient,
    image: NDArray[np.uint8],
    *,
    baseline: Baseline,
    steps: int = DEFAULT_STEPS,
    batch_size: int = 8,
    max_steps: int = MAX_STEPS,
) -> Attribution:
    """Attribute a photograph's evidence to its pixels.

    Args:
        value_and_gradient: Function from images of shape (n, 3, height, width), RGB in 0..1, to
            values of shape (n,) and their gradients of the images' shape.
        image: Photograph, RGB of shape (height, width, 3), uint8.
        baseline: Image that says nothing, one of `BASELINES`.
        steps: Points on the way, 1 to 1024; doubled until the error is below `TOLERANCE`.
        batch_size: Images that the function is given at once, 1 or more; bounds the memory.
        max_steps: Number that doubled steps do not exceed; `steps` itself for no doubling.

    Returns:
        What each pixel adds.

    Raises:
        DataError: An unknown baseline, or a number out of range.
        BundleError: The function gives NaN or infinity.
    """
    check_options(baseline, steps)
    if batch_size < 1:
        raise DataError("1 or more images at once", f"{batch_size}", "ask for 8")
    start = baseline_image(image, baseline)
    path = _to_channels(image) - start
    while True:
        pixels, difference = _integrate(value_and_gradient, start, path, steps, batch_size)
        if not (math.isfinite(difference) and np.isfinite(pixels).all()):
            raise BundleError("finite gradients", "NaN or infinity", "do not use this bundle")
        error = abs(float(pixels.sum()) - difference) / max(abs(difference), _LEAST_DIFFERENCE)
        if error < TOLERANCE or 2 * steps > max_steps:
            return Attribution(pixels, baseline, steps, difference, error)
        steps *= 2


def check_options(baseline: str, steps: int) -> None:
    """Raise DataError unless the `baseline` is one of `BASELINES` and there are 1 to 1024 steps."""
    if baseline not in BASELINES:
        raise DataError("a known baseline", f"'{baseline}'", nearest(baseline, list(BASELINES)))
    if not 1 <= steps <= _STEPS_LIMIT:
        raise DataError(f"1 to {_STEPS_LIMIT} steps", f"{steps}", "ask for 64")


def _integrate(
    value_and_gradient: ValueAndGradient,
    start: NDArray[np.float64],
    path: NDArray[np.float64],
    steps: int,
    batch_size: int,
) -> tuple[NDArray[np.float64], float]:
    """Return what each pixel adds (height, width), and the difference between the two ends."""
    places, weights = gauss_legendre(steps)
    # The two ends go with the rest: their values give the difference.
    places, weights = np.append(places, (0.0, 1.0)), np.append(weights, (0.0, 0.0))
    values, gradient = np.empty(len(places)), np.zeros(path.shape)
    for first in range(0, len(places), batch_size):
        batch = slice(first, first + batch_size)
        images = start + places[batch, None, None, None] * path
        values[batch], gradients = value_and_gradient(images.astype(np.float32))
        gradient += np.tensordot(weights[batch], gradients.astype(np.float64), axes=1)
    pixels: NDArray[np.float64] = (gradient * path).sum(axis=0)
    return pixels, float(values[-1] - values[-2])


def gauss_legendre(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes in 0..1 and weights of Gauss-Legendre quadrature with `steps` nodes."""
    places, weights = np.polynomial.legendre.leggauss(steps)
    return (places + 1) / 2, weights / 2


def baseline_image(image: NDArray[np.uint8], baseline: Baseline) -> NDArray[np.float64]:
    """Return a baseline of a uint8 `image` (height, width, 3): RGB in 0..1, (3, height, width)."""
    channels = _to_channels(image)
    if baseline == "black":
        return np.zeros_like(channels)
    if baseline == "blurred":  # the lesion's shape is gone, its colors have run into the skin
        return _blur(_blur(channels).swapaxes(1, 2)).swapaxes(1, 2)
    return np.broadcast_to(_skin(channels)[:, None, None], channels.shape)


def _to_channels(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return image.transpose(2, 0, 1) / 255.0


def _blur(channels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blur along the last axis; beyond the border there is nothing, and nothing is averaged in."""
    side = channels.shape[2]
    along = np.arange(side)
    kernel = np.exp(-(((along[:, None] - along) / (BLUR * side)) ** 2) / 2)
    blurred: NDArray[np.float64] = channels @ (kernel / kernel.sum(axis=1, keepdims=True)).T
    return blurred


def _skin(channels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median color of the brighter half of a photograph's frame, shape (3,)."""
    # Lesions that reach the frame, hair and dark corners of a dermatoscope are darker than skin.
    _, height, width = channels.shape
    margin = max(1, round(_FRAME * min(height, width)))
    inside = np.zeros((height, width), bool)
    inside[margin : height - margin, margin : width - margin] = True
    frame = channels[:, ~inside]
    light = frame.sum(axis=0)
    color: NDArray[np.float64] = np.median(frame[:, light >= np.median(light)], axis=1)
    return color
