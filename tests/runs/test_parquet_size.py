"""Tables that are small on disk and enormous in memory are refused before they are read."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from melanoscope.errors import DataError, RunError
from melanoscope.runs import files
from melanoscope.runs.cell import CellKey
from melanoscope.runs.file_records import record_files
from melanoscope.runs.reader import read_run
from melanoscope.runs.run_folder import RunFolder
from melanoscope.tables.parquet_size import refuse_large_parquet

from .parquet_bombs import constant_parquet

SCHEMAS = {
    files.CATALOG: {**files.CATALOG_COLUMNS, "fold_r0": pl.Int64()},
    files.NEAR_DUPLICATES: files.PAIR_COLUMNS,
    files.BASELINES: files.BASELINE_COLUMNS,
    files.PREDICTIONS: files.PREDICTION_COLUMNS,
    files.VALIDATION: files.PREDICTION_COLUMNS,
}
SKILL = {("resnet50", "scratch"): 1.1}
CELL = CellKey(0, 0, "resnet50", "scratch")


@pytest.fixture
def run(tmp_path: Path, writer: Callable[..., Path]) -> Path:
    return writer(tmp_path / "run", SKILL, folds=2, photographs=40)


@pytest.mark.parametrize("name", files.TABLES)
def test_a_crafted_table_is_read_where_it_is_small(tmp_path: Path, name: str) -> None:
    """Else the refusal of a large one would prove nothing."""
    file = tmp_path / name
    file.write_bytes(constant_parquet(SCHEMAS[name], 1000))
    table = files.read_table(file, SCHEMAS[name])
    assert (table.height, table.unique().height) == (1000, 1)


@pytest.mark.parametrize("name", files.TABLES)
@pytest.mark.parametrize(("rows", "page_bytes"), [(10**9, None), (9, 2**31 - 1)])
def test_enormous_tables(run: Path, name: str, rows: int, page_bytes: int | None) -> None:
    bomb = constant_parquet(SCHEMAS[name], rows, page_bytes=page_bytes)
    assert len(bomb) < 5000
    (run / name).write_bytes(bomb)
    with pytest.raises(RunError, match=r"at most 4 GiB in memory.*which takes [0-9,.]+ GiB"):
        read_run(run)


def test_enormous_predictions_of_a_cell(run: Path) -> None:
    """They are joined when a stranger's run is taken up."""
    folder = run / "cells" / CELL.name
    for name in (files.PREDICTIONS, files.VALIDATION):
        (folder / name).write_bytes(constant_parquet(files.CELL_COLUMNS, 10**9))
    done = json.loads((folder / files.DONE).read_text())
    done["files"] = record_files(folder, files.CELL_FILES)
    (folder / files.DONE).write_text(json.dumps(done))
    shutil.rmtree(run / "cells" / "resnet50-scratch-r0-f1")
    with pytest.raises(RunError, match="at most 4 GiB in memory"):
        RunFolder(run).join_cells()


def test_columns_that_nothing_reads_cost_nothing(tmp_path: Path) -> None:
    file = tmp_path / "wide.parquet"
    schema = {**files.PAIR_COLUMNS, **{f"x{n}": pl.Int64() for n in range(2000)}}
    file.write_bytes(constant_parquet(schema, 1_000_000))  # 16 GB, were all columns read
    table = files.read_table(file, files.PAIR_COLUMNS)
    assert (table.columns, table.height) == (list(files.PAIR_COLUMNS), 1_000_000)


def test_one_long_text_in_many_rows(tmp_path: Path) -> None:
    file = tmp_path / "texts.parquet"
    file.write_bytes(constant_parquet({"image_id": pl.String()}, 50_000, text=b"x" * 100_000))
    with pytest.raises(RunError, match="texts of usual lengths"):
        files.read_table(file, {"image_id": pl.String()})


def test_what_polars_writes_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    table = pl.DataFrame({"a": [f"{n:020}" for n in range(1000)], "b": [None, 1.5] * 500})
    for compression in ("zstd", "snappy", "uncompressed"):
        table.write_parquet(file, compression=compression)  # type: ignore[arg-type]
        refuse_large_parquet(file, table.columns, 100_000)
        with pytest.raises(DataError):  # 20 characters and 16 bytes a text
            refuse_large_parquet(file, ["a"], 36_000)


def test_damage_to_the_metadata_ends_in_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    whole = constant_parquet(files.PAIR_COLUMNS, 10)
    for place in range(len(whole)):
        for byte in (0x00, 0x1C, 0x7F, 0xFF):
            file.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
            with contextlib.suppress(DataError):
                refuse_large_parquet(file, files.PAIR_COLUMNS)
