"""The files of a run folder: their names and columns, and how each is written and read.

    RUN/run.json                  configuration, versions, hardware, seeds and fingerprints
    RUN/catalog.parquet           the photographs with groups, folds and skin tone
    RUN/near_duplicates.parquet   pairs of photographs that show the same picture
    RUN/baselines.parquet         what is predicted without the photograph
    RUN/predictions.parquet       test predictions of all cells, joined
    RUN/validation.parquet        validation predictions of all cells, joined
    RUN/cells/<cell>/             model.safetensors, history.csv, both predictions, done.json;
                                  while it is trained, training.safetensors
    RUN/shares/<share>/           a run folder of trainings on that share of the training groups
    RUN/report/                   tables, figures and one page

Every file is whole or not there, and recorded by its content in run.json or done.json. Every reason
why one cannot be used is said in one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.atomic import atomic_path
from melanoscope.errors import RunError
from melanoscope.json_text import json_text
from melanoscope.tables.parquet_size import MAX_BYTES, refuse_large_parquet

SCHEMA = 4
RUN, CATALOG, NEAR_DUPLICATES = "run.json", "catalog.parquet", "near_duplicates.parquet"
BASELINES, PREDICTIONS = "baselines.parquet", "predictions.parquet"
VALIDATION, CELLS, REPORT = "validation.parquet", "cells", "report"
SHARES = "shares"
CHECKPOINT, HISTORY, DONE = "model.safetensors", "history.csv", "done.json"
TRAINING_STATE, LOCK = "training.safetensors", ".lock"

TABLES = (CATALOG, NEAR_DUPLICATES, BASELINES, VALIDATION, PREDICTIONS)
"""Files of a run folder that run.json records under "files"."""

CELL_FILES = (CHECKPOINT, HISTORY, PREDICTIONS, VALIDATION)
"""Files of a cell that its done.json records under "files"."""

_MAX_JSON = 256 * 2**20
# Torn Parquet makes polars panic, which is no `PolarsError` and no `Exception`.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)

Schema = Mapping[str, pl.DataType]
_TEXT, _WHOLE, _REAL = pl.String(), pl.Int64(), pl.Float64()
CATALOG_COLUMNS: Schema = {
    "image_id": _TEXT,
    "path": _TEXT,
    "content": _TEXT,  # `data.content_hash` of the file that was decoded
    "dataset": _TEXT,
    "center": _TEXT,
    "patient_id": _TEXT,
    "lesion_id": _TEXT,
    "sex": _TEXT,
    "age": _REAL,
    "site": _TEXT,
    "diagnosis": _TEXT,
    "malignancy": _TEXT,  # benign, malignant, indeterminate or null
    "target": _WHOLE,
    "image_type": _TEXT,
    "license": _TEXT,
    "group_id": _TEXT,
    "fold_r0": _WHOLE,  # and fold_r1 to fold_r<repeats - 1>
    "ita": _REAL,
}
CELL_COLUMNS: Schema = {
    "image_id": _TEXT,
    "target": _WHOLE,
    "probability": _REAL,
    "threshold": _REAL,
}
PREDICTION_COLUMNS: Schema = {
    "image_id": _TEXT,
    "target": _WHOLE,
    "fold": _WHOLE,
    "repeat": _WHOLE,
    "backbone": _TEXT,
    "transfer": _TEXT,
    "seed_index": _WHOLE,
    "probability": _REAL,
    "threshold": _REAL,
}
BASELINE_COLUMNS: Schema = {
    "image_id": _TEXT,
    "target": _WHOLE,
    "baseline": _TEXT,
    "probability": _REAL,
    "fold": _WHOLE,
    "repeat": _WHOLE,
}
PAIR_COLUMNS: Schema = {"a": _TEXT, "b": _TEXT, "likeness": _REAL, "relation": _TEXT}
HISTORY_COLUMNS = ("epoch", "train_loss", "val_loss", "val_auroc", "lr")

TEST_FOLD = -1
"""Fold, in catalog.parquet, of the photographs that the poster's protocol tests every network on.
"""


def fold_column(repeat: int) -> str:
    """Name the column of catalog.parquet with the folds of a `repeat`, from 0."""
    return f"fold_r{repeat}"


def is_from(dataset: str, kind: str) -> bool:
    """Say whether the catalog's `dataset` is of the `kind` of archive that --data named.

    >>> is_from("isic2019", "isic2019-melanoma"), is_from("table:mine", "table")
    (True, True)
    """
    return dataset == kind.removesuffix("-melanoma") or dataset.startswith(f"{kind}:")


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write `value` as JSON to `path`."""
    with atomic_path(path) as partial:
        partial.write_text(json_text(value, indent=2) + "\n", encoding="utf-8")


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write `table` as Parquet to `path`."""
    with atomic_path(path) as partial:
        table.write_parquet(partial)


def write_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    """Write `tensors`, named as in a network's state, as safetensors to `path`."""
    from safetensors.torch import save

    plain = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
    with atomic_path(path) as partial:
        partial.write_bytes(save(plain))  # its own writer hides a full disk in another error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a `RunError` says why there is none at `path`."""
    if not path.is_file():
        raise RunError(f"a file {path.name}", f"none at '{path}'", "check the run folder's path")
    try:
        if path.stat().st_size > _MAX_JSON:
            raise RunError("a smaller file", f"{path.stat().st_size:,} bytes", "check its origin")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise RunError("JSON", f"{error} in '{path}'", "run the benchmark again") from error
    if not isinstance(content, dict):
        raise RunError("a JSON object", f"{type(content).__name__} in '{path}'", "run again")
    return content


def read_table(path: Path, columns: Schema) -> pl.DataFrame:
    """Read `columns` of Parquet, cast to their types; a `RunError` says why it cannot be."""
    if not path.is_file():
        raise RunError(
            f"a file {path.name}", f"none at '{path}'", "let the benchmark finish a cell first"
        )
    try:
        _require_columns(pl.read_parquet_schema(path), columns, path)
        refuse_large_parquet(path, columns, error=RunError)
        table = pl.read_parquet(path, columns=list(columns))
    except _UNREADABLE as error:
        raise RunError("a Parquet file", f"'{path}' ({error})", "run again") from error
    try:
        table = table.cast(dict(columns))  # type: ignore[arg-type]
    except _UNREADABLE as error:
        raise RunError(f"numbers in {path.name}", str(error), "run again") from error
    # Many rows of one text hold it once, until somebody makes a list of them.
    texts = table.select(pl.col(pl.String).str.len_bytes().cast(pl.UInt64).sum())
    if sum(texts.row(0)) > MAX_BYTES:
        raise RunError("texts of usual lengths", f"longer ones in '{path}'", "check its origin")
    return table


def read_history(path: Path) -> pl.DataFrame:
    """Read a cell's history.csv: one row per epoch, with `HISTORY_COLUMNS`."""
    if not path.is_file():
        raise RunError(f"a file {path.name}", f"none at '{path}'", "run the cell again")
    try:
        history = pl.read_csv(path)
        _require_columns(history.columns, HISTORY_COLUMNS, path)
        types: dict[str, pl.DataType] = dict.fromkeys(HISTORY_COLUMNS, _REAL)
        return history.cast(types | {"epoch": _WHOLE})  # type: ignore[arg-type]
    except _UNREADABLE as error:
        raise RunError(f"a learning curve in '{path}'", str(error), "run the cell again") from error


def _require_columns(found: Iterable[str], columns: Iterable[str], path: Path) -> None:
    missing = [name for name in columns if name not in found]
    if missing:
        raise RunError(
            f"columns {', '.join(columns)} in '{path}'", f"no {', '.join(missing)}", "run again"
        )
