"""What a run folder holds after a kill, and what a later run may trust."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from melanoscope.errors import DataError, RunError
from melanoscope.runs.cell import CellKey
from melanoscope.runs.file_records import identity_hash
from melanoscope.runs.files import CELL_COLUMNS, PREDICTION_COLUMNS
from melanoscope.runs.run_folder import RunFolder
from tests.conftest import make_record

CELL = CellKey(0, 1, "standard_cnn", "scratch")


def parts(**changes: Any) -> dict[str, Any]:
    """Everything of a finished cell."""
    table = pl.DataFrame(
        {"image_id": ["a", "b"], "target": [0, 1], "probability": [0.2, 0.7], "threshold": 0.5}
    )
    assert table.columns == list(CELL_COLUMNS)
    history = pl.DataFrame({"epoch": [1.0], "val_loss": [0.5]})
    whole = {
        "weights": {"bias": torch.zeros(2)},
        "history": history,
        "predictions": table,
        "validation": table,
        "record": {
            **dict.fromkeys(("n_train", "n_validation", "n_test"), 2),
            **dict.fromkeys(("epochs_run", "best_epoch", "seconds", "threads"), 1),
            "seeds": CELL.seeds(0),
            "software": {},
            "identity": identity_hash({}),
        },
    }
    return whole | changes


def whole_record(**changes: Any) -> dict[str, Any]:
    """Content of a run.json."""
    record = make_record({("standard_cnn", "scratch"): 1.0}, 2, 40, simulated=False)
    return {**record, **changes}


def begun(path: Path) -> RunFolder:
    folder = RunFolder(path)
    folder.begin(whole_record(identity={}), {})
    return folder


def test_a_finished_cell_is_joined_with_the_others(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    for fold in (1, 0):
        cell = CellKey(0, fold, "standard_cnn", "scratch")
        folder.begin_cell(cell)
        folder.finish_cell(cell, **parts())
    assert [cell.fold for cell in folder.finished()] == [0, 1]
    folder.join_cells()
    for name in ("predictions.parquet", "validation.parquet"):
        table = pl.read_parquet(tmp_path / name)
        assert table.columns == list(PREDICTION_COLUMNS)
        assert table["fold"].to_list() == [0, 0, 1, 1]
    assert folder.cell_record(CELL).n_test == 2
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("broken", ["weights", "validation", "record"])
def test_a_kill_while_writing_leaves_no_finished_cell(tmp_path: Path, broken: str) -> None:
    folder = begun(tmp_path)
    folder.begin_cell(CELL)
    with pytest.raises((TypeError, AttributeError)):
        folder.finish_cell(CELL, **parts(**{broken: {"not to be written": object()}}))
    assert not folder.is_done(CELL)
    assert not list(tmp_path.rglob("*.partial"))
    with pytest.raises(RunError, match="finished cell"):
        folder.join_cells()
    folder.begin_cell(CELL)
    assert not list(folder.cell_folder(CELL).iterdir())  # nothing of the first attempt is left


def test_more_networks_widen_the_record_and_keep_its_beginning(tmp_path: Path) -> None:
    def record(created: str, backbone: str, transfers: list[str], seeds: int = 1) -> dict[str, Any]:
        whole = whole_record(created=created, versions={"torch": created}, identity={"seed": 0})
        asked = whole["configuration"] | {"backbones": [backbone], "transfer": transfers}
        asked["seeds"] = seeds
        return {**whole, "configuration": asked}

    empty: dict[str, pl.DataFrame] = {}
    folder = RunFolder(tmp_path / "run")
    folder.begin(record("first", "standard_cnn", ["scratch"]), empty)
    folder.begin(record("second", "resnet18", ["scratch", "frozen"], seeds=2), empty)
    found = json.loads((tmp_path / "run" / "run.json").read_text())
    assert found["configuration"]["backbones"] == ["standard_cnn", "resnet18"]
    assert found["configuration"]["transfer"] == ["scratch", "frozen"]
    assert found["configuration"]["seeds"] == 2
    assert [(s["backbone"], s["transfer"]) for s in found["skipped"]] == [
        ("standard_cnn", "frozen")
    ]
    assert (found["created"], found["versions"]) == ("first", {"torch": "first"})
    assert [session["created"] for session in found["resumed"]] == ["second"]
    other = record("third", "resnet18", ["scratch"]) | {"identity": {"seed": np.pi}}
    with pytest.raises(RunError, match=r"seed = 3\.14"):
        folder.begin(other, empty)
    with pytest.raises(RunError, match="schema = 9"):
        folder.begin(record("third", "resnet18", ["scratch"]) | {"schema": 9}, empty)


def test_a_cell_in_the_folder_of_another_is_not_taken_for_it(tmp_path: Path) -> None:
    """Two trainings of one network have tables of the same photographs."""
    folder = begun(tmp_path)
    folder.begin_cell(CELL)
    folder.finish_cell(CELL, **parts())
    second = replace(CELL, seed_index=1)
    folder.cell_folder(CELL).rename(folder.cell_folder(second))
    assert not folder.is_done(second)
    assert folder.finished() == []


def test_a_strangers_folder_among_the_cells_is_passed_over(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.begin_cell(CELL)
    folder.finish_cell(CELL, **parts())
    for name in ("notes", "a-b-c-d", "vgg16-finetuned-r0-f0", "vgg16-scratch-rx-f0"):
        (tmp_path / "cells" / name).mkdir()
        (tmp_path / "cells" / name / "done.json").write_text("{}")
    assert folder.finished() == [CELL]


def test_names_of_cells() -> None:
    for seed_index in (0, 1, 12):
        cell = CellKey(2, 3, "tf_efficientnet_lite0", "image_only", seed_index)
        assert CellKey.named(cell.name) == cell
    for other in ("vgg16-scratch-r0-f0-s0", "vgg16-scratch-r0-f0-s", "vgg16-scratch-r0-f0-s01"):
        with pytest.raises(DataError, match="a cell's name"):
            CellKey.named(other)
    with pytest.raises(DataError, match="finetune"):
        CellKey.named("vgg16-fine-r0-f0".replace("fine", "finetuned"))


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    for name in ("thesis.txt", ".thesis.txt.7.partial"):
        (tmp_path / name).touch()
    with pytest.raises(RunError, match="other files"), RunFolder(tmp_path).exclusive():
        pass
    assert {file.name for file in tmp_path.iterdir()} == {"thesis.txt", ".thesis.txt.7.partial"}


def test_what_a_kill_left_before_run_json_is_taken_up(tmp_path: Path) -> None:
    for name in (".lock", ".lock.holder", ".run.json.7.partial"):
        (tmp_path / name).touch()
    with RunFolder(tmp_path).exclusive():
        begun(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
