"""One style for all figures: light background, colors for color-blind eyes, text as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK, MUTED, GRID = "#1c2430", "#5b6572", "#e3e6ea"
# Okabe & Ito (2008) without yellow, which vanishes on white.
_HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
_DASHES: tuple[tuple[int, tuple[float, ...]] | str, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)))
TRANSFER_COLORS = {
    "scratch": "#5b6572",
    "finetune": "#0072B2",
    "frozen": "#D55E00",
    "image_only": "#009E73",
}
TRANSFER_MARKERS = {"scratch": "s", "finetune": "o", "frozen": "D", "image_only": "^"}
SIMULATED = "Simulated, says nothing about skin"
_SETTINGS = {
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    # Names of archives, sites and networks are text: "$" in them would begin a formula.
    "text.parse_math": False,
    "text.usetex": False,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "melanoscope",
    "figure.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside the `with` block as all figures do, without changing the caller's settings."""
    with mpl.rc_context(_SETTINGS):  # type: ignore[arg-type]
        yield


def line_styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give each backbone in `names` a color and dash of its own, as arguments of `Axes.plot`."""
    return {
        name: {
            "color": _HUES[i % len(_HUES)],
            "linestyle": _DASHES[i // len(_HUES) % len(_DASHES)],
        }
        for i, name in enumerate(names)
    }


def mark_simulated(figure: Figure, simulated: bool) -> None:
    """Write on a `figure` where it is `simulated` and says nothing about skin: it travels alone."""
    if simulated:
        # As the title, because layouts keep room for a title and not for loose text.
        figure.suptitle(SIMULATED, x=0.01, ha="left", fontsize=8, color="#a11212", weight="bold")
