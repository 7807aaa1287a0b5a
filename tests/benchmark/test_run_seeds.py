"""Runs of several trainings of each network on each fold."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.run import run_benchmark
from melanoscope.data.sources import parse_spec
from melanoscope.errors import RunError
from melanoscope.progress import RunProgress
from melanoscope.runs.cell import CellKey
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import RunResults
from melanoscope.training.config import TrainConfig

CONFIG = BenchmarkConfig(
    (parse_spec("simulated=60"),),
    ("standard_cnn",),
    ("scratch",),
    folds=2,
    image_size=32,
    train=TrainConfig(epochs=1, batch_size=16),
    threads=1,
)
FIRST = ["standard_cnn-scratch-r0-f0", "standard_cnn-scratch-r0-f1"]
FURTHER = [f"{name}-s1" for name in FIRST]


class Names(RunProgress):
    """Keeps the names of the cells that were begun; ends the process before one."""

    def __init__(self, until: str = "") -> None:
        super().__init__(quiet=True)
        self.cells: list[str] = []
        self.until = until

    def cell_begins(self, name: str, index: int, total: int, epochs: int) -> None:
        if name == self.until:
            raise KeyboardInterrupt
        self.cells.append(name)
        super().cell_begins(name, index, total, epochs)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def begin(out: Path, cache: Path, *, seeds: int, until: str = "", seed: int = 0) -> list[str]:
    progress = Names(until)
    try:
        run_benchmark(replace(CONFIG, seeds=seeds, seed=seed), out, cache, progress)
    except KeyboardInterrupt:
        assert until
    return progress.cells


@pytest.fixture(scope="module")
def whole(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two seeds, in one go."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert begin(out, cache, seeds=2) == FIRST + FURTHER
    return out


def table(out: Path, name: str = "predictions.parquet") -> pl.DataFrame:
    return pl.read_parquet(out / name)


def test_further_seeds_change_nothing_of_the_first(
    whole: Path, cache: Path, tmp_path: Path
) -> None:
    assert begin(tmp_path / "run", cache, seeds=1) == FIRST
    for name in ("predictions.parquet", "validation.parquet"):
        alone = table(tmp_path / "run", name)
        assert alone["seed_index"].unique().to_list() == [0]
        assert alone.equals(table(whole, name).filter(seed_index=0))


def test_seeds_differ_in_the_training_and_in_nothing_else(whole: Path) -> None:
    first, second = (table(whole).filter(seed_index=s).sort("fold", "image_id") for s in (0, 1))
    assert first.select("image_id", "fold").equals(second.select("image_id", "fold"))
    assert not first["probability"].equals(second["probability"])
    records = [json.loads((whole / "cells" / n / "done.json").read_text()) for n in FIRST + FURTHER]
    for record, name in zip(records, FIRST + FURTHER, strict=True):
        assert record["cell"] == name
        assert record["seeds"] == CellKey.named(name).seeds(0)
    assert len({record["seeds"]["training"] for record in records}) == 4
    assert len({record["seeds"]["validation"] for record in records}) == 2
    assert len({record["seeds"]["division"] for record in records}) == 1


def test_a_run_may_be_given_more_seeds_and_ends_as_if_it_had_had_them(
    whole: Path, cache: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert begin(out, cache, seeds=1) == FIRST
    assert begin(out, cache, seeds=2, until=FURTHER[1]) == FURTHER[:1]
    assert begin(out, cache, seeds=2) == FURTHER[1:]
    assert table(out).equals(table(whole))
    assert begin(out, cache, seeds=1) == []  # fewer take nothing away
    assert table(out).equals(table(whole))
    assert read_run(out).configuration.seeds == 2
    with pytest.raises(RunError, match="seed = 1"):
        begin(out, cache, seeds=2, seed=1)


def test_results_are_means_over_seeds(whole: Path) -> None:
    results = RunResults(run=read_run(whole), replicates=100)
    row = results.summary.rows[0]
    assert (row.complete, row.finished, row.planned) == (True, 4, 4)
    assert row.keys == ((0, 0), (0, 1))
    assert row.over_folds["auroc"].n == 2
    of_cells = [row.cells["auroc"][0, 1, seed_index] for seed_index in (0, 1)]
    assert row.values["auroc"][1] == pytest.approx(sum(of_cells) / 2)
    predictions = results.predictions["standard_cnn", "scratch"]
    assert predictions.fold_ids.tolist() == [0, 1, 2, 3]
    bootstrapped = results.bootstrapped["standard_cnn", "scratch"]
    assert bootstrapped.estimate["auroc"] == pytest.approx(row.estimate("auroc"))


def test_cells_of_other_seeds_are_not_mixed(whole: Path, tmp_path: Path) -> None:
    """A folder under another seed's name is found, though it holds the same photographs."""
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    shutil.rmtree(out / "cells" / FURTHER[0])
    shutil.copytree(out / "cells" / FIRST[0], out / "cells" / FURTHER[0])
    with pytest.raises(RunError, match=rf"expected {FURTHER[0]} in its folder"):
        read_run(out)


@pytest.mark.parametrize("column", ["seed_index", "repeat", "fold"])
def test_predictions_of_a_cell_that_was_not_planned(
    whole: Path, tmp_path: Path, column: str
) -> None:
    out = tmp_path / "run"
    shutil.copytree(whole, out)
    beyond = table(out).with_columns(pl.lit(7, pl.Int64).alias(column))
    beyond.write_parquet(out / "predictions.parquet")
    with pytest.raises(RunError, match=rf"{column} 7"):
        read_run(out)
