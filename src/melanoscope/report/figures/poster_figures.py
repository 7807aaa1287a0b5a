"""Figures 2 and 4 of a run: its own photographs, its own best network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from melanoscope import patient
from melanoscope.imaging.decode import UnreadableImageError, read_image
from melanoscope.models.integrated_gradients import BASELINE, integrated_gradients
from melanoscope.models.lesion_net import from_checkpoint
from melanoscope.report.figures.credit import credit_of
from melanoscope.report.figures.image_figures import (
    ImageFigure,
    attribution_figure,
    augmentation_figure,
)
from melanoscope.runs.reader import Run
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.predictions import CellPredictions
from melanoscope.training.augment import augment, sample_augmentation
from melanoscope.transfers import TRANSFER_NAMES

_PHOTOGRAPHS, _VARIATIONS = 4, 5


def figure_2(run: Run) -> ImageFigure | None:
    """Draw photographs beside their augmentations, both classes and all archives in turn.

    Returns:
        None when the photographs have gone since the run.
    """
    rows = (
        run.catalog.sort("image_id")
        .with_columns(turn=pl.int_range(pl.len()).over("dataset", "target"))
        .sort("turn", "target", "dataset")
        .head(_PHOTOGRAPHS)
    )
    originals = _read(rows, _size(run))
    if originals is None:
        return None
    generator = torch.Generator().manual_seed(0)
    repeated = torch.from_numpy(originals).repeat_interleave(_VARIATIONS, dim=0)
    varied = augment(repeated, sample_augmentation(len(repeated), generator)).permute(0, 2, 3, 1)
    pixels = (varied * 255).round().to(torch.uint8).numpy()
    shape = (len(originals), _VARIATIONS, *originals.shape[1:])
    return augmentation_figure(
        originals, pixels.reshape(shape), credit=credit_of(run, rows), simulated=run.simulated
    )


def figure_4(run: Run, labels: dict[str, str]) -> ImageFigure | None:
    """Draw the Integrated Gradients of the melanoma that the best cell is surest of.

    The cell is the one with the highest AUROC among those of the network with the highest mean, so
    the figure shows the network at its best, and says so.

    Returns:
        None when the photograph or the checkpoint has gone since the run.
    """
    cell = _best_cell(run)
    key = f"{cell.backbone}-{cell.transfer}-r{cell.repeat}-f{cell.fold}"
    checkpoint = run.path / "cells" / key / "model.safetensors"
    in_fold = run.catalog.filter(pl.col(f"fold_r{cell.repeat}") == cell.fold).sort("image_id")
    surest = int(np.where(cell.target == 1, cell.probability, -1.0).argmax())
    rows = in_fold[[surest]]
    photograph = _read(rows, _size(run))
    if photograph is None or not checkpoint.is_file():
        return None
    known = patient.encode(rows["age"].to_list(), rows["sex"].to_list(), rows["site"].to_list())
    network = from_checkpoint(cell.backbone, checkpoint)
    found = integrated_gradients(network, photograph[0], known[0])
    name = f"{labels.get(cell.backbone, cell.backbone)} ({TRANSFER_NAMES[cell.transfer]})"
    picture = attribution_figure(
        photograph[0],
        found.pixels,
        network=name,
        credit=credit_of(run, rows),
        probability=found.probability,
        melanoma=True,
        simulated=run.simulated,
    )
    more = (
        f" Baseline: {BASELINE}. Completeness error: {found.completeness_error:.2%} of the "
        f"difference of {found.difference:+.2f} in the logit. The photograph is the melanoma of "
        "its test fold that this network is surest of: the network at its best, not on average."
    )
    return ImageFigure(picture.figure, picture.caption + more, picture.alt)


def _best_cell(run: Run) -> CellPredictions:
    scores = [(auroc(c.target, c.probability), c) for c in run.cells]
    rows: dict[tuple[str, str], list[tuple[float, CellPredictions]]] = {}
    for score, cell in scores:
        rows.setdefault((cell.backbone, cell.transfer), []).append((score, cell))
    # A row that lacks folds would be judged by those that happened to finish first.
    most = max(len(row) for row in rows.values())
    complete = [row for row in rows.values() if len(row) == most]
    best = max(complete, key=lambda row: float(np.mean([score for score, _ in row])))
    return max(best, key=lambda scored: scored[0])[1]


def _size(run: Run) -> int:
    return int(run.record["configuration"]["size"])


def _read(rows: pl.DataFrame, px: int) -> NDArray[np.uint8] | None:
    try:
        return np.stack([read_image(Path(path), px) for path in rows["path"]])
    except UnreadableImageError:
        return None
