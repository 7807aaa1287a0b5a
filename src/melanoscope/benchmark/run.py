"""Running a benchmark: every cell trained, tested and written; what is done is not repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from melanoscope.benchmark.baselines import baseline_predictions
from melanoscope.benchmark.config import BenchmarkConfig, cells_of
from melanoscope.benchmark.dataset import Dataset, prepare_dataset
from melanoscope.benchmark.metadata import describe_run, describe_weights
from melanoscope.benchmark.run_cell import run_cell
from melanoscope.progress import RunProgress
from melanoscope.runs import files
from melanoscope.runs.cell import CellKey
from melanoscope.runs.run_folder import RunFolder
from melanoscope.runs.shares import share_folder


def run_benchmark(
    config: BenchmarkConfig,
    out: Path,
    cache: Path,
    progress: RunProgress,
    shares: Sequence[float] = (),
    draws: int = 1,
) -> RunFolder:
    """Train and test every cell of a run that is not yet done, and join their predictions.

    Args:
        config: Configuration of the run.
        out: Run folder; one of the same run is taken up where it stopped.
        cache: Folder of decoded photographs and of what was found in them.
        progress: Shows photographs, cells and epochs.
        shares: Shares of the training groups, above 0 and below 1, to repeat the run with
            afterwards, each in a run folder of its own inside (`runs.shares`).
        draws: Draws of the groups at each share: the number of seeds of its run.

    Returns:
        The run folder.

    Raises:
        MelanoscopeError: Data, weights or the folder are not what they should be, or another
            process writes the folder.
    """
    run_folder = RunFolder(out)
    configs = [replace(config, share=share, seeds=draws) for share in shares]
    with run_folder.exclusive():
        # Weights first: to learn in the third hour that they are missing helps nobody.
        weights = describe_weights(config)
        dataset = prepare_dataset(config, cache, progress)
        parts = [replace(dataset, config=one) for one in configs]
        planned = [(one.share, cell) for one in (config, *configs) for cell in cells_of(one)]
        _run_cells(dataset, weights, run_folder, planned, progress)
        for part in parts:
            folder = RunFolder(share_folder(out, part.config.share))
            with folder.exclusive():
                _run_cells(part, weights, folder, planned, progress)
    return run_folder


def _run_cells(
    dataset: Dataset,
    weights: dict[str, dict[str, str]],
    run_folder: RunFolder,
    planned: Sequence[tuple[float, CellKey]],
    progress: RunProgress,
) -> None:
    """Train the cells of the `dataset`'s share of all that are `planned`, and join them."""
    config = dataset.config
    run_folder.begin(
        describe_run(dataset, weights),
        {
            files.CATALOG: dataset.table(),
            files.NEAR_DUPLICATES: dataset.checks.pairs(),
            files.BASELINES: _baselines(dataset),
        },
    )
    for index, (share, cell) in enumerate(planned):
        if share != config.share:
            continue
        if run_folder.is_done(cell):
            run_folder.remove_training_state(cell)  # a kill may have come before
        else:
            name = cell.name if share == 1 else f"{cell.name} on {100 * share:g} %"
            progress.cell_begins(name, index, len(planned), config.train.epochs)
            run_cell(dataset, cell, run_folder, progress)
    run_folder.join_cells()


def _baselines(dataset: Dataset) -> pl.DataFrame:
    return pl.concat(
        baseline_predictions(dataset.usable.frame, dataset.split(repeat, fold)).with_columns(
            fold=pl.lit(fold, pl.Int64), repeat=pl.lit(repeat, pl.Int64)
        )
        for repeat in range(dataset.config.repeats)
        for fold in range(dataset.config.folds)
    )
