"""Drawing of Figure 2 (augmentation) and Figure 4 (attribution), from arrays handed in."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from melanoscope.errors import RunError
from melanoscope.report.figures.style import INK, MUTED, SIMULATED, mark_simulated, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Photograph = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ImageFigure:
    """A figure with its words.

    Attributes:
        figure: The drawing.
        caption: Sentences for the page.
        alt: What is seen, for those who do not see it.
    """

    figure: Figure
    caption: str
    alt: str


def augmentation_figure(
    originals: Photograph, augmented: Photograph, *, credit: str, simulated: bool = False
) -> ImageFigure:
    """Draw Figure 2: each photograph, and what the network is shown instead of it.

    Args:
        originals: Shape (n, h, w, 3).
        augmented: Shape (n, k, h, w, 3), k variations of each.
        credit: Source and licence of the photographs; written on the figure as well.
        simulated: Whether the photographs are drawn by a program.

    Raises:
        RunError: Arrays of other shapes or not uint8.
    """
    n, k = augmented.shape[:2] if augmented.ndim == 5 else (0, 0)
    if min(n, k) < 1 or originals.shape != (n, *originals.shape[1:3], 3):
        raise RunError(
            "originals (n, h, w, 3) and augmented (n, k, h, w, 3)",
            f"{originals.shape} and {augmented.shape}",
            "pass arrays of photographs",
        )
    _check_pixels(originals, augmented)
    with styled():
        tight = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02)
        figure = Figure(figsize=(1.5 * (k + 1) + 0.15, 1.5 * n + 0.55), layout=tight)
        grid = figure.subplots(n, k + 1, squeeze=False, width_ratios=[1.0] * (k + 1))
        for row in range(n):
            for column, axes in enumerate(grid[row]):
                photograph_tile(axes, originals[row] if column == 0 else augmented[row, column - 1])
        grid[0][0].set_title("Photograph", fontsize=9)
        grid[0][1].set_title("Augmented", fontsize=9)
        sign(figure, credit, simulated)
    caption = (
        "Training photographs as they are (left) and as the network is shown them (right): "
        "cropped, turned, mirrored and shifted in colour, differently in every epoch. "
        f"{_source(credit, simulated)}"
    )
    alt = f"{n} photographs, each beside {k} randomly changed versions of it."
    return ImageFigure(figure, caption, alt)


def attribution_figure(
    photograph: Photograph,
    attribution: NDArray[np.floating],
    *,
    network: str,
    credit: str,
    method: str = "Integrated Gradients",
    probability: float | None = None,
    melanoma: bool | None = None,
    simulated: bool = False,
) -> ImageFigure:
    """Draw Figure 4: a photograph and what speaks for and against melanoma in it.

    Args:
        photograph: Shape (h, w, 3).
        attribution: Shape (h, w), signed: above 0 speaks for melanoma.
        network: Name for readers of the network that was asked.
        credit: Source and licence of the photograph; written on the figure as well.
        method: Name of the attribution method.
        probability: The network's probability of melanoma, 0..1.
        melanoma: What it is, where known.
        simulated: Whether the photograph is drawn by a program.

    Raises:
        RunError: Arrays of other shapes, not uint8, or attributions that are not finite.
    """
    if photograph.ndim != 3 or attribution.shape != photograph.shape[:2]:
        raise RunError(
            "a photograph (h, w, 3) and an attribution (h, w)",
            f"{photograph.shape} and {attribution.shape}",
            "sum the attribution over colours",
        )
    _check_pixels(photograph)
    if not np.isfinite(attribution).all():
        raise RunError("finite attributions", "NaN or infinity", "check the network's output")
    # A few extreme pixels would otherwise leave all others white.
    limit = float(np.quantile(np.abs(attribution), 0.995)) or float(np.abs(attribution).max()) or 1
    with styled():
        figure = Figure(figsize=(8.4, 3.1), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        photograph_tile(left, photograph)
        left.set_title("Photograph", fontsize=9.5)
        scale: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
        heat = middle.imshow(attribution, **scale)
        middle.set_title("Attribution", fontsize=9.5)
        grey = photograph.mean(axis=2)
        right.imshow(grey, cmap="gray", vmin=0, vmax=255)
        strength = np.clip(np.abs(attribution) / limit, 0, 1)
        right.imshow(attribution, alpha=0.85 * strength, **scale)
        right.set_title("Both", fontsize=9.5)
        for axes in (middle, right):
            _frame(axes)
        bar = figure.colorbar(heat, ax=right, ticks=[-limit, 0, limit], shrink=0.85)
        bar.ax.set_yticklabels(["against\nmelanoma", "0", "for\nmelanoma"], fontsize=8, color=INK)
        bar.outline.set_visible(False)
        sign(figure, credit, simulated)
    is_what = "" if melanoma is None else ("a melanoma" if melanoma else "not a melanoma")
    said = "" if probability is None else f"; {network} gives melanoma {100 * probability:.0f} %"
    caption = (
        f"{method} of {network} on one test photograph{f' ({is_what}{said})' if is_what else said}."
        " Red pixels raise the probability of melanoma, blue pixels lower it. It shows what the "
        f"network used, not what a melanoma is. {_source(credit, simulated)}"
    )
    alt = "A photograph, its attribution map, and the map laid over the photograph."
    return ImageFigure(figure, caption, alt)


def _source(credit: str, simulated: bool) -> str:
    credit = f"{credit.rstrip('.')}."
    return f"{SIMULATED}. {credit}" if simulated else credit


def _check_pixels(*arrays: Photograph) -> None:
    for array in arrays:
        if array.dtype != np.uint8 or array.shape[-1] != 3:
            raise RunError(
                "uint8 pixels in three colours",
                f"{array.dtype} of shape {array.shape}",
                "undo the normalisation",
            )


def photograph_tile(axes: Axes, pixels: Photograph) -> None:
    """Show a photograph without a frame."""
    axes.imshow(pixels)
    _frame(axes)


def _frame(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def sign(figure: Figure, credit: str, simulated: bool) -> None:
    """Write source and licence on the figure itself: figures travel alone."""
    lines = fill(credit, int(figure.get_figwidth() * 17))
    figure.supxlabel(lines, fontsize=7, color=MUTED, x=0.005, ha="left")
    mark_simulated(figure, simulated)
