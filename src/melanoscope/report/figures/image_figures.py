"""Figure 2 (augmentation) and Figure 4 (attribution), drawn from arrays of pixels."""

from __future__ import annotations

from textwrap import fill
from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from melanoscope.data.content_hash import file_hash
from melanoscope.errors import RunError
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import INK, MUTED, SIMULATED, mark_simulated, styled
from melanoscope.runs.files import is_from
from melanoscope.runs.reader import Run
from melanoscope.target import Target

Pixels = NDArray[np.uint8]
_LINE = 16  # characters in a line beside the colors of an attribution


def credit_of(run: Run, rows: pl.DataFrame) -> str:
    """Name archives and licences of the catalog's `rows`, in a line without a full stop."""
    sources = []
    for source in run.record.data.sources:
        mine = rows.filter(pl.Series([is_from(name, source.kind) for name in rows["dataset"]]))
        if mine.height:
            stated = mine["license"].drop_nulls().unique().sort().to_list()
            terms = ", ".join(stated) or source.license
            sources.append(f"{source.title} ({source.attribution}; {terms})")
    return "Photographs: " + "; ".join(dict.fromkeys(sources))


def refuse_other_photographs(rows: pl.DataFrame) -> None:
    """Refuse files that are not those of the run.

    A run folder names files by their paths. One from elsewhere would bring whatever lies under
    them on this machine into its report.

    Args:
        rows: Rows of the catalog.

    Raises:
        RunError: A file is absent or another than the one that the run saw.
    """
    for path, content in rows.select("path", "content").iter_rows():
        found = file_hash(path)
        if found is None or content is None or found != content:
            raise RunError(
                "the photographs of the run, to show them",
                "no file" if found is None else "another file under the name of one",
                "make the report where the photographs are",
            )


def augmentation_figure(
    originals: Pixels, augmented: Pixels, *, credit: str, simulated: bool = False
) -> ReportFigure:
    """Draw Figure 2: photographs (n, h, w, 3), each beside k variations (n, k, h, w, 3), uint8."""
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
    return ReportFigure(
        name="figure_2_augmentation",
        figure=figure,
        alt=f"{n} photographs, each beside {k} randomly changed versions of it.",
        caption=caption,
        photographs=True,
    )


def attribution_figure(
    photograph: Pixels,
    attribution: NDArray[np.floating],
    *,
    network: str,
    credit: str,
    probability: float,
    target: Target,
    positive: bool,
    simulated: bool = False,
) -> ReportFigure:
    """Draw Figure 4: a photograph (h, w, 3), uint8, and the attribution (h, w) of its pixels."""
    _refuse_other_pixels(photograph)
    _refuse_other_attribution(attribution, photograph.shape)
    with styled():
        figure = Figure(figsize=(8.4, 3.1), layout="constrained")
        heat = _attribution_panels(figure.subplots(1, 3), photograph, attribution)
        limit = heat.get_clim()[1]
        bar = figure.colorbar(heat, ax=figure.axes[2], ticks=[-limit, 0, limit], shrink=0.85)
        sought = fill(target.condition, _LINE)
        bar.ax.set_yticklabels([f"against\n{sought}", "0", f"for\n{sought}"], fontsize=8, color=INK)
        bar.outline.set_visible(False)
        add_credit(figure, credit, simulated)
    caption = (
        f"Integrated Gradients of {network} on one test photograph "
        f"({'' if positive else 'not '}a {target.singular}; {network} gives {target.condition} "
        f"{100 * probability:.0f} %)."
        f" Red pixels raise the probability of {target.condition}, blue pixels lower it. It shows "
        f"what the network used, not what a {target.singular} is. {_source(credit, simulated)}"
    )
    return ReportFigure(
        name="figure_4_attribution",
        figure=figure,
        alt="A photograph, its attribution map, and the map laid over the photograph.",
        caption=caption,
        photographs=True,
    )


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
