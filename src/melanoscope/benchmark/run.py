"""Running a benchmark: every cell trained, tested and written; what is done is not repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark.baselines import baseline_predictions
from melanoscope.benchmark.config import BenchmarkConfig, cells_of
from melanoscope.benchmark.dataset import Dataset, prepare_dataset
from melanoscope.benchmark.metadata import describe_run
from melanoscope.benchmark.splits import Split
from melanoscope.models import lesion_net
from melanoscope.models.backbones import get_backbone
from melanoscope.models.weights import find_weights
from melanoscope.progress import RunProgress
from melanoscope.runs.cell import CellKey
from melanoscope.runs.run_folder import RunFolder
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.metrics.thresholds import highest_f1
from melanoscope.stats.reference.poster_protocol import THRESHOLD
from melanoscope.training.fit import FitResult, fit, predict


def run_benchmark(
    config: BenchmarkConfig, out: Path, cache: Path, progress: RunProgress
) -> RunFolder:
    """Train and test every cell of a run that is not yet done, and join their predictions.

    Args:
        config: Configuration of the run.
        out: Run folder; one of the same run is taken up where it stopped.
        cache: Folder of decoded photographs and of what was found in them.
        progress: Shows photographs, cells and epochs.

    Returns:
        The run folder.

    Raises:
        MelanoscopeError: Data, weights or the folder are not what they should be.
    """
    # Weights first: to learn in the third hour that they are missing helps nobody.
    for name in config.backbones:
        if set(config.transfer) - {"scratch"} and get_backbone(name).pretrained:
            find_weights(get_backbone(name), config.weights)
    dataset = prepare_dataset(config, cache, progress)
    run_folder = RunFolder(out)
    run_folder.begin(describe_run(dataset), dataset.table(), dataset.checks.pairs())
    run_folder.write_baselines(_baselines(dataset))
    cells = cells_of(config)
    for index, cell in enumerate(cells):
        if not run_folder.is_done(cell):
            progress.cell_begins(cell.name, index, len(cells), config.train.epochs)
            progress.cell_ends(run_cell(dataset, cell, run_folder, progress.epoch_ends))
    run_folder.join_cells()
    return run_folder


def run_cell(
    dataset: Dataset,
    cell: CellKey,
    run_folder: RunFolder,
    on_epoch: Callable[[int, dict[str, float]], None],
) -> float:
    """Train the network of one cell, test it, and write it with its predictions.

    Args:
        dataset: Photographs, folds and configuration of the run.
        cell: Which network of which fold.
        run_folder: Where the cell is written.
        on_epoch: Called after each epoch with its number, from 1, and its losses.

    Returns:
        AUROC on the cell's test photographs.

    Raises:
        MelanoscopeError: The training went astray, weights are missing, or the disk is full.
    """
    config, arrays = dataset.config, dataset.arrays
    run_folder.begin_cell(cell)
    split = dataset.split(cell.repeat, cell.fold)
    seed = cell.seed(config.seed)
    network = _new_network(cell, config, seed, run_folder)
    fitted = fit(
        network, arrays, split.train, split.validation, config.train, cell.transfer, seed, on_epoch
    )
    targets = arrays.targets.astype(np.int64)
    on_validation = predict(network, arrays, split.validation)
    threshold = THRESHOLD
    if config.protocol == "corrected":
        threshold = highest_f1(targets[split.validation], on_validation)
    on_test = predict(network, arrays, split.test)
    score = auroc(targets[split.test], on_test)
    run_folder.finish_cell(
        cell,
        weights=network.state_dict(),
        history=pl.DataFrame(fitted.history),
        predictions=_predictions(dataset, split.test, on_test, threshold),
        validation=_predictions(dataset, split.validation, on_validation, threshold),
        record=_describe_fit(fitted, split)
        | {"threshold": threshold, "seed": seed, "auroc": score},
    )
    return score


def _describe_fit(fitted: FitResult, split: Split) -> dict[str, Any]:
    """Return what done.json says of a cell's training and of the sizes of its parts."""
    return {
        "epochs_run": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "seconds": round(fitted.seconds, 2),
        "n_train": len(split.train),
        "n_validation": len(split.validation),
        "n_test": len(split.test),
    }


def _predictions(
    dataset: Dataset,
    rows: NDArray[np.int64],
    probability: NDArray[np.float64],
    threshold: float,
) -> pl.DataFrame:
    frame = dataset.usable.frame
    return pl.DataFrame(
        {
            "image_id": frame["image_id"].gather(rows),
            "target": frame["target"].gather(rows),
            "probability": probability,
        }
    ).with_columns(threshold=pl.lit(threshold))


def _baselines(dataset: Dataset) -> pl.DataFrame:
    return pl.concat(
        baseline_predictions(dataset.usable.frame, dataset.split(repeat, fold)).with_columns(
            fold=pl.lit(fold, pl.Int64), repeat=pl.lit(repeat, pl.Int64)
        )
        for repeat in range(dataset.config.repeats)
        for fold in range(dataset.config.folds)
    )


def _new_network(
    cell: CellKey, config: BenchmarkConfig, seed: int, run_folder: RunFolder
) -> lesion_net.LesionNet:
    """Build a cell's network with weights of its own: nothing is carried from fold to fold.

    The poster's protocol carries everything: from its second fold on, each network is the one that
    the fold before has left.
    """
    import torch

    torch.manual_seed(seed)
    if config.protocol == "poster" and cell.fold > 0:
        before = replace(cell, fold=cell.fold - 1)
        return lesion_net.from_checkpoint(cell.backbone, run_folder.checkpoint(before))
    if cell.transfer == "scratch":
        return lesion_net.fresh(cell.backbone)
    with_static = cell.transfer != "image_only"
    return lesion_net.pretrained(cell.backbone, config.weights, with_static=with_static)
