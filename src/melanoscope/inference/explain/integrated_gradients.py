"""Integrated Gradients (Sundararajan et al. 2017, eq. 1) from any function and its gradient.

What a pixel adds is its distance from the baseline times the mean gradient on the straight way from
the baseline to the photograph. All pixels sum to the difference between photograph and baseline
(completeness), which tells whether the mean was taken over enough points. Where it was not, there
are taken twice as many: networks trained on photographs rise and fall more than once on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from melanoscope.errors import DataError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Run = Callable[[NDArray[np.float32]], tuple[NDArray[Any], NDArray[Any]]]
    """Images (m, 3, h, w), RGB in 0..1, to values (m,) and their gradients (m, 3, h, w)."""

Baseline = Literal["black", "blurred", "mean skin"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)
"""What counts as a photograph that says nothing."""

DEFAULT_BASELINE: Baseline = "mean skin"
"""Which errs least in completeness (benchmarks/attribution.py)."""
DEFAULT_STEPS = 64

BLUR = 0.1
"""Standard deviation of the blurred baseline's Gaussian, as a share of the photograph's side."""

FRAME = 0.125
"""Width of the frame in which skin is looked for, as a share of the photograph's side."""

TOLERANCE = 0.02
"""Completeness error at which no more steps are taken."""

MOST_STEPS = 512
"""Steps that are never exceeded in search of completeness."""

# Finding the points takes time with the third power of their number.
_STEPS_LIMIT = 1024

# A difference below a hundredth of a logit is nothing to explain, and nothing to divide by.
_LEAST_DIFFERENCE = 0.01


@dataclass(frozen=True, eq=False, slots=True)
class Attribution:
    """What each pixel of a photograph adds to the logit, against a baseline.

    Attributes:
        pixels: Shape (h, w), signed, summed over colours; above 0 speaks for melanoma.
        baseline: One of `BASELINES`.
        steps: Points taken on the way from the baseline to the photograph.
        difference: Evidence of the photograph minus that of the baseline; `pixels` should sum to
            it.
        completeness_error: |sum of pixels - difference| / |difference|, the latter taken for 0.01
            where it is smaller.
    """

    pixels: NDArray[np.float64]
    baseline: str
    steps: int
    difference: float
    completeness_error: float


def integrated_gradients(
    run: Run,
    photograph: NDArray[np.uint8],
    *,
    baseline: Baseline,
    steps: int = DEFAULT_STEPS,
    batch: int = 8,
    most: int = MOST_STEPS,
) -> Attribution:
    """Attribute a photograph's evidence to its pixels.

    Args:
        run: The function and its gradient.
        photograph: RGB, shape (h, w, 3), uint8.
        baseline: One of `BASELINES`.
        steps: Points on the way (Gauss-Legendre), 1 to 1024; doubled until the completeness error
            is below `TOLERANCE`. The answer says how many there were and what error is left.
        batch: Images asked about at once, which bounds the memory.
        most: Doubled steps stay at or below it; `steps` itself for no doubling.

    Raises:
        DataError: An unknown baseline, or a number out of range.
    """
    if not 1 <= steps <= _STEPS_LIMIT:
        raise DataError(f"1 to {_STEPS_LIMIT} steps", f"{steps}", "ask for 64")
    if batch < 1:
        raise DataError("1 or more images at once", f"{batch}", "ask for 8")
    nothing = baseline_image(photograph, baseline)
    way = _to_image(photograph) - nothing
    while True:
        pixels, difference = _integrate(run, nothing, way, steps, batch)
        missed = abs(float(pixels.sum()) - difference)
        error = missed / max(abs(difference), _LEAST_DIFFERENCE)
        if error < TOLERANCE or 2 * steps > most:
            return Attribution(pixels, baseline, steps, difference, error)
        steps *= 2


def _integrate(
    run: Run, nothing: NDArray[np.float64], way: NDArray[np.float64], steps: int, batch: int
) -> tuple[NDArray[np.float64], float]:
    """Return what each pixel adds (h, w), and the difference between the two ends."""
    places, weights = gauss_legendre(steps)
    # The two ends are asked about with the rest: their values give the difference.
    places, weights = np.append(places, (0.0, 1.0)), np.append(weights, (0.0, 0.0))
    values, gradient = np.empty(len(places)), np.zeros(way.shape)
    for part in _parts(len(places), batch):
        images = nothing + places[part, None, None, None] * way
        values[part], gradients = run(images.astype(np.float32))
        gradient += np.tensordot(weights[part], gradients.astype(np.float64), axes=1)
    pixels: NDArray[np.float64] = (gradient * way).sum(axis=0)
    return pixels, float(values[-1] - values[-2])


def gauss_legendre(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places in 0..1 and weights that sum to 1: exact for polynomials of degree 2 n - 1.

    >>> places, weights = gauss_legendre(2)
    >>> round(float((weights * places**3).sum()), 12)
    0.25
    """
    places, weights = np.polynomial.legendre.leggauss(steps)
    return (places + 1) / 2, weights / 2


def baseline_image(photograph: NDArray[np.uint8], baseline: Baseline) -> NDArray[np.float64]:
    """Return a photograph's baseline, RGB in 0..1, shape (3, h, w).

    "black" is 0 everywhere. "blurred" is the photograph without anything finer than `BLUR` of its
    side: the lesion's shape and structure are gone, its colours have run into the skin. "mean skin"
    is one colour everywhere, the skin's around the lesion.

    Raises:
        DataError: An unknown baseline.
    """
    image = _to_image(photograph)
    if baseline == "black":
        return np.zeros_like(image)
    if baseline == "blurred":
        return _blur(_blur(image).swapaxes(1, 2)).swapaxes(1, 2)
    if baseline == "mean skin":
        return np.broadcast_to(_skin(image)[:, None, None], image.shape)
    raise DataError("a known baseline", f"'{baseline}'", nearest(baseline, list(BASELINES)))


def _to_image(photograph: NDArray[np.uint8]) -> NDArray[np.float64]:
    return photograph.transpose(2, 0, 1) / 255.0


def _blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blur along the last axis; beyond the border there is nothing, and nothing is averaged in."""
    side = image.shape[2]
    along = np.arange(side)
    kernel = np.exp(-(((along[:, None] - along) / (BLUR * side)) ** 2) / 2)
    blurred: NDArray[np.float64] = image @ (kernel / kernel.sum(axis=1, keepdims=True)).T
    return blurred


def _skin(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median colour of the brighter half of a photograph's frame, shape (3,).

    Lesions that reach the frame, hair and the dark corners of a dermatoscope are darker than skin.
    """
    _, height, width = image.shape
    margin = max(1, round(FRAME * min(height, width)))
    inside = np.zeros((height, width), bool)
    inside[margin : height - margin, margin : width - margin] = True
    frame = image[:, ~inside]
    light = frame.sum(axis=0)
    colour: NDArray[np.float64] = np.median(frame[:, light >= np.median(light)], axis=1)
    return colour


def _parts(count: int, size: int) -> Iterator[slice]:
    for start in range(0, count, size):
        yield slice(start, start + size)
