"""One cell of a run: its network begun, trained from where it stopped, tested and written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.dataset import Dataset
from melanoscope.benchmark.metadata import describe_software
from melanoscope.benchmark.splits import Split
from melanoscope.models import lesion_net
from melanoscope.progress import RunProgress
from melanoscope.runs.cell import CellKey
from melanoscope.runs.file_records import identity_hash
from melanoscope.runs.run_folder import RunFolder
from melanoscope.seeds import Purpose, derive_seed
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.metrics.thresholds import highest_f1
from melanoscope.stats.reference.poster_protocol import THRESHOLD
from melanoscope.training.fit import FitResult, fit, predict
from melanoscope.training.training_state import StateFile


def run_cell(dataset: Dataset, cell: CellKey, run_folder: RunFolder, progress: RunProgress) -> None:
    """Train the network of one cell, test it, and write it with its predictions.

    Args:
        dataset: Photographs, folds and configuration of the run.
        cell: Which network, fold and seed. A training that was stopped goes on after its last
            epoch.
        run_folder: Where the cell is written; the run must have begun in it.
        progress: Shows epochs.

    Raises:
        MelanoscopeError: The training went astray, weights are missing, or the disk is full.
    """
    import torch

    config, arrays = dataset.config, dataset.arrays
    run_folder.begin_cell(cell)
    record = run_folder.record
    # More threads add up in another order: a run taken up elsewhere keeps the number it began with.
    torch.set_num_threads(record["threads"])
    conditions = _conditions(record, cell)
    training = identity_hash({**conditions, "cell": cell.name})
    split = dataset.split(cell.repeat, cell.fold, cell.seed_index)
    seeds = cell.seeds(config.seed)
    seed = seeds["training"]
    network = _new_network(cell, config, seed, run_folder, conditions["weights"])
    fitted = fit(
        network,
        arrays,
        split.train,
        split.validation,
        config.train,
        cell.transfer,
        seed,
        progress.epoch_ends,
        StateFile(run_folder.training_state(cell), training),
        progress.cell_resumes,
    )
    targets = arrays.targets.astype(np.int64)
    on_validation = predict(network, arrays, split.validation)
    threshold = THRESHOLD
    if config.protocol == "corrected":
        threshold = highest_f1(targets[split.validation], on_validation)
    on_test = predict(network, arrays, split.test)
    score = area_under_roc(targets[split.test] == 1, on_test)
    run_folder.finish_cell(
        cell,
        weights=network.state_dict(),
        history=pl.DataFrame(fitted.history),
        predictions=_predictions(dataset, split.test, on_test, threshold),
        validation=_predictions(dataset, split.validation, on_validation, threshold),
        record=_describe_fit(fitted, split)
        | conditions
        | {"n_train_positives": int(targets[split.train].sum())}
        | {"threshold": threshold, "seeds": seeds, "auroc": score},
    )
    progress.cell_ends(score)


def _conditions(record: dict[str, Any], cell: CellKey) -> dict[str, Any]:
    """Return what a cell's bits depend on beside its name: the run, weights, threads, software."""
    weights = record["weights"].get(cell.backbone)
    return {
        "identity": identity_hash(record["identity"]),
        "weights": None if cell.transfer == "scratch" or weights is None else weights["xxh3"],
        "threads": record["threads"],
        "software": describe_software(),
    }


def _describe_fit(fitted: FitResult, split: Split) -> dict[str, Any]:
    """Return what done.json says of a cell's training and of the sizes of its parts."""
    return {
        "epochs_run": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "seconds": round(fitted.seconds, 2),
        "resumed_after": fitted.resumed_after,
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


def _new_network(
    cell: CellKey,
    config: BenchmarkConfig,
    seed: int,
    run_folder: RunFolder,
    weights_hash: str | None,
) -> lesion_net.LesionNet:
    """Build a cell's network with weights of its own: nothing is carried from fold to fold.

    The poster's protocol carries everything: from its second fold on, each network is the one that
    the fold before has left.
    """
    import torch

    torch.manual_seed(derive_seed(seed, Purpose.WEIGHTS))
    if config.protocol == "poster" and cell.fold > 0:
        before = replace(cell, fold=cell.fold - 1)
        return lesion_net.from_checkpoint(cell.backbone, run_folder.checkpoint(before))
    if cell.transfer == "scratch":
        return lesion_net.fresh(cell.backbone)
    return lesion_net.pretrained(
        cell.backbone,
        config.weights,
        with_static=cell.transfer != "image_only",
        expected_hash=weights_hash,
    )
