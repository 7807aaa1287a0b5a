"""Figures 2 and 4 of a run: its own photographs, its own best network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope import patient
from melanoscope.errors import MelanoscopeError, WeightsError
from melanoscope.imaging.decode import read_image
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.image_figures import (
    attribution_figure,
    augmentation_figure,
    credit_of,
    refuse_other_photographs,
)
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.runs.cell import CellKey, RowKey, parse_transfer
from melanoscope.runs.reader import Run
from melanoscope.runs.run_folder import RunFolder
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.predictions import CellPredictions
from melanoscope.transfers import TRANSFER_NAMES

_PHOTOGRAPHS, _VARIATIONS = 4, 5


def figure_2(run: Run) -> ReportFigure | str:
    """Show photographs of both classes beside their augmentations; or say why it cannot be."""
    rows = (
        run.catalog.sort("image_id")
        .with_columns(turn=pl.int_range(pl.len()).over("dataset", "target"))
        .sort("turn", "target", "dataset")
        .head(_PHOTOGRAPHS)
    )
    try:
        originals = _read_images(rows, run)
    except MelanoscopeError as error:
        return str(error)
    # PyTorch is imported only here and below: a run whose photographs are elsewhere is reported
    # without it.
    from melanoscope.training.augment import variations

    return augmentation_figure(
        originals,
        variations(originals, _VARIATIONS),
        credit=credit_of(run, rows),
        simulated=run.simulated,
    )


def figure_4(context: ReportContext) -> ReportFigure | str | None:
    """Explain the positive that the best network is surest of, or say why it cannot be.

    Args:
        context: The results of the run.

    Returns:
        The figure; why there is none, as where photographs or weights have gone; or None where no
        network is complete.
    """
    if context.best is None:
        return None
    try:
        return _attribution_of(context, context.best)
    except MelanoscopeError as error:
        return str(error)


def _attribution_of(context: ReportContext, key: RowKey) -> ReportFigure:
    run = context.run
    cell = max(run.cells_of(key), key=lambda cell: auroc(cell.target, cell.probability))
    rows = run.catalog.filter(image_id=_surest_positive(cell))
    images = _read_images(rows, run)
    checkpoint = RunFolder(run.path).checkpoint(
        CellKey(
            cell.repeat,
            cell.fold,
            cell.backbone,
            parse_transfer(cell.transfer),
            cell.seed_index,
        )
    )
    if not checkpoint.is_file():
        raise WeightsError("the weights of the best network", f"no '{checkpoint}'", "keep them")
    from melanoscope.models.integrated_gradients import BASELINE, integrated_gradients
    from melanoscope.models.lesion_net import from_checkpoint

    static = patient.encode(rows["age"].to_list(), rows["sex"].to_list(), rows["site"].to_list())
    network = from_checkpoint(cell.backbone, checkpoint)
    attribution = integrated_gradients(network, images[0], static[0])
    label = context.labels.get(cell.backbone, cell.backbone)
    figure = attribution_figure(
        images[0],
        attribution.pixels,
        network=f"{label} ({TRANSFER_NAMES[cell.transfer]})",
        credit=credit_of(run, rows),
        probability=attribution.probability,
        target=run.target,
        positive=bool(rows["target"][0]),
        simulated=run.simulated,
    )
    tested_on = "the test set" if run.protocol == "poster" else "its test fold"
    more = (
        f" Baseline: {BASELINE}. Completeness error: {attribution.completeness_error:.2%} of the "
        f"difference of {attribution.difference:+.2f} in the logit. The photograph is the "
        f"{run.target.singular} of {tested_on} that this network is surest of: the network at its "
        "best, not on average."
    )
    return replace(figure, caption=figure.caption + more)


def _surest_positive(cell: CellPredictions) -> str:
    """Return the id of the positive that a cell gives the highest probability."""
    return str(cell.image_id[np.where(cell.target == 1, cell.probability, -1.0).argmax()])


def _read_images(rows: pl.DataFrame, run: Run) -> NDArray[np.uint8]:
    refuse_other_photographs(rows)
    return np.stack([read_image(Path(p), run.configuration.image_size) for p in rows["path"]])
