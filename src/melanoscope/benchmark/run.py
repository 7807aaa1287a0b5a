"""Running the matrix: from archives to a run folder with predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark.baselines import baseline_predictions
from melanoscope.benchmark.config import BenchmarkConfig, CellKey, cells_of
from melanoscope.benchmark.dataset import Dataset, prepare_dataset
from melanoscope.benchmark.metadata import describe_run
from melanoscope.benchmark.splits import POSTER_THRESHOLD, Split, split
from melanoscope.models import lesion_net
from melanoscope.models.backbones import get_backbone
from melanoscope.models.weights import find_weights
from melanoscope.runs import run_folder as files
from melanoscope.runs.run_folder import RunFolder
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.metrics.thresholds import highest_f1
from melanoscope.training.fit import fit, predict


class Display(Protocol):
    """What a run tells of its progress."""

    def decoding(self, done: int, total: int) -> None:
        """So many photographs of those not yet in the store are decoded."""

    def cell_begins(self, cell: CellKey, index: int, total: int, epochs: int) -> None:
        """A cell begins, the index-th (from 0) of all; earlier ones are done."""

    def epoch_ends(self, epoch: int, losses: dict[str, float]) -> None:
        """An epoch of the current cell is over (from 1)."""

    def cell_ends(self, cell: CellKey, auroc: float) -> None:
        """The current cell is written."""


def run_benchmark(plan: BenchmarkConfig, out: Path, cache: Path, display: Display) -> RunFolder:
    """Run every cell of a plan that is not yet done, and join their predictions.

    Args:
        plan: What to do.
        out: Run folder; one of the same run is taken up where it stopped.
        cache: Folder of pixel stores.
        display: Told of the progress.

    Raises:
        MelanoscopeError: Data, weights or the folder are not what they should be.
    """
    # Weights first: to learn in the third hour that they are missing helps nobody.
    for name in plan.backbones:
        if set(plan.transfer) - {"scratch"} and get_backbone(name).pretrained:
            find_weights(get_backbone(name), plan.weights)
    prepared = prepare_dataset(plan, cache, display)
    book = RunFolder(out)
    about = describe_run(
        plan, prepared.catalog, prepared.usable, prepared.unreadable, prepared.folds
    )
    book.begin(about, prepared.table(), prepared.noticed.pairs(), about["identity"])
    book.write_baselines(_baselines(plan, prepared))
    cells = cells_of(plan)
    for index, cell in enumerate(cells):
        if not book.is_done(cell):
            display.cell_begins(cell, index, len(cells), plan.recipe.epochs)
            score = run_cell(plan, prepared, cell, book, display.epoch_ends)
            display.cell_ends(cell, score)
    for cell in book.finished():
        if not (book.cell_folder(cell) / "validation.parquet").is_file():
            _add_validation(plan, prepared, cell, book)
    book.gather()
    return book


def run_cell(
    plan: BenchmarkConfig,
    prepared: Dataset,
    cell: CellKey,
    book: RunFolder,
    on_epoch: Callable[[int, dict[str, float]], None],
) -> float:
    """Train one network on its training part, test it, write both; return AUROC."""
    files.discard(book.cell_folder(cell))
    parts = _split(plan, prepared, cell.repeat, cell.fold)
    seed = cell.seed(plan.seed)
    network = _network(cell, plan, seed, book)
    result = fit(
        network,
        prepared.arrays,
        parts.train,
        parts.validation,
        plan.recipe,
        cell.transfer,
        seed,
        on_epoch,
    )
    targets = prepared.arrays.targets.astype(np.int64)
    on_validation = predict(network, prepared.arrays, parts.validation)
    threshold = (
        POSTER_THRESHOLD
        if plan.protocol == "poster"
        else highest_f1(targets[parts.validation], on_validation)
    )
    probabilities = predict(network, prepared.arrays, parts.test)
    score = auroc(targets[parts.test], probabilities)
    folder = book.cell_folder(cell)
    with files.refuse_full_disk(book.folder):
        folder.mkdir(parents=True, exist_ok=True)
        files.write_tensors(folder / "model.safetensors", network.state_dict())
        pl.DataFrame(result.history).write_csv(folder / "history.csv")
    about: dict[str, Any] = {
        "epochs_run": len(result.history),
        "best_epoch": result.best_epoch,
        "seconds": round(result.seconds, 2),
        "n_train": len(parts.train),
        "n_validation": len(parts.validation),
        "n_test": len(parts.test),
        "threshold": threshold,
        "seed": seed,
        "auroc": score,
    }
    frame = prepared.usable.frame
    book.finish_cell(
        cell,
        _rows(frame, parts.test, probabilities, threshold),
        _rows(frame, parts.validation, on_validation, threshold),
        about,
    )
    return score


def _split(plan: BenchmarkConfig, prepared: Dataset, repeat: int, fold: int) -> Split:
    # The same validation photographs for every network of a fold: its seed names no network.
    return split(
        plan.protocol,
        prepared.usable.frame,
        prepared.folds[repeat],
        fold,
        plan.recipe.validation_fraction,
        plan.seed + repeat,
    )


def _rows(
    frame: pl.DataFrame,
    chosen: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    threshold: float,
) -> pl.DataFrame:
    columns = {
        "image_id": frame["image_id"].gather(chosen),
        "target": frame["target"].gather(chosen),
        "probability": probabilities,
    }
    return pl.DataFrame(columns).with_columns(threshold=pl.lit(threshold))


def _add_validation(
    plan: BenchmarkConfig, prepared: Dataset, cell: CellKey, book: RunFolder
) -> None:
    """Give a cell of an earlier version the validation predictions that calibration needs."""
    folder = book.cell_folder(cell)
    network = lesion_net.from_checkpoint(cell.backbone, folder / "model.safetensors")
    threshold = float(json.loads((folder / "done.json").read_text())["threshold"])
    chosen = _split(plan, prepared, cell.repeat, cell.fold).validation
    rows = _rows(
        prepared.usable.frame, chosen, predict(network, prepared.arrays, chosen), threshold
    )
    with files.refuse_full_disk(book.folder):
        files.write_frame(folder / "validation.parquet", rows)


def _baselines(plan: BenchmarkConfig, prepared: Dataset) -> pl.DataFrame:
    parts = []
    for repeat in range(plan.repeats):
        for fold in range(plan.folds):
            predicted = baseline_predictions(
                prepared.usable.frame, _split(plan, prepared, repeat, fold)
            )
            parts.append(
                predicted.with_columns(fold=pl.lit(fold, pl.Int64), repeat=pl.lit(repeat, pl.Int64))
            )
    return pl.concat(parts)


def _network(
    cell: CellKey, plan: BenchmarkConfig, seed: int, book: RunFolder
) -> lesion_net.LesionNet:
    """Build a cell's network with weights of its own: nothing is carried from fold to fold.

    The poster's protocol carries everything: from its second fold on, each network is the one that
    the fold before has left.
    """
    import torch

    torch.manual_seed(seed)
    if plan.protocol == "poster" and cell.fold > 0:
        before = replace(cell, fold=cell.fold - 1)
        return lesion_net.from_checkpoint(
            cell.backbone, book.cell_folder(before) / "model.safetensors"
        )
    with_static = cell.transfer != "image_only"
    if cell.transfer == "scratch":
        return lesion_net.fresh(cell.backbone)
    return lesion_net.pretrained(cell.backbone, plan.weights, with_static=with_static)
