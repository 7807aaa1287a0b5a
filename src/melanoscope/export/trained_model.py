"""What is exported: a trained network, the photographs it learnt from, and those it never saw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import torch

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.dataset import Dataset, prepare_dataset
from melanoscope.benchmark.metadata import describe_run, describe_weights
from melanoscope.benchmark.run_cell import run_cell
from melanoscope.benchmark.splits import Split
from melanoscope.data.sources import DataSpec
from melanoscope.errors import RunError, nearest
from melanoscope.inference.manifest_records import Selection
from melanoscope.models.backbones import get_backbone
from melanoscope.models.lesion_net import LesionNet, from_checkpoint
from melanoscope.models.weights import find_weights
from melanoscope.progress import RunProgress
from melanoscope.runs import files
from melanoscope.runs.cell import CellKey
from melanoscope.runs.reader import Run, read_run
from melanoscope.runs.record_schema import CellRecord, RunRecord, decode_record
from melanoscope.runs.results import RunResults, best_row
from melanoscope.runs.run_folder import RunFolder
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import Target
from melanoscope.training.batches import LesionArrays


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedModel:
    """A trained network with its photographs.

    Attributes:
        network: The network, in evaluation, on the processor.
        cell: Which network of which fold it is.
        config: How it was trained.
        frame: Catalog of the photographs with groups and skin tone.
        id_spaces: Name of an archive's table -> the space that its ids belong to.
        arrays: What a network sees of the photographs; they are those of `frame` by their ids.
        split: Rows of `arrays` that it learnt from; that decided on stopping, and now on
            temperature, thresholds and the gate; that it is tested on. No group is in two of them.
        run_metadata: Content of run.json: data, versions, hardware.
        cell_metadata: Content of the cell's done.json: epochs, seeds, seconds.
        selection: How it was chosen among others; None where there were none.
    """

    network: LesionNet
    cell: CellKey
    config: BenchmarkConfig
    frame: pl.DataFrame
    id_spaces: Mapping[str, str]
    arrays: LesionArrays
    split: Split
    run_metadata: RunRecord
    cell_metadata: CellRecord
    selection: Selection | None

    @property
    def target(self) -> Target:
        """Which lesions are positive."""
        return self.config.target


def train_model(
    config: BenchmarkConfig, work: Path, cache: Path, display: RunProgress
) -> TrainedModel:
    """Train one network on all groups but those of the calibration and the test photographs.

    Args:
        config: Configuration of one backbone and one transfer. Its first fold is tested on; of the
            rest, the recipe's validation fraction is calibrated on.
        work: Run folder of the training; a finished training is not repeated.
        cache: Folder of pixel stores.
        display: Receives the progress.

    Returns:
        The trained model.

    Raises:
        MelanoscopeError: Data, weights or the folder are not what they should be.
    """
    backbone = get_backbone(config.backbones[0])
    if config.transfer[0] != "scratch" and not backbone.pretrained:
        find_weights(backbone, config.weights)  # refuses it; a comparison would skip the network
    run_folder = RunFolder(work)
    with run_folder.exclusive():
        weights = describe_weights(config)  # before anything takes time
        dataset = prepare_dataset(config, cache, display)
        tables = {files.CATALOG: dataset.table(), files.NEAR_DUPLICATES: dataset.checks.pairs()}
        begun = run_folder.begin(describe_run(dataset, weights), tables)
        metadata = decode_record(begun, RunRecord, files.RUN)
        cell = CellKey(0, 0, backbone.name, config.transfer[0])
        if not run_folder.is_done(cell):
            display.cell_begins(cell.name, 0, 1, config.train.epochs)
            run_cell(dataset, cell, run_folder, display)
        return _load_model(dataset, run_folder, cell, metadata)


def is_training_of(work: Path, config: BenchmarkConfig) -> bool:
    """Say whether `work` is the run folder of a finished training with the same options."""
    run_folder = RunFolder(work)
    try:
        same = run_folder.record["configuration"] == json.loads(json.dumps(config.to_dict()))
    except (RunError, KeyError):
        return False
    return same and bool(run_folder.finished())


def choose_cell(
    run: Run, *, backbone: str | None = None, transfer: str | None = None, fold: int = 0
) -> tuple[CellKey, Selection]:
    """Choose a cell of a run, by default of the network with the highest mean AUROC."""
    # The first fold by default: all are alike, and to take the best one by its test photographs
    # would spoil the test.
    if run.protocol != "corrected":
        raise RunError(
            "a run of the corrected protocol",
            f"protocol {run.protocol}",
            "export from another: here test patients were trained on",
        )
    results = RunResults(run=run)
    summary = results.by_cells
    rows = [
        row
        for row in summary.rows
        if row.keys and backbone in (None, row.backbone) and transfer in (None, row.transfer)
    ]
    best = best_row(rows)
    if best is None:
        known = [f"{row.backbone}-{row.transfer}" for row in summary.rows if row.complete]
        wanted = f"{backbone or 'any'}-{transfer or 'any'}"
        raise RunError("a network with all its folds", wanted, nearest(wanted, known))
    row = best.backbone, best.transfer
    cells = {key.fold: key for key in run.records if key.row == row and key.is_first}
    if fold not in cells:
        raise RunError("a fold of the run", str(fold), f"known: {min(cells)} to {max(cells)}")
    return cells[fold], Selection(
        by="highest mean AUROC over the folds" if backbone is None else "name",
        among=len(rows),
        auroc=results.primary(row) or _unbounded(best.estimate("auroc"), run),
    )


def _unbounded(estimate: float, run: Run) -> Interval:
    """Return an AUROC of too few patients for an interval: anything is possible."""
    return Interval(
        estimate=estimate,
        low=0.0,
        high=1.0,
        standard_error=float("nan"),
        n=run.catalog["group_id"].n_unique(),
        method="none: too few patients for an interval",
        unit="groups",
    )


def model_from_run(
    folder: Path,
    cache: Path,
    display: RunProgress,
    *,
    backbone: str | None = None,
    transfer: str | None = None,
    fold: int = 0,
    data: Sequence[DataSpec] = (),
) -> TrainedModel:
    """Take a network of a finished run.

    Args:
        folder: Folder of the run.
        cache: Folder of pixel stores.
        display: Receives the progress.
        backbone: Name of the backbone; None for the one with the highest mean AUROC.
        transfer: Name of the transfer; None likewise.
        fold: Fold of the first repeat, from 0; its first training is taken.
        data: Where the archives are now; by default where they were.

    Returns:
        The trained model.

    Raises:
        MelanoscopeError: The run cannot be used, or its photographs or folds cannot be had again.
    """
    run = read_run(folder)
    cell, selection = choose_cell(run, backbone=backbone, transfer=transfer, fold=fold)
    config = BenchmarkConfig.from_dict(run.record.to_dict()["configuration"], data)
    dataset = prepare_dataset(config, cache, display)
    known, found = run.record.data.fingerprint, dataset.usable.fingerprint(dataset.contents)
    if known != found:
        raise RunError(
            f"the photographs of the run (fingerprint {known[:12]}...)",
            f"others ({found[:12]}...)",
            "name the archives as they were with --data",
        )
    model = _load_model(dataset, RunFolder(folder), cell, run.record, selection)
    _check_split(run, model)
    return model


def _check_split(run: Run, model: TrainedModel) -> None:
    """Compare the held-out photographs with those of the run, by their ids."""
    # Were they others, the network might be tested on photographs that it learnt from.
    cell = model.cell
    for rows, table in (
        (model.split.test, run.predictions),
        (model.split.validation, run.validation),
    ):
        recorded = table.filter(
            backbone=cell.backbone,
            transfer=cell.transfer,
            repeat=cell.repeat,
            fold=cell.fold,
            seed_index=cell.seed_index,
        )
        known, found = set(recorded["image_id"]), set(model.arrays.image_id[rows].tolist())
        if known != found:
            raise RunError(
                f"the held-out photographs of {cell.name} as the run divided them",
                f"{len(known ^ found)} others",
                "export with the version that made the run, or make the run anew",
            )


def _load_model(
    dataset: Dataset,
    run_folder: RunFolder,
    cell: CellKey,
    run_metadata: RunRecord,
    selection: Selection | None = None,
) -> TrainedModel:
    torch.set_num_threads(run_metadata.threads)  # as in training: another number, other bits
    return TrainedModel(
        network=from_checkpoint(cell.backbone, run_folder.checkpoint(cell)),
        cell=cell,
        config=dataset.config,
        frame=dataset.table(),
        id_spaces=dataset.catalog.id_spaces,
        arrays=dataset.arrays,
        split=dataset.split(cell.repeat, cell.fold, cell.seed_index),
        run_metadata=run_metadata,
        cell_metadata=run_folder.cell_record(cell),
        selection=selection,
    )
