"""Reading a run folder, with every reason why it cannot be used said in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from melanoscope.errors import RunError
from melanoscope.runs.files import read_json, read_table, require
from melanoscope.stats.predictions import CellPredictions
from melanoscope.transfers import TRANSFERS

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = 1
_SECTIONS: dict[str, tuple[str, ...]] = {
    "configuration": ("backbones", "transfer", "folds", "repeats", "size", "seed", "recipe"),
    "hardware": ("processor", "cores", "accelerator", "memory_gib"),
    "data": (
        *("fingerprint", "sources", "rows", "found", "absent", "absent_examples", "unreadable"),
        *("listed_twice", "melanomas", "patients", "lesions", "groups"),
    ),
    "folds": ("fingerprint", "sizes"),
}
_TOP = ("melanoscope", "created", *_SECTIONS, "versions", "skipped")
_CATALOG = ("image_id", "dataset", "group_id", "patient_id", "target")
_PREDICTIONS: dict[str, pl.DataType] = {
    "image_id": pl.String(),
    "target": pl.Int64(),
    "fold": pl.Int64(),
    "repeat": pl.Int64(),
    "backbone": pl.String(),
    "transfer": pl.String(),
    "probability": pl.Float64(),
    "threshold": pl.Float64(),
}
_BASELINES = ("image_id", "target", "fold", "repeat", "baseline", "probability")
_PAIRS = ("a", "b", "likeness", "relation")
_HISTORY = ("epoch", "train_loss", "val_loss", "val_auroc", "lr")
CellKey = tuple[str, str, int, int]


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder in memory.

    Attributes:
        path: The folder.
        record: Content of run.json.
        catalog: The photographs that took part.
        cells: Finished cells, each with its photographs in the order of their ids.
        done: Per finished cell, content of done.json.
        histories: Per finished cell, its learning curve.
        planned: (backbone, transfer) of every row of the tables, without the skipped ones.
        predictions: The cells' test predictions, as in predictions.parquet, sorted.
        validation: Likewise of their validation parts; None in runs of earlier versions.
        baselines: What was predicted without the photograph; None likewise.
        near_duplicates: Pairs of photographs that show the same picture; None likewise.
    """

    path: Path
    record: dict[str, Any]
    catalog: pl.DataFrame
    cells: tuple[CellPredictions, ...]
    done: dict[CellKey, dict[str, Any]]
    histories: dict[CellKey, pl.DataFrame]
    planned: tuple[tuple[str, str], ...]
    predictions: pl.DataFrame
    validation: pl.DataFrame | None = None
    baselines: pl.DataFrame | None = None
    near_duplicates: pl.DataFrame | None = None

    @property
    def protocol(self) -> str:
        """How photographs were divided and networks begun: "corrected" or "poster"."""
        return str(self.record["configuration"].get("protocol", "corrected"))

    @property
    def simulated(self) -> bool:
        """Whether the photographs are drawn by a program and say nothing about skin."""
        return bool(self.record["configuration"].get("simulated", False))

    @property
    def cells_per_row(self) -> int:
        """Folds x repeats."""
        configuration = self.record["configuration"]
        return int(configuration["folds"]) * int(configuration["repeats"])


def read_run(path: Path) -> Run:
    """Read a run folder.

    Args:
        path: Folder with run.json, catalog.parquet, predictions.parquet and cells/.

    Raises:
        RunError: A file, key or column is missing, or the files do not belong together.
    """
    record = _record(path / "run.json")
    catalog = read_table(path / "catalog.parquet", _CATALOG)
    catalog = catalog.with_columns(
        pl.col("image_id").cast(pl.String), pl.col("target").cast(pl.Int64)
    )
    predictions = _predictions(path / "predictions.parquet", catalog)
    done: dict[CellKey, dict[str, Any]] = {}
    histories: dict[CellKey, pl.DataFrame] = {}
    cells = []
    tested: dict[tuple[int, int], tuple[CellKey, pl.Series]] = {}
    for (backbone, transfer, repeat, fold), rows in predictions.group_by(
        "backbone", "transfer", "repeat", "fold", maintain_order=True
    ):
        key = (str(backbone), str(transfer), int(repeat), int(fold))
        folder = path / "cells" / "{}-{}-r{}-f{}".format(*key)
        done[key] = _done(folder / "done.json", rows.height)
        histories[key] = _history(folder / "history.csv")
        cells.append(_cell(key, rows, int(done[key]["n_train"])))
        _check_pair(tested, key, rows["image_id"])
    return Run(
        path,
        record,
        catalog,
        tuple(cells),
        done,
        histories,
        _planned(record, done),
        predictions,
        _validation(path / "validation.parquet", catalog, done),
        _optional(path / "baselines.parquet", _BASELINES),
        _optional(path / "near_duplicates.parquet", _PAIRS),
    )


def _optional(file: Path, columns: tuple[str, ...]) -> pl.DataFrame | None:
    """Read a file that runs of earlier versions do not have."""
    return read_table(file, columns) if file.is_file() else None


def _validation(
    file: Path, catalog: pl.DataFrame, done: dict[CellKey, dict[str, Any]]
) -> pl.DataFrame | None:
    if not file.is_file():
        return None
    table = _predictions(file, catalog)
    keys = table.select("backbone", "transfer", "repeat", "fold").unique().rows()
    missing = sorted(set(done) - {(str(b), str(t), int(r), int(f)) for b, t, r, f in keys})
    if missing:
        raise RunError(
            "validation predictions of every finished cell",
            "none of {}-{}-r{}-f{}".format(*missing[0]),
            "run the same benchmark command again: it adds them",
        )
    return table


def _check_pair(
    tested: dict[tuple[int, int], tuple[CellKey, pl.Series]], key: CellKey, ids: pl.Series
) -> None:
    """Refuse two networks of one repeat and fold that were tested on other photographs."""
    other, theirs = tested.setdefault(key[2:], (key, ids))
    if not ids.equals(theirs):
        names = ["{}-{}-r{}-f{}".format(*one) for one in (other, key)]
        raise RunError(
            "the same test photographs for all networks of one repeat and fold",
            f"others for {names[0]} and {names[1]}",
            "do not mix files of several runs; run the affected cells again",
        )


def _cell(key: CellKey, rows: pl.DataFrame, n_train: int) -> CellPredictions:
    name = "{}-{}-r{}-f{}".format(*key)
    if rows["image_id"].is_duplicated().any():
        raise RunError(
            "one prediction per photograph and cell", f"several in {name}", "run the cell again"
        )
    thresholds = rows["threshold"].unique().to_list()
    if len(thresholds) != 1:
        raise RunError("one threshold per cell", f"{thresholds} in {name}", "run the cell again")
    backbone, transfer, repeat, fold = key
    return CellPredictions(
        backbone=backbone,
        transfer=transfer,
        repeat=repeat,
        fold=fold,
        image_id=rows["image_id"].to_numpy(),
        target=rows["target"].to_numpy().astype(np.int64),
        probability=rows["probability"].to_numpy(),
        threshold=float(thresholds[0]),
        n_train=n_train,
    )


def _record(file: Path) -> dict[str, Any]:
    record = read_json(file)
    if record.get("schema") != SCHEMA:
        raise RunError(
            f"a run of schema {SCHEMA}",
            f"schema {record.get('schema')!r}",
            "use the version of melanoscope that made it, or run again",
        )
    require(record, _TOP, "run.json")
    for section, keys in _SECTIONS.items():
        require(record[section], keys, f"run.json's {section}")
    require(record["configuration"]["recipe"], ("epochs",), "run.json's recipe")
    strangers = [arm for arm in record["configuration"]["transfer"] if arm not in TRANSFERS]
    if strangers:
        raise RunError(f"transfer among {', '.join(TRANSFERS)}", ", ".join(strangers), "run again")
    return record


def _done(file: Path, n_predictions: int) -> dict[str, Any]:
    done = read_json(file)
    require(done, ("n_train", "n_test"), f"'{file}'")
    if done["n_test"] != n_predictions:
        raise RunError(
            f"{done['n_test']} predictions, as done.json says",
            f"{n_predictions} for {file.parent.name}",
            "run the cell again",
        )
    return done


def _predictions(file: Path, catalog: pl.DataFrame) -> pl.DataFrame:
    table = read_table(file, tuple(_PREDICTIONS)).select(*_PREDICTIONS)
    try:
        table = table.cast(_PREDICTIONS)  # type: ignore[arg-type]
    except pl.exceptions.PolarsError as error:
        raise RunError(f"numbers in {file.name}", str(error), "run again") from error
    if table.null_count().sum_horizontal().item():
        raise RunError(f"no empty value in {file.name}", "some", "run the affected cells again")
    strangers = table.join(catalog, on=["image_id", "target"], how="anti")
    if strangers.height:
        raise RunError(
            "predictions for photographs of the catalog, with their outcome",
            f"{strangers.height} others, the first '{strangers['image_id'][0]}'",
            "do not mix files of several runs",
        )
    return table.sort("backbone", "transfer", "repeat", "fold", "image_id")


def _history(file: Path) -> pl.DataFrame:
    if not file.is_file():
        raise RunError(f"a file {file.name}", f"none at '{file}'", "run the cell again")
    history = pl.read_csv(file)
    missing = [name for name in _HISTORY if name not in history.columns]
    if missing:
        raise RunError(f"columns {', '.join(_HISTORY)} in '{file}'", f"no {missing}", "run again")
    return history


def _planned(
    record: dict[str, Any], done: dict[CellKey, dict[str, Any]]
) -> tuple[tuple[str, str], ...]:
    configuration = record["configuration"]
    skipped = {(entry["backbone"], entry["transfer"]) for entry in record["skipped"]}
    every = [(b, t) for t in configuration["transfer"] for b in configuration["backbones"]]
    planned = tuple(row for row in every if row not in skipped)
    strangers = sorted({key[:2] for key in done} - set(planned))
    if strangers:
        raise RunError(
            "predictions of planned networks only",
            "-".join(strangers[0]),
            "do not mix files of several runs",
        )
    return planned
