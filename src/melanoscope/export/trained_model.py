"""What is to be sealed: a trained network, what it learnt from, and what it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.dataset import Dataset, prepare_dataset
from melanoscope.benchmark.metadata import describe_run
from melanoscope.benchmark.run import run_cell
from melanoscope.benchmark.splits import Split
from melanoscope.data.sources import DataSpec
from melanoscope.errors import RunError, nearest
from melanoscope.models.backbones import get_backbone
from melanoscope.models.lesion_net import LesionNet, from_checkpoint
from melanoscope.models.weights import find_weights
from melanoscope.progress import RunProgress
from melanoscope.runs.cell import CellKey
from melanoscope.runs.reader import Run, read_run
from melanoscope.runs.results import RunResults, best_row
from melanoscope.runs.run_folder import RunFolder
from melanoscope.training.batches import LesionArrays


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A trained network with its photographs.

    Attributes:
        network: In evaluation, on the processor.
        cell: Which network of which fold it is.
        plan: How it was trained.
        frame: The photographs with groups and skin tone, row by row as `arrays`.
        arrays: What a network sees of them.
        split: Rows it learnt from; rows that decided on stopping, and now on temperature,
            thresholds and the gate; rows it is tested on. No group is in two of them.
        about: run.json's content: data, versions, hardware.
        done: What is known of its training.
        selection: How it was chosen among others; None where there were none.
    """

    network: LesionNet
    cell: CellKey
    plan: BenchmarkConfig
    frame: pl.DataFrame
    arrays: LesionArrays
    split: Split
    about: dict[str, Any]
    done: dict[str, Any]
    selection: dict[str, Any] | None = None


def train_model(
    plan: BenchmarkConfig, work: Path, cache: Path, display: RunProgress
) -> TrainedModel:
    """Train the one network of a plan on all groups but a held-out calibration and test part.

    Args:
        plan: Of one backbone and one arm. Its first fold is the test part; of the rest, the
            recipe's validation fraction is the calibration part.
        work: Run folder of the training; a finished training is not repeated.
        cache: Folder of pixel stores.
        display: Told of the progress.

    Raises:
        MelanoscopeError: Data, weights or the folder are not what they should be.
    """
    backbone, arm = get_backbone(plan.backbones[0]), plan.transfer[0]
    if arm != "scratch":
        find_weights(backbone, plan.weights)  # before anything takes time
    prepared = prepare_dataset(plan, cache, display)
    book = RunFolder(work)
    about = describe_run(prepared)
    book.begin(about, prepared.table(), prepared.checks.pairs())
    cell = CellKey(0, 0, backbone.name, arm)
    if not book.is_done(cell):
        display.cell_begins(cell.name, 0, 1, plan.train.epochs)
        display.cell_ends(run_cell(prepared, cell, book, display.epoch_ends))
    return _subject(prepared, book, cell, about)


def choose_cell(
    run: Run, *, backbone: str | None = None, transfer: str | None = None, fold: int | None = None
) -> tuple[CellKey, dict[str, Any]]:
    """Choose which network of a run to seal.

    Args:
        run: Of the corrected protocol, with finished cells.
        backbone: Its name; None for that of the row with the highest mean AUROC over all folds.
        transfer: Its arm; None likewise.
        fold: Of the first repeat; None for the first: all folds are alike, and to take the best one
            by its test part would spoil the test.

    Returns:
        The cell, and what its row scored over all folds, among how many rows.

    Raises:
        RunError: A run by the poster's protocol, or no such network.
    """
    if run.protocol != "corrected":
        raise RunError(
            "a run of the corrected protocol",
            f"protocol {run.protocol}",
            "seal another: here test patients were trained on",
        )
    summary = RunResults(run=run).summary
    rows = [
        row
        for row in summary.rows
        if row.keys and backbone in (None, row.backbone) and transfer in (None, row.transfer)
    ]
    best = best_row(rows)
    if best is None:
        known = [f"{row.backbone}-{row.transfer}" for row in summary.rows if row.complete]
        asked = f"{backbone or 'any'}-{transfer or 'any'}"
        raise RunError("a network with all its folds", asked, nearest(asked, known))
    row = best.backbone, best.transfer
    cells = {key.fold: key for key in run.records if key.row == row and key.repeat == 0}
    if (fold or 0) not in cells:
        raise RunError("a fold of the run", str(fold), f"known: {min(cells)} to {max(cells)}")
    auroc = best.intervals["auroc"]
    return cells[fold or 0], {
        "by": "highest mean AUROC over the folds" if backbone is None else "name",
        "among": len(rows),
        "auroc": {
            "estimate": auroc.estimate,
            "low": auroc.low,
            "high": auroc.high,
            "n": auroc.n,
            "method": auroc.method,
        },
    }


def model_from_run(
    folder: Path,
    cache: Path,
    display: RunProgress,
    *,
    backbone: str | None = None,
    transfer: str | None = None,
    fold: int | None = None,
    data: Sequence[DataSpec] = (),
) -> TrainedModel:
    """Take a network of a finished run.

    Args:
        folder: The run.
        cache: Folder of pixel stores.
        display: Told of the progress.
        backbone: As `choose_cell`.
        transfer: As `choose_cell`.
        fold: As `choose_cell`.
        data: Where the archives are now; by default where they were.

    Raises:
        MelanoscopeError: The run, or photographs that are not those of the run.
    """
    run = read_run(folder)
    cell, selection = choose_cell(run, backbone=backbone, transfer=transfer, fold=fold)
    plan = BenchmarkConfig.from_dict(run.record["configuration"], data)
    prepared = prepare_dataset(plan, cache, display)
    known, found = run.record["data"]["fingerprint"], prepared.usable.fingerprint()
    if known != found:
        raise RunError(
            f"the photographs of the run (fingerprint {known[:12]}...)",
            f"others ({found[:12]}...)",
            "name the archives as they were with --data",
        )
    return replace(_subject(prepared, RunFolder(folder), cell, run.record), selection=selection)


def _subject(
    prepared: Dataset, book: RunFolder, cell: CellKey, about: dict[str, Any]
) -> TrainedModel:
    return TrainedModel(
        network=from_checkpoint(cell.backbone, book.checkpoint(cell)),
        cell=cell,
        plan=prepared.config,
        frame=prepared.table(),
        arrays=prepared.arrays,
        split=prepared.split(cell.repeat, cell.fold),
        about=about,
        done=book.cell_record(cell),
    )
