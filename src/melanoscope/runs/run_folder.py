"""Writing a run folder: what is written, in which order, and what a later run may trust.

A cell counts as done when its done.json is there, which is written last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.atomic import atomic_path, refuse_full_disk
from melanoscope.errors import RunError
from melanoscope.runs import files
from melanoscope.runs.cell import CellKey, skipped_transfers

_SESSION = ("created", "versions", "hardware")


@dataclass(frozen=True)
class RunFolder:
    """A run folder that is being written, at the path `folder`."""

    folder: Path

    def cell_folder(self, cell: CellKey) -> Path:
        """Return the folder of a `cell`."""
        return self.folder / files.CELLS / cell.name

    def checkpoint(self, cell: CellKey) -> Path:
        """Return the file of a `cell`'s trained weights."""
        return self.cell_folder(cell) / files.CHECKPOINT

    def cell_record(self, cell: CellKey) -> dict[str, Any]:
        """Return the content of a finished `cell`'s done.json."""
        return files.read_json(self.cell_folder(cell) / files.DONE)

    def is_done(self, cell: CellKey) -> bool:
        """Say whether a `cell` is finished, so that its results can be trusted."""
        return (self.cell_folder(cell) / files.DONE).is_file()

    def begin(
        self, record: dict[str, Any], catalog: pl.DataFrame, near_duplicates: pl.DataFrame
    ) -> None:
        """Take the folder for a run, or take up the same run again.

        A run taken up keeps its first date, versions and hardware; those of now are added under
        "resumed", since its cells may come from more than one machine. It may have been given more
        backbones and transfers.

        Args:
            record: Content of run.json; its "identity" must be that of the run in the folder.
            catalog: Photographs that take part, with `files.CATALOG_COLUMNS`.
            near_duplicates: Pairs of photographs, with `files.PAIR_COLUMNS`.

        Raises:
            RunError: The folder holds another run or something else, or the disk is full.
        """
        file = self.folder / files.RUN
        if file.is_file():
            record = _resumed(self._same_run(file, record["identity"]), record)
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise RunError(
                f"an empty or new folder, or one of this run, at '{self.folder}'",
                "other files",
                "name another folder with --out",
            )
        with refuse_full_disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            files.write_table(self.folder / files.CATALOG, catalog)
            files.write_table(self.folder / files.NEAR_DUPLICATES, near_duplicates)
            files.write_json(file, record)

    def write_baselines(self, predictions: pl.DataFrame) -> None:
        """Write `predictions` made without the photograph, with `files.BASELINE_COLUMNS`."""
        with refuse_full_disk(self.folder):
            files.write_table(self.folder / files.BASELINES, predictions)

    def begin_cell(self, cell: CellKey) -> None:
        """Make the folder of a `cell`, without what an unfinished training left in it."""
        shutil.rmtree(self.cell_folder(cell), ignore_errors=True)
        with refuse_full_disk(self.folder):
            self.cell_folder(cell).mkdir(parents=True)

    def finish_cell(
        self,
        cell: CellKey,
        *,
        weights: Mapping[str, Any],
        history: pl.DataFrame,
        predictions: pl.DataFrame,
        validation: pl.DataFrame,
        record: Mapping[str, Any],
    ) -> None:
        """Write everything of a cell and, last, its mark that it is done.

        Args:
            cell: The cell; its folder must be there.
            weights: State of the trained network.
            history: Learning curve, with `files.HISTORY_COLUMNS`.
            predictions: Test predictions, with `files.CELL_COLUMNS`.
            validation: Validation predictions, with the same columns.
            record: Content of done.json.

        Raises:
            RunError: The disk is full.
        """
        folder = self.cell_folder(cell)
        with refuse_full_disk(self.folder):
            files.write_tensors(folder / files.CHECKPOINT, weights)
            with atomic_path(folder / files.HISTORY) as partial:
                history.write_csv(partial)
            files.write_table(folder / files.PREDICTIONS, predictions.select(*files.CELL_COLUMNS))
            files.write_table(folder / files.VALIDATION, validation.select(*files.CELL_COLUMNS))
            files.write_json(folder / files.DONE, record)

    def finished(self) -> list[CellKey]:
        """Return the finished cells, of this and of earlier sessions of the run, in their order."""
        marks = (self.folder / files.CELLS).glob(f"*/{files.DONE}")
        return sorted(CellKey.named(mark.parent.name) for mark in marks)

    def join_cells(self) -> None:
        """Join the finished cells' test and validation predictions into one table each."""
        cells = self.finished()
        if not cells:
            raise RunError("a finished cell", "none", "start the run again")
        for name in (files.VALIDATION, files.PREDICTIONS):
            parts = [
                pl.read_parquet(self.cell_folder(cell) / name).with_columns(
                    fold=pl.lit(cell.fold, pl.Int64),
                    repeat=pl.lit(cell.repeat, pl.Int64),
                    backbone=pl.lit(cell.backbone),
                    transfer=pl.lit(cell.transfer),
                )
                for cell in cells
            ]
            table = pl.concat(parts).select(*files.PREDICTION_COLUMNS)
            with refuse_full_disk(self.folder):
                files.write_table(self.folder / name, table)

    def _same_run(self, file: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
        try:
            record: dict[str, Any] = json.loads(file.read_text())
            known = record["identity"]
        except (ValueError, KeyError, TypeError):
            raise RunError(
                f"a run of melanoscope at '{self.folder}'",
                "a run.json that cannot be read",
                "name another folder with --out",
            ) from None
        for key, value in identity.items():
            if known.get(key) != value:
                raise RunError(
                    f"an --out folder of this run ({key} = {_short(value)})",
                    f"'{self.folder}' of another ({key} = {_short(known.get(key))})",
                    "name another folder with --out",
                )
        return record


def _resumed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Join the record of a run with that of taking it up, perhaps with further networks."""
    wider = {
        key: list(dict.fromkeys([*before["configuration"][key], *now["configuration"][key]]))
        for key in ("backbones", "transfer")
    }
    return {
        **now,
        **{key: before[key] for key in _SESSION},
        "configuration": {**now["configuration"], **wider},
        "skipped": skipped_transfers(wider["backbones"], wider["transfer"]),
        "resumed": [*before.get("resumed", []), {key: now[key] for key in _SESSION}],
    }


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "..."
