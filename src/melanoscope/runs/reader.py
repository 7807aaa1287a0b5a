"""Reading a run folder, with every reason why it cannot be used said in one line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from melanoscope.errors import RunError
from melanoscope.runs import files
from melanoscope.runs.cell import CellKey, RowKey, parse_transfer
from melanoscope.runs.file_records import find_damage, identity_hash
from melanoscope.runs.planned import planned_rows, refuse_unplanned
from melanoscope.runs.record_schema import CellRecord, Configuration, RunRecord, decode_record
from melanoscope.runs.run_folder import RunFolder
from melanoscope.stats.predictions import CellPredictions
from melanoscope.target import Target

_NEVER_NULL = ("image_id", "dataset", "target", "group_id")
_CELL = ("backbone", "transfer", "repeat", "fold", "seed_index")


@dataclass(frozen=True, eq=False)
class Run:
    """A run folder in memory.

    Attributes:
        path: The folder.
        record: Content of run.json.
        catalog: The photographs that took part, with `files.CATALOG_COLUMNS`.
        cells: Test predictions of each finished cell, its photographs in the order of their ids.
        records: Content of each finished cell's done.json.
        histories: Learning curve of each finished cell.
        planned: Every row of the tables, without the skipped ones.
        predictions: Test predictions of all cells, as in predictions.parquet, sorted.
        validation: Validation predictions of all cells, likewise.
        baselines: What was predicted without the photograph.
        near_duplicates: Pairs of photographs that show the same picture.
    """

    path: Path
    record: RunRecord
    catalog: pl.DataFrame
    cells: tuple[CellPredictions, ...]
    records: dict[CellKey, CellRecord]
    histories: dict[CellKey, pl.DataFrame]
    planned: tuple[RowKey, ...]
    predictions: pl.DataFrame
    validation: pl.DataFrame
    baselines: pl.DataFrame
    near_duplicates: pl.DataFrame

    @property
    def configuration(self) -> Configuration:
        """What the run was asked to do."""
        return self.record.configuration

    @property
    def protocol(self) -> str:
        """How photographs were divided and networks begun: "corrected" or "poster"."""
        return self.configuration.protocol

    @property
    def target(self) -> Target:
        """Which lesions count as positive, and the words for them."""
        return self.configuration.target

    @property
    def simulated(self) -> bool:
        """Whether the photographs are drawn by a program and say nothing about skin."""
        return self.configuration.simulated

    def cells_of(self, key: RowKey) -> list[CellPredictions]:
        """Return the finished cells of a row, named by its `key`, repeat by repeat."""
        return [cell for cell in self.cells if (cell.backbone, cell.transfer) == key]

    @property
    def cells_per_row(self) -> int:
        """Number of cells of a complete row: folds x repeats x seeds."""
        return self.splits_per_row * self.configuration.seeds

    @property
    def splits_per_row(self) -> int:
        """Number of test folds of a complete row: folds x repeats."""
        return self.configuration.folds * self.configuration.repeats


def read_run(path: Path) -> Run:
    """Read a run folder.

    Args:
        path: The folder; at least one of its cells must have been finished and joined.

    Returns:
        The run.

    Raises:
        RunError: A file, key or column is missing, or the files do not belong together.
    """
    record = _read_record(path / files.RUN)
    catalog = _read_catalog(path / files.CATALOG, record.configuration.repeats)
    predictions = _read_predictions(path / files.PREDICTIONS, catalog)
    refuse_unplanned(predictions, planned_rows(record), record.configuration)
    folder = RunFolder(path)
    cells, records, histories = [], {}, {}
    tested: dict[tuple[int, int], tuple[CellKey, pl.Series]] = {}
    for values, rows in predictions.group_by(_CELL, maintain_order=True):
        key = _cell_key(values)
        records[key] = _cell_record(folder, key, rows.height)
        histories[key] = files.read_history(folder.cell_folder(key) / files.HISTORY)
        cells.append(_cell_predictions(key, rows, records[key].n_train))
        _check_pair(tested, key, rows["image_id"])
    run = Run(
        path=path,
        record=record,
        catalog=catalog,
        cells=tuple(cells),
        records=records,
        histories=histories,
        planned=planned_rows(record),
        predictions=predictions,
        validation=_read_validation(path / files.VALIDATION, catalog, records),
        baselines=files.read_table(path / files.BASELINES, files.BASELINE_COLUMNS),
        near_duplicates=files.read_table(path / files.NEAR_DUPLICATES, files.PAIR_COLUMNS),
    )
    _check_files(run)
    return run


def _check_files(run: Run) -> None:
    """Refuse a folder whose files are not those that run.json and each done.json record."""
    damage = find_damage(run.path, run.record.files, files.TABLES)
    identity = identity_hash(run.record.identity)
    for key, record in run.records.items():
        folder = RunFolder(run.path).cell_folder(key)
        damage = damage or find_damage(folder, record.files, files.CELL_FILES)
        if record.identity != identity:
            raise RunError(
                "cells of one run",
                f"{key.name} of another",
                "do not mix files of several runs; run the affected cells again",
            )
        if record.cell != key.name:
            raise RunError(
                f"{key.name} in its folder",
                record.cell,
                "leave cells where they were written; run the same benchmark command again",
            )
    if damage:
        raise RunError(
            f"files of '{run.path}' as they were recorded",
            damage,
            "run the same benchmark command again: it mends what is damaged",
        )


def _read_record(file: Path) -> RunRecord:
    content = files.read_json(file)
    if content.get("schema") != files.SCHEMA:
        raise RunError(
            f"a run of schema {files.SCHEMA}",
            f"schema {content.get('schema')!r}",
            "use the version of melanoscope that made it, or run again",
        )
    record = decode_record(content, RunRecord, files.RUN)
    # Target is a dataclass: msgspec passes over unknown keys and fills in missing ones.
    known, found = record.configuration.target.to_dict(), content["configuration"]["target"]
    if others := sorted(known.keys() ^ found.keys()):
        raise RunError("a target in run.json", f"missing or unknown {others[0]!r}", "run again")
    return record


def _read_catalog(file: Path, repeats: int) -> pl.DataFrame:
    folds = {files.fold_column(repeat): pl.Int64() for repeat in range(repeats)}
    table = files.read_table(file, {**files.CATALOG_COLUMNS, **folds})
    nulls = table.select(*_NEVER_NULL, *folds).null_count()
    empty = [name for name in nulls.columns if nulls[name][0]]
    if empty or not table.height:
        found = f"empty ones in {empty[0]}" if empty else "no row"
        raise RunError(f"values in {file.name}", found, "run the benchmark again")
    if table["image_id"].is_duplicated().any():
        raise RunError(f"each photograph once in {file.name}", "one twice", "run again")
    if not table["target"].is_in([0, 1]).all():
        raise RunError(f"targets of 0 or 1 in {file.name}", "others", "run again")
    return table


def _read_predictions(file: Path, catalog: pl.DataFrame) -> pl.DataFrame:
    table = files.read_table(file, files.PREDICTION_COLUMNS).select(*files.PREDICTION_COLUMNS)
    if table.null_count().sum_horizontal().item():
        raise RunError(f"no empty value in {file.name}", "some", "run the affected cells again")
    strangers = table.join(catalog, on=["image_id", "target"], how="anti")
    if strangers.height:
        raise RunError(
            "predictions for photographs of the catalog, with their outcome",
            f"{strangers.height} others, the first '{strangers['image_id'][0]}'",
            "do not mix files of several runs",
        )
    return table.sort(*_CELL, "image_id")


def _read_validation(
    file: Path, catalog: pl.DataFrame, finished: dict[CellKey, CellRecord]
) -> pl.DataFrame:
    table = _read_predictions(file, catalog)
    known = {_cell_key(values) for values in table.select(_CELL).unique().rows()}
    missing = [key.name for key in sorted(finished) if key not in known]
    if missing:
        raise RunError(
            "validation predictions of every finished cell",
            f"none of {missing[0]}",
            "run the same benchmark command again: it joins those of the cells",
        )
    return table


def _cell_record(folder: RunFolder, key: CellKey, n_predictions: int) -> CellRecord:
    record = folder.cell_record(key)
    if record.n_test != n_predictions:
        raise RunError(
            f"{record.n_test} predictions, as done.json says",
            f"{n_predictions} for {key.name}",
            "run the cell again",
        )
    return record


def _cell_predictions(key: CellKey, rows: pl.DataFrame, n_train: int) -> CellPredictions:
    if rows["image_id"].is_duplicated().any():
        raise RunError(
            "one prediction per photograph and cell", f"several in {key.name}", "run the cell again"
        )
    thresholds = rows["threshold"].unique().to_list()
    if len(thresholds) != 1:
        raise RunError(
            "one threshold per cell", f"{thresholds} in {key.name}", "run the cell again"
        )
    return CellPredictions(
        backbone=key.backbone,
        transfer=key.transfer,
        repeat=key.repeat,
        fold=key.fold,
        seed_index=key.seed_index,
        image_id=rows["image_id"].to_numpy(),
        target=rows["target"].to_numpy().astype(np.int64),
        probability=rows["probability"].to_numpy(),
        threshold=float(thresholds[0]),
        n_train=n_train,
    )


def _check_pair(
    tested: dict[tuple[int, int], tuple[CellKey, pl.Series]], key: CellKey, image_ids: pl.Series
) -> None:
    """Refuse two networks of one repeat and fold that were tested on other photographs."""
    other, theirs = tested.setdefault(key.split, (key, image_ids))
    if not image_ids.equals(theirs):
        raise RunError(
            "the same test photographs for all networks of one repeat and fold",
            f"others for {other.name} and {key.name}",
            "do not mix files of several runs; run the affected cells again",
        )


def _cell_key(values: tuple[Any, ...]) -> CellKey:
    """Return the cell that values of the columns `_CELL` name."""
    backbone, transfer, repeat, fold, seed_index = values
    return CellKey(repeat, fold, backbone, parse_transfer(transfer), seed_index)
