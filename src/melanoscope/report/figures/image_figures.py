"""Figure 2 (augmentation) and Figure 4 (attribution), drawn from arrays of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from melanoscope.errors import RunError
from melanoscope.report.figures.style import INK, MUTED, SIMULATED, mark_simulated, styled

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ImageFigure:
    """A figure of photographs with its words.

    Attributes:
        figure: The figure.
        caption: Sentences for the page.
        alt: What is seen, for those who do not see it.
    """

    figure: Figure
    caption: str
    alt: str


def augmentation_figure(
    originals: Pixels, augmented: Pixels, *, credit: str, simulated: bool = False
) -> ImageFigure:
    """Draw Figure 2: each photograph, and what the network is shown instead of it.

    Args:
        originals: Photographs, uint8, shape (n, h, w, 3).
        augmented: k variations of each photograph, uint8, shape (n, k, h, w, 3).
        credit: Source and licence of the photographs; written on the figure as well.
        simulated: Whether the photographs are simulated.

    Returns:
        The figure with its caption.

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
    _refuse_other_pixels(originals, augmented)
    with styled():
        tight = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02)
        figure = Figure(figsize=(1.5 * (k + 1) + 0.15, 1.5 * n + 0.55), layout=tight)
        grid = figure.subplots(n, k + 1, squeeze=False, width_ratios=[1.0] * (k + 1))
        for row in range(n):
            for axes, pixels in zip(grid[row], [originals[row], *augmented[row]], strict=True):
                show_image(axes, pixels)
        grid[0][0].set_title("Photograph", fontsize=9)
        grid[0][1].set_title("Augmented", fontsize=9)
        add_credit(figure, credit, simulated)
    caption = (
        "Training photographs as they are (left) and as the network is shown them (right): "
        "cropped, turned, mirrored and shifted in colour, differently in every epoch. "
        f"{_source(credit, simulated)}"
    )
    alt = f"{n} photographs, each beside {k} randomly changed versions of it."
    return ImageFigure(figure, caption, alt)


def attribution_figure(
    photograph: Pixels,
    attribution: NDArray[np.floating],
    *,
    network: str,
    credit: str,
    probability: float | None = None,
    melanoma: bool | None = None,
    simulated: bool = False,
) -> ImageFigure:
    """Draw Figure 4: a photograph and what speaks for and against melanoma in it.

    Args:
        photograph: The photograph, uint8, shape (h, w, 3).
        attribution: Integrated Gradients, shape (h, w): above 0 speaks for melanoma.
        network: Name for readers of the network that was asked.
        credit: Source and licence of the photograph; written on the figure as well.
        probability: The network's probability of melanoma, 0..1; None where not known.
        melanoma: Whether the photograph shows a melanoma; None where not known.
        simulated: Whether the photograph is simulated.

    Returns:
        The figure with its caption.

    Raises:
        RunError: Arrays of other shapes, not uint8, or attributions that are not finite.
    """
    _refuse_other_pixels(photograph)
    _refuse_other_attribution(attribution, photograph.shape)
    with styled():
        figure = Figure(figsize=(8.4, 3.1), layout="constrained")
        heat = _attribution_panels(figure.subplots(1, 3), photograph, attribution)
        limit = heat.get_clim()[1]
        bar = figure.colorbar(heat, ax=figure.axes[2], ticks=[-limit, 0, limit], shrink=0.85)
        bar.ax.set_yticklabels(["against\nmelanoma", "0", "for\nmelanoma"], fontsize=8, color=INK)
        bar.outline.set_visible(False)
        add_credit(figure, credit, simulated)
    facts = []
    if melanoma is not None:
        facts.append("a melanoma" if melanoma else "not a melanoma")
    if probability is not None:
        facts.append(f"{network} gives melanoma {100 * probability:.0f} %")
    known = f" ({'; '.join(facts)})" if facts else ""
    caption = (
        f"Integrated Gradients of {network} on one test photograph{known}."
        " Red pixels raise the probability of melanoma, blue pixels lower it. It shows what the "
        f"network used, not what a melanoma is. {_source(credit, simulated)}"
    )
    alt = "A photograph, its attribution map, and the map laid over the photograph."
    return ImageFigure(figure, caption, alt)


def _attribution_panels(
    panels: NDArray[np.object_], photograph: Pixels, attribution: NDArray[np.floating]
) -> AxesImage:
    """Draw the photograph, its attribution, and one laid over the other."""
    # A few extreme pixels would otherwise leave all others white.
    strength = np.abs(attribution)
    limit = float(np.quantile(strength, 0.995)) or float(strength.max()) or 1
    scale: dict[str, Any] = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    for axes, title in zip(panels, ("Photograph", "Attribution", "Both"), strict=True):
        _hide_frame(axes)
        axes.set_title(title, fontsize=9.5)
    panels[0].imshow(photograph)
    heat: AxesImage = panels[1].imshow(attribution, **scale)
    panels[2].imshow(photograph.mean(axis=2), cmap="gray", vmin=0, vmax=255)
    panels[2].imshow(attribution, alpha=0.85 * np.clip(strength / limit, 0, 1), **scale)
    return heat


def _source(credit: str, simulated: bool) -> str:
    credit = f"{credit.rstrip('.')}."
    return f"{SIMULATED}. {credit}" if simulated else credit


def _refuse_other_pixels(*arrays: Pixels) -> None:
    for array in arrays:
        if array.dtype != np.uint8 or array.shape[-1] != 3:
            raise RunError(
                "uint8 pixels in three colours",
                f"{array.dtype} of shape {array.shape}",
                "undo the normalisation",
            )


def _refuse_other_attribution(attribution: NDArray[np.floating], shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or attribution.shape != shape[:2]:
        raise RunError(
            "a photograph (h, w, 3) and an attribution (h, w)",
            f"{shape} and {attribution.shape}",
            "sum the attribution over colours",
        )
    if not np.isfinite(attribution).all():
        raise RunError("finite attributions", "NaN or infinity", "check the network's output")


def show_image(axes: Axes, pixels: Pixels) -> None:
    """Show the `pixels` of an image, uint8 of shape (h, w, 3), on `axes` without a frame."""
    axes.imshow(pixels)
    _hide_frame(axes)


def _hide_frame(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def add_credit(figure: Figure, credit: str, simulated: bool) -> None:
    """Write source and licence on a `figure` of photographs itself: figures travel alone."""
    lines = fill(credit, int(figure.get_figwidth() * 17))
    figure.supxlabel(lines, fontsize=7, color=MUTED, x=0.005, ha="left")
    mark_simulated(figure, simulated)
