"""Run folders from strangers: whatever they hold, it is read or refused in one line."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from melanoscope.errors import MelanoscopeError, RunError
from melanoscope.runs.file_records import record_files
from melanoscope.runs.files import TABLES
from melanoscope.runs.reader import read_run

from .mutations import mutations

SKILL = {("resnet50", "scratch"): 1.1, ("resnet50", "finetune"): 2.6}
CELL = "resnet50-finetune-r0-f0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, writer: Callable[..., Path]) -> Path:
    return writer(tmp_path_factory.mktemp("stranger") / "run", SKILL, folds=2, photographs=40)


@pytest.fixture
def spoilt(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "run")
    return tmp_path / "run"


def why_not_read(folder: Path) -> str | None:
    """Return the line that a folder is refused with, or None where it is read."""
    try:
        read_run(folder)
    except MelanoscopeError as error:
        said = str(error)
    else:
        return None
    assert said.isprintable()
    return said


def record_tables(folder: Path) -> None:
    """Record the tables anew, as a stranger would who wants them to be read."""
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"files": record_files(folder, TABLES)}))


def test_every_value_of_run_json(spoilt: Path) -> None:
    file = spoilt / "run.json"
    document = json.loads(file.read_text())
    document["identity"] = {}
    refused, n = 0, 0
    for place, changed in mutations(document):
        file.write_text(json.dumps(changed))
        n += 1
        said = why_not_read(spoilt)
        refused += said is not None
        if place.startswith("no "):
            name = place.rpartition(".")[2].removeprefix("no ")
            optional = ("0", "python", "torch", "path")
            assert said or name in optional or "weights." in place or "recipe" in place, place
    assert refused > 0.8 * n


def test_every_value_of_done_json(spoilt: Path) -> None:
    file = spoilt / "cells" / CELL / "done.json"
    for _, changed in mutations(json.loads(file.read_text())):
        file.write_text(json.dumps(changed))
        why_not_read(spoilt)


@pytest.mark.parametrize("content", ["[" * 10**5, "9" * 10**5, '{"schema": 1e999}', "\xff", "[]"])
def test_no_json(spoilt: Path, content: str) -> None:
    (spoilt / "run.json").write_text(content, encoding="latin-1")
    assert why_not_read(spoilt)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_of_every_table(spoilt: Path, name: str) -> None:
    """Types, missing values, huge and negative numbers, no row, no column, no Parquet."""
    file = spoilt / name
    table = pl.read_parquet(file)
    null = pl.lit(None, pl.Null)
    for column in table.columns:
        for value in (null, pl.lit("x"), pl.lit(-1), pl.lit(2**62), pl.lit(1e300), pl.lit([1])):
            table.with_columns(value.alias(column)).write_parquet(file)
            record_tables(spoilt)
            why_not_read(spoilt)
        table.drop(column).write_parquet(file)
        record_tables(spoilt)
        assert why_not_read(spoilt)
    content = (spoilt / name).read_bytes()
    for spoil in (b"", b"PAR1", content[:-9], content[: len(content) // 2] + b"PAR1", b"\0" * 999):
        file.write_bytes(spoil)
        record_tables(spoilt)
        assert why_not_read(spoilt)
    table.clear().write_parquet(file)
    record_tables(spoilt)
    # A run of which nothing is finished has a report, too.
    optional = ("baselines.parquet", "near_duplicates.parquet", "predictions.parquet")
    assert bool(why_not_read(spoilt)) == (name not in optional)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"epoch\nx\n", b'"', b"\0"])
def test_learning_curves(spoilt: Path, content: bytes) -> None:
    (spoilt / "cells" / CELL / "history.csv").write_bytes(content)
    assert why_not_read(spoilt)


@pytest.mark.parametrize("value", [None, 0, -1, 10**9, 1.5, "2", "absent"])
def test_threads_that_no_training_has_are_refused(spoilt: Path, value: object) -> None:
    """`export` would hand them to PyTorch, which dies of some."""
    record = json.loads((spoilt / "run.json").read_text())
    record["threads"] = value
    if value == "absent":
        del record["threads"]
    (spoilt / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match="threads"):
        read_run(spoilt)


def test_names_of_networks_lead_to_no_other_folder(spoilt: Path) -> None:
    """A done.json that lies outside the run would be read."""
    outside = spoilt.parent / "x-scratch-r0-f0"
    shutil.copytree(spoilt / "cells" / "resnet50-scratch-r0-f0", outside)
    record = json.loads((spoilt / "run.json").read_text())
    record["configuration"]["backbones"].append("../../x")
    (spoilt / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"run.json.*configuration.backbones"):
        read_run(spoilt)


def test_other_folders_among_the_cells_are_passed_over(spoilt: Path) -> None:
    for name in ("notes", "a-b-c", "x-scratch-rX-fY", "\x1b[31m"):
        (spoilt / "cells" / name).mkdir()
        (spoilt / "cells" / name / "done.json").write_text("{}")
    assert why_not_read(spoilt) is None
