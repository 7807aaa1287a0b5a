"""Running the matrix: from archives to a run folder with predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark import ledger as files
from melanoscope.benchmark.ledger import Ledger
from melanoscope.benchmark.plan import Cell, Plan, cells_of
from melanoscope.benchmark.provenance import describe_run
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.folds import assign_folds, hold_out
from melanoscope.data.pixels import open_store
from melanoscope.data.sources import read_sources
from melanoscope.errors import DataError
from melanoscope.evidence.metrics import auroc
from melanoscope.evidence.thresholds import highest_f1
from melanoscope.models import lesion_net
from melanoscope.models.backbones import get_backbone
from melanoscope.models.weights import find_weights
from melanoscope.training.batches import LesionArrays, arrays_of
from melanoscope.training.fit import fit, predict


class Display(Protocol):
    """What a run tells of its progress."""

    def decoding(self, done: int, total: int) -> None:
        """So many photographs of those not yet in the store are decoded."""

    def cell_begins(self, cell: Cell, index: int, total: int, epochs: int) -> None:
        """A cell begins, the index-th (from 0) of all; earlier ones are done."""

    def epoch_ends(self, epoch: int, losses: dict[str, float]) -> None:
        """An epoch of the current cell is over (from 1)."""

    def cell_ends(self, cell: Cell, auroc: float) -> None:
        """The current cell is written."""


@dataclass(frozen=True)
class Prepared:
    """Data, folds and pixels of a plan."""

    catalog: Catalog
    usable: Catalog
    unreadable: dict[str, str]
    arrays: LesionArrays
    folds: list[NDArray[np.int64]]


def prepare(plan: Plan, cache: Path, display: Display) -> Prepared:
    """Read the archives, decode the photographs, divide them into folds.

    Raises:
        DataError: The archives, photographs or folds are not what the plan needs.
    """
    catalog = build_catalog(read_sources(plan.data, cache))
    store = open_store(catalog, plan.size, cache, progress=display.decoding)
    usable = catalog.present.without(store.unreadable)
    if not len(usable):
        raise DataError("readable photographs", "none", "see melanoscope data summary")
    frame = usable.frame
    folds = [
        assign_folds(
            frame["group_id"].to_list(), frame["target"].to_numpy(), plan.folds, plan.seed + repeat
        )
        for repeat in range(plan.repeats)
    ]
    return Prepared(catalog, usable, store.unreadable, arrays_of(frame, store), folds)


def run(plan: Plan, out: Path, cache: Path, display: Display) -> Ledger:
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
    prepared = prepare(plan, cache, display)
    book = Ledger(out)
    about = describe_run(
        plan, prepared.catalog, prepared.usable, prepared.unreadable, prepared.folds
    )
    fold_columns = [pl.Series(f"fold_r{r}", f) for r, f in enumerate(prepared.folds)]
    book.begin(about, prepared.usable.frame.with_columns(fold_columns), about["identity"])
    cells = cells_of(plan)
    for index, cell in enumerate(cells):
        if not book.is_done(cell):
            display.cell_begins(cell, index, len(cells), plan.recipe.epochs)
            score = run_cell(plan, prepared, cell, book, display.epoch_ends)
            display.cell_ends(cell, score)
    book.gather()
    return book


def run_cell(
    plan: Plan,
    prepared: Prepared,
    cell: Cell,
    book: Ledger,
    on_epoch: Callable[[int, dict[str, float]], None],
) -> float:
    """Train one network on all folds but one, test it on that one, write both; return AUROC."""
    files.discard(book.cell_folder(cell))
    frame, folds = prepared.usable.frame, prepared.folds[cell.repeat]
    seed = cell.seed(plan.seed)
    test = np.flatnonzero(folds == cell.fold)
    training = np.flatnonzero(folds != cell.fold)
    # The same validation photographs for every network of a fold: its seed names no network.
    held = hold_out(
        frame["group_id"].gather(training).to_list(),
        frame["target"].to_numpy()[training],
        plan.recipe.validation_fraction,
        plan.seed + cell.repeat,
    )
    train, validation = training[~held], training[held]
    network = _network(cell, plan, seed)
    result = fit(
        network, prepared.arrays, train, validation, plan.recipe, cell.transfer, seed, on_epoch
    )
    targets = prepared.arrays.targets.astype(np.int64)
    on_validation = predict(network, prepared.arrays, validation)
    threshold = highest_f1(targets[validation], on_validation)
    probabilities = predict(network, prepared.arrays, test)
    score = auroc(targets[test], probabilities)
    folder = book.cell_folder(cell)
    with files.refuse_full_disk(book.folder):
        folder.mkdir(parents=True, exist_ok=True)
        files.write_tensors(folder / "model.safetensors", network.state_dict())
        pl.DataFrame(result.history).write_csv(folder / "history.csv")
    about: dict[str, Any] = {
        "epochs_run": len(result.history),
        "best_epoch": result.best_epoch,
        "seconds": round(result.seconds, 2),
        "n_train": len(train),
        "n_validation": len(validation),
        "n_test": len(test),
        "threshold": threshold,
        "seed": seed,
        "auroc": score,
    }
    predictions = pl.DataFrame(
        {
            "image_id": frame["image_id"].gather(test),
            "target": frame["target"].gather(test),
            "probability": probabilities,
        }
    ).with_columns(threshold=pl.lit(threshold))
    book.finish_cell(cell, predictions, about)
    return score


def _network(cell: Cell, plan: Plan, seed: int) -> lesion_net.LesionNet:
    """Build a cell's network with weights of its own: nothing is carried from fold to fold."""
    import torch

    torch.manual_seed(seed)
    if cell.transfer == "scratch":
        return lesion_net.fresh(cell.backbone)
    return lesion_net.pretrained(cell.backbone, plan.weights)
