"""The best network's worst misses, as pictures: where to look before believing a number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from melanoscope.imaging.decode import UnreadableImageError, read_image
from melanoscope.report.figures.image_figures import photograph_tile, sign
from melanoscope.report.figures.style import styled
from melanoscope.report.sections.section import Section, SectionFigure

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from melanoscope.report.context import ReportContext

EACH = 6
_PX = 160


def misses(study: ReportContext, credit: str) -> Section | None:
    """Draw the melanomas with the lowest and the other lesions with the highest probability.

    Args:
        study: The run.
        credit: Source and licence of its photographs.

    Returns:
        None without a complete network, or when a photograph has gone since the run.
    """
    if study.best is None:
        return None
    one = study.predictions[study.best]
    rows = [
        _extreme(one.photograph, np.where(one.target == 1, one.probability, np.inf)),
        _extreme(one.photograph, np.where(one.target == 0, -one.probability, np.inf)),
    ]
    order = np.concatenate(rows)
    catalog = study.catalog_rows(one.photograph[order])
    try:
        pixels = [read_image(Path(path), _PX) for path in catalog["path"]]
    except UnreadableImageError:
        return None
    figure = _gallery(
        pixels, one.probability[order], catalog, credit, simulated=study.run.simulated
    )
    numbers = {
        "network": study.label(study.best),
        "missed_melanomas": [
            {"image_id": name, "probability": float(p)}
            for name, p in zip(catalog["image_id"][:EACH], one.probability[rows[0]], strict=True)
        ],
        "false_alarms": [
            {"image_id": name, "probability": float(p)}
            for name, p in zip(catalog["image_id"][EACH:], one.probability[rows[1]], strict=True)
        ],
    }
    caption = (
        "Upper row: melanomas with the lowest probabilities. Lower row: other lesions with the "
        f"highest. Below each the probability, the archive and the diagnosis. {credit}."
    )
    alt = f"{2 * EACH} photographs that the network judged most wrongly."
    drawing = SectionFigure("misses", figure, alt, caption, photographs=True)
    return Section("misses", "Worst misses", numbers, numbers, (drawing,))


def _extreme(photograph: NDArray[np.int64], score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of the lowest scores, each photograph once."""
    order = np.argsort(score, kind="stable")
    _, first = np.unique(photograph[order], return_index=True)
    return order[np.sort(first)][:EACH]


def _gallery(
    pixels: list[NDArray[np.uint8]],
    probability: NDArray[np.float64],
    catalog: pl.DataFrame,
    credit: str,
    *,
    simulated: bool,
) -> Figure:
    with styled():
        figure = Figure(figsize=(1.55 * EACH, 4.4), layout="constrained")
        grid = figure.subplots(2, EACH, squeeze=False)
        for i, axes in enumerate(grid.ravel()):
            photograph_tile(axes, pixels[i])
            row = catalog.row(i, named=True)
            words = f"{probability[i]:.3f}\n{row['dataset']}\n{row.get('diagnosis', '')}"
            axes.set_xlabel(words, fontsize=7)
        grid[0][0].set_title("Melanomas missed", fontsize=9)
        grid[1][0].set_title("False alarms", fontsize=9, pad=12)
        sign(figure, credit, simulated)
    return figure
