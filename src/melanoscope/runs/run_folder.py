"""Writing a run folder: what is written, in which order, and what a later run may trust.

A cell counts as done when its done.json is there, which is written last, and names the content of
every other file.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.atomic import (
    atomic_path,
    partials_in,
    refuse_bytes_as_name,
    remove_partials,
)
from melanoscope.errors import DataError, RunError, one_line
from melanoscope.locks import lock_file, lock_files
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.runs import files
from melanoscope.runs.cell import CellKey, skipped_transfers
from melanoscope.runs.file_records import find_damage, identity_hash, record_files
from melanoscope.runs.record_schema import CellRecord, RunRecord, decode_record

LOGGER = logging.getLogger(__name__)
_SESSION = ("created", "versions", "hardware")


@dataclass(eq=False)
class RunFolder:
    """A run folder that is being written, at the path `folder`."""

    folder: Path
    _record: dict[str, Any] | None = field(default=None, init=False)

    @property
    def record(self) -> dict[str, Any]:
        """Content of run.json, read once."""
        if self._record is None:
            self._record = files.read_json(self.folder / files.RUN)
            decode_record(self._record, RunRecord, files.RUN)
        return self._record

    def cell_folder(self, cell: CellKey) -> Path:
        """Return the folder of a `cell`."""
        return self.folder / files.CELLS / cell.name

    def checkpoint(self, cell: CellKey) -> Path:
        """Return the file of a `cell`'s trained weights."""
        return self.cell_folder(cell) / files.CHECKPOINT

    def training_state(self, cell: CellKey) -> Path:
        """Return the file that a `cell`'s training goes on from after its last epoch."""
        return self.cell_folder(cell) / files.TRAINING_STATE

    def cell_record(self, cell: CellKey) -> CellRecord:
        """Return the content of a finished `cell`'s done.json."""
        content = files.read_json(self.cell_folder(cell) / files.DONE)
        return decode_record(content, CellRecord, f"{cell.name}'s {files.DONE}")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes from writing the folder; what they left half written is removed.

        Yields:
            Nothing.

        Raises:
            LockedError: Another process writes the folder.
            RunError: The name is no UTF-8, the folder holds something else than a run, or the disk
                is full.
        """
        refuse_bytes_as_name(self.folder, "--out")
        new = not self.folder.exists()
        with explain_machine_faults(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._refuse_other_files()
        lock = self.folder / files.LOCK
        try:
            with lock_file(lock, wait=False, place=self.folder, remove=True):
                remove_partials(self.folder)
                yield
        finally:
            if new and not self._content():
                shutil.rmtree(self.folder, ignore_errors=True)

    def begin(self, record: dict[str, Any], tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
        """Take the folder for a run, or take up the same run again.

        A run taken up keeps its first date, versions, hardware and threads; those of now are added
        under "resumed", since its cells may come from more than one machine. It may have been given
        more backbones, transfers and seeds.

        Args:
            record: Content of run.json; its "identity" must be that of the run in the folder.
            tables: By names of `files.TABLES`: the catalog, near-duplicates, baselines.

        Returns:
            What run.json now says.

        Raises:
            RunError: The folder holds another run, or the disk is full.
        """
        file = self.folder / files.RUN
        if file.is_file():
            record = _resumed(self._same_run(file, record), record)
        with explain_machine_faults(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # First of all, so that a kill between two of the tables leaves a folder of this run.
            files.write_json(file, record)
            for name, table in tables.items():
                files.write_table(self.folder / name, table)
        return self._record_tables(record)

    def begin_cell(self, cell: CellKey) -> None:
        """Make the folder of a `cell`; of an unfinished training only its state is kept."""
        with explain_machine_faults(self.folder):
            self.cell_folder(cell).mkdir(parents=True, exist_ok=True)
        for left in self.cell_folder(cell).iterdir():
            if left.name != files.TRAINING_STATE:
                left.unlink() if left.is_file() else shutil.rmtree(left, ignore_errors=True)

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
            record: Content of done.json; "cell" and "files" are added.

        Raises:
            RunError: The disk is full.
        """
        folder = self.cell_folder(cell)
        with explain_machine_faults(self.folder):
            files.write_tensors(folder / files.CHECKPOINT, weights)
            with atomic_path(folder / files.HISTORY) as partial:
                history.write_csv(partial)
            files.write_table(folder / files.PREDICTIONS, predictions.select(*files.CELL_COLUMNS))
            files.write_table(folder / files.VALIDATION, validation.select(*files.CELL_COLUMNS))
            recorded = record_files(folder, files.CELL_FILES)
            named = {"cell": cell.name, **record, "files": recorded}
            files.write_json(folder / files.DONE, named)
        self.remove_training_state(cell)

    def is_done(self, cell: CellKey) -> bool:
        """Say whether a `cell` is finished, of this run, and its files are as they were written."""
        if not (self.cell_folder(cell) / files.DONE).exists():
            return False
        try:
            record, run = self.cell_record(cell), self.record
        except RunError as error:
            damage: str | None = str(error)
        else:
            damage = find_damage(self.cell_folder(cell), record.files, files.CELL_FILES)
            if record.identity != identity_hash(run["identity"]):
                damage = "of another run"
            elif record.cell != cell.name:
                damage = "of another cell"
        if damage:
            LOGGER.warning("melanoscope: cell %s is not whole (%s)", cell.name, one_line(damage))
        return damage is None

    def remove_training_state(self, cell: CellKey) -> None:
        """Remove what a finished `cell`'s training could have gone on from."""
        self.training_state(cell).unlink(missing_ok=True)

    def finished(self) -> list[CellKey]:
        """Return the finished cells, of this and of earlier sessions of the run, in their order."""
        cells = []
        for mark in (self.folder / files.CELLS).glob(f"*/{files.DONE}"):
            try:
                cells.append(CellKey.named(mark.parent.name))
            except DataError:
                LOGGER.warning("melanoscope: no cell: %s", one_line(f"'{mark.parent}'"))
        return [cell for cell in sorted(cells) if self.is_done(cell)]

    def join_cells(self) -> None:
        """Join the finished cells' test and validation predictions into one table each."""
        cells = self.finished()
        if not cells:
            raise RunError("a finished cell", "none", "start the run again")
        for name in (files.VALIDATION, files.PREDICTIONS):
            parts = [
                files.read_table(self.cell_folder(cell) / name, files.CELL_COLUMNS).with_columns(
                    fold=pl.lit(cell.fold, pl.Int64),
                    repeat=pl.lit(cell.repeat, pl.Int64),
                    backbone=pl.lit(cell.backbone),
                    transfer=pl.lit(cell.transfer),
                    seed_index=pl.lit(cell.seed_index, pl.Int64),
                )
                for cell in cells
            ]
            table = pl.concat(parts).select(*files.PREDICTION_COLUMNS)
            with explain_machine_faults(self.folder):
                files.write_table(self.folder / name, table)
        self._record_tables(self.record)

    def _refuse_other_files(self) -> None:
        """Refuse a folder of something else, before a file of it is touched or one is left in it.

        Without run.json there may be what a kill left before it was written.
        """
        left = {file.name for file in partials_in(self.folder)}
        if not (self.folder / files.RUN).is_file() and set(self._content()) - left:
            raise RunError(
                f"an empty or new folder, or one of this run, at '{self.folder}'",
                "other files",
                "name another folder with --out",
            )

    def _content(self) -> list[str]:
        """List what is in the folder beside its lock."""
        own = {file.name for file in lock_files(self.folder / files.LOCK)}
        return [one.name for one in self.folder.iterdir() if one.name not in own]

    def _record_tables(self, record: dict[str, Any]) -> dict[str, Any]:
        """Write run.json with what its tables are now."""
        self._record = {**record, "files": record_files(self.folder, files.TABLES)}
        with explain_machine_faults(self.folder):
            files.write_json(self.folder / files.RUN, self._record)
        return self._record

    def _same_run(self, file: Path, now: Mapping[str, Any]) -> dict[str, Any]:
        try:
            record = files.read_json(file)
            decode_record(record, RunRecord, files.RUN)
        except RunError as error:
            raise RunError(
                f"a run of melanoscope at '{self.folder}'",
                f"a run.json that cannot be read ({error.found})",
                "name another folder with --out",
            ) from None
        known, weights = dict(record["identity"]), record["weights"]
        identity = dict(now["identity"])
        known["schema"], identity["schema"] = record.get("schema"), now.get("schema")
        if now["configuration"].get("threads") is not None:
            known["threads"], identity["threads"] = record["threads"], now["threads"]
        # Weights by backbone, since a run may be given further ones.
        for name in weights.keys() & now["weights"].keys():
            key = f"weights of {name}"
            known[key], identity[key] = weights[name]["xxh3"], now["weights"][name]["xxh3"]
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
    wider["seeds"] = max(one["configuration"]["seeds"] for one in (before, now))
    return {
        **now,
        **{key: before[key] for key in (*_SESSION, "threads")},
        "configuration": {**now["configuration"], **wider},
        "weights": {**before["weights"], **now["weights"]},
        "files": before.get("files", {}),
        "skipped": skipped_transfers(wider["backbones"], wider["transfer"]),
        "resumed": [*before.get("resumed", []), {key: now[key] for key in _SESSION}],
    }


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "..."
