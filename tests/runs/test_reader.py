"""Every way a run folder can be broken is said in one line."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from melanoscope.errors import RunError
from melanoscope.runs.reader import read_run
from tests.conftest import record_all


def edit_record(folder, change):
    record = json.loads((folder / "run.json").read_text())
    change(record)
    (folder / "run.json").write_text(json.dumps(record))


def edit_predictions(folder, *changes):
    file = folder / "predictions.parquet"
    pl.read_parquet(file).with_columns(*changes).write_parquet(file)


def first_cell(folder):
    return folder / "cells" / "vgg16-finetune-r0-f0"


def test_cells_are_complete_and_in_one_order(run_folder):
    run = read_run(run_folder)
    file = run_folder / "predictions.parquet"
    pl.read_parquet(file).sample(fraction=1, shuffle=True, seed=1).write_parquet(file)
    record_all(run_folder)
    shuffled = read_run(run_folder)
    assert len(run.cells) == 35
    assert run.cells_per_row == 5
    assert len(run.planned) == 7
    for one, other in zip(run.cells, shuffled.cells, strict=True):
        assert (one.backbone, one.fold) == (other.backbone, other.fold)
        np.testing.assert_array_equal(one.probability, other.probability)
    assert sum(c.target.size for c in run.cells[:5]) == 300


def test_cells_carry_the_ids_of_their_photographs(run_folder):
    run = read_run(run_folder)
    target = dict(run.catalog.select("image_id", "target").iter_rows())
    table = pl.read_parquet(run_folder / "predictions.parquet")
    for cell in run.cells:
        assert [target[name] for name in cell.image_id] == cell.target.tolist()
        rows = table.filter(backbone=cell.backbone, transfer=cell.transfer, fold=cell.fold)
        probability = dict(rows.select("image_id", "probability").iter_rows())
        assert [probability[name] for name in cell.image_id] == cell.probability.tolist()


@pytest.mark.parametrize(
    "name",
    [
        *("run.json", "catalog.parquet", "near_duplicates.parquet", "baselines.parquet"),
        *("predictions.parquet", "validation.parquet"),
    ],
)
def test_missing_files(run_folder, name):
    (run_folder / name).unlink()
    with pytest.raises(RunError, match=name):
        read_run(run_folder)


@pytest.mark.parametrize("name", ["done.json", "history.csv"])
def test_missing_files_of_a_cell(run_folder, name):
    (first_cell(run_folder) / name).unlink()
    with pytest.raises(RunError, match=f"vgg16-finetune-r0-f0.{name}"):
        read_run(run_folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r.update(schema=1), "schema 1"),
        (lambda r: r["configuration"].pop("target"), "required field `target`"),
        (
            lambda r: r["configuration"]["target"].pop("diagnoses"),
            "a target in run.json; .* unknown 'diagnoses'",
        ),
        (lambda r: r["configuration"]["target"].update(color="red"), "a target in run.json"),
        (lambda r: r.pop("folds"), "required field `folds`"),
        (lambda r: r["data"].pop("unreadable"), r"field `unreadable` - at `\$.data`"),
        (lambda r: r["configuration"]["recipe"].pop("epochs"), "a recipe without `epochs` - at"),
        (lambda r: r["configuration"].pop("protocol"), r"field `protocol` - at `\$.configuration`"),
        (lambda r: r["configuration"].update(transfer=["scratch", "magic"]), "magic"),
        (lambda r: r["configuration"].update(backbones=["vgg16"]), "resnet50"),
    ],
)
def test_broken_records(run_folder, change, said):
    edit_record(run_folder, change)
    with pytest.raises(RunError, match=said) as caught:
        read_run(run_folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (pl.col("image_id") + "x", "300|2100 others"),
        ((1 - pl.col("target")).alias("target"), "with their outcome"),
        (pl.lit(None, pl.Float64).alias("probability"), "no empty value"),
        (pl.lit("high").alias("probability"), "numbers"),
        (pl.int_range(pl.len()).cast(pl.Float64).alias("threshold"), "one threshold"),
    ],
)
def test_predictions_of_something_else(run_folder, change, said):
    edit_predictions(run_folder, change)
    with pytest.raises(RunError, match=said):
        read_run(run_folder)


def test_a_missing_column(run_folder):
    file = run_folder / "predictions.parquet"
    pl.read_parquet(file).drop("threshold").write_parquet(file)
    with pytest.raises(RunError, match="no threshold"):
        read_run(run_folder)


def test_lost_and_doubled_predictions(run_folder):
    file = run_folder / "predictions.parquet"
    whole = pl.read_parquet(file)
    whole.head(-1).write_parquet(file)
    with pytest.raises(RunError, match="as done"):
        read_run(run_folder)
    doubled = pl.concat([whole.head(1), whole.head(1), whole.slice(2)])
    doubled.write_parquet(file)
    with pytest.raises(RunError, match="one prediction per photograph"):
        read_run(run_folder)


def test_broken_json_and_parquet(run_folder):
    (first_cell(run_folder) / "done.json").write_text("{")
    with pytest.raises(RunError, match="JSON"):
        read_run(run_folder)
    (run_folder / "catalog.parquet").write_bytes(b"no table")
    with pytest.raises(RunError, match="Parquet"):
        read_run(run_folder)


def test_networks_of_one_fold_tested_on_other_photographs(run_folder):
    """Equal outcomes do not make equal photographs."""
    predictions = pl.read_parquet(run_folder / "predictions.parquet")
    mine = (
        (pl.col("backbone") == "vgg16") & (pl.col("transfer") == "scratch") & (pl.col("fold") == 0)
    )
    chosen = predictions.filter(mine, pl.col("target") == 0)["image_id"][0]
    other = predictions.filter(pl.col("fold") == 1, pl.col("target") == 0)["image_id"][0]
    moved = predictions.with_columns(
        image_id=pl.when(mine & (pl.col("image_id") == chosen))
        .then(pl.lit(other))
        .otherwise("image_id")
    )
    moved.write_parquet(run_folder / "predictions.parquet")
    with pytest.raises(RunError, match="same test photographs for all networks"):
        read_run(run_folder)
