"""Running a benchmark: every cell trained, tested and written; what is done is not repeated."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.benchmark.baselines import baseline_predictions
from melanoscope.benchmark.config import BenchmarkConfig, cells_of
from melanoscope.benchmark.dataset import Dataset, prepare_dataset
from melanoscope.benchmark.metadata import describe_run, describe_weights
from melanoscope.benchmark.run_cell import run_cell
from melanoscope.progress import RunProgress
from melanoscope.runs import files
from melanoscope.runs.run_folder import RunFolder


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
        MelanoscopeError: Data, weights or the folder are not what they should be, or another
            process writes the folder.
    """
    run_folder = RunFolder(out)
    with run_folder.exclusive():
        # Weights first: to learn in the third hour that they are missing helps nobody.
        weights = describe_weights(config)
        dataset = prepare_dataset(config, cache, progress)
        run_folder.begin(
            describe_run(dataset, weights),
            {
                files.CATALOG: dataset.table(),
                files.NEAR_DUPLICATES: dataset.checks.pairs(),
                files.BASELINES: _baselines(dataset),
            },
        )
        cells = cells_of(config)
        for index, cell in enumerate(cells):
            if run_folder.is_done(cell):
                run_folder.remove_training_state(cell)  # a kill may have come before
            else:
                progress.cell_begins(cell.name, index, len(cells), config.train.epochs)
                run_cell(dataset, cell, run_folder, progress)
        run_folder.join_cells()
    return run_folder


def _baselines(dataset: Dataset) -> pl.DataFrame:
    return pl.concat(
        baseline_predictions(dataset.usable.frame, dataset.split(repeat, fold)).with_columns(
            fold=pl.lit(fold, pl.Int64), repeat=pl.lit(repeat, pl.Int64)
        )
        for repeat in range(dataset.config.repeats)
        for fold in range(dataset.config.folds)
    )
