"""The best network's worst misses, as photographs: where to look before believing a number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import fill

import polars as pl
from matplotlib.figure import Figure

from melanoscope.errors import RunError
from melanoscope.imaging.decode import read_image
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.image_figures import (
    add_credit,
    credit_of,
    refuse_other_photographs,
    show_image,
)
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.figures.style import styled
from melanoscope.report.sections.section import Section
from melanoscope.report.target_words import upper_first

_EACH = 6
_IMAGE_SIZE = 160
_LINE = 24  # characters of a diagnosis in a line below a photograph


def misses_section(context: ReportContext) -> Section | None:
    """Show the positives with the lowest and the negatives with the highest probability."""
    if context.best is None:
        return None
    predictions, run = context.predictions[context.best], context.run
    tested = run.catalog[predictions.image_index].with_columns(
        probability=pl.Series(predictions.probability)
    )
    missed = _first_of_each(tested.filter(target=1).sort("probability", maintain_order=True))
    alarms = _first_of_each(
        tested.filter(target=0).sort("probability", descending=True, maintain_order=True)
    )
    target, credit = run.target, credit_of(run, run.catalog)
    missed_title = f"{upper_first(target.plural)} missed"
    try:
        refuse_other_photographs(pl.concat([missed, alarms]))
        gallery = _gallery(
            {missed_title: missed, "False alarms": alarms}, credit, simulated=run.simulated
        )
    except (RunError, UnreadableImageError) as error:
        return Section("misses", "Worst misses", {}, missing=str(error))
    numbers = {
        "network": context.label(context.best),
        "missed_positives": missed.select("image_id", "probability").to_dicts(),
        "false_alarms": alarms.select("image_id", "probability").to_dicts(),
    }
    figure = ReportFigure(
        name="misses",
        figure=gallery,
        alt=f"{missed.height + alarms.height} photographs that the network judged most wrongly.",
        caption=f"Upper row: {target.plural} with the lowest probabilities. Lower row: "
        f"{target.negative_plural} with the highest. Below each the probability, the archive and "
        f"the diagnosis. {credit}.",
        photographs=True,
    )
    return Section("misses", "Worst misses", numbers, numbers, (figure,))


def _first_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the first rows, each photograph once: repeats test it several times."""
    return rows.unique("image_id", keep="first", maintain_order=True).head(_EACH)


def _gallery(kinds: Mapping[str, pl.DataFrame], credit: str, *, simulated: bool) -> Figure:
    """Draw a row for each kind of miss, under its title.

    Raises:
        UnreadableImageError: A photograph has gone since the run.
    """
    with styled():
        figure = Figure(figsize=(1.55 * _EACH, 4.9), layout="compressed")
        grid = figure.subplots(len(kinds), _EACH, squeeze=False)
        for panels, (title, rows) in zip(grid, kinds.items(), strict=True):
            panels[0].set_title(title, fontsize=9, loc="left")
            for axes, row in zip(panels, rows.to_dicts(), strict=False):
                show_image(axes, read_image(Path(row["path"]), _IMAGE_SIZE))
                diagnosis = fill(row["diagnosis"] or "no diagnosis named", _LINE)
                axes.set_xlabel(
                    f"{row['probability']:.3f}\n{row['dataset']}\n{diagnosis}", fontsize=7
                )
            for axes in panels[rows.height :]:
                axes.set_axis_off()
        add_credit(figure, credit, simulated)
    return figure
