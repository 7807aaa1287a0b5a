"""The run folder: what is written, in which order, and what a later run may trust.

Every file is written under another name and then renamed; a cell counts as done when its
`done.json` is there, which is written last.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.benchmark.config import CellKey, skipped_transfers
from melanoscope.errors import RunError

SCHEMA = 1

# What runs did that were begun before these settings existed.
_BEFORE = {"protocol": "corrected", "near_duplicates": False}


@dataclass(frozen=True)
class RunFolder:
    """A run folder."""

    folder: Path

    @property
    def run_file(self) -> Path:
        """Configuration, versions, hardware, seeds and fingerprints."""
        return self.folder / "run.json"

    def cell_folder(self, cell: CellKey) -> Path:
        """Folder of a cell."""
        return self.folder / "cells" / cell.name

    def is_done(self, cell: CellKey) -> bool:
        """Whether a cell's results can be trusted."""
        return (self.cell_folder(cell) / "done.json").is_file()

    def begin(
        self,
        run: dict[str, Any],
        catalog: pl.DataFrame,
        near_duplicates: pl.DataFrame,
        identity: dict[str, Any],
    ) -> None:
        """Take the folder for a run, or take up the same run again.

        A run taken up keeps its first date, versions and hardware; those of now are added under
        "resumed", since its cells may come from more than one machine.

        Raises:
            RunError: The folder holds another run or something else.
        """
        if self.run_file.is_file():
            run = _taken_up(self._same_run(identity), run)
        elif self.folder.exists() and any(self.folder.iterdir()):
            raise RunError(
                f"an empty or new folder, or one of this run, at '{self.folder}'",
                "other files",
                "name another folder with --out",
            )
        with refuse_full_disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_frame(self.folder / "catalog.parquet", catalog)
            write_frame(self.folder / "near_duplicates.parquet", near_duplicates)
            write_json(self.run_file, run)

    def write_baselines(self, predictions: pl.DataFrame) -> None:
        """Write what can be predicted without the photograph."""
        with refuse_full_disk(self.folder):
            write_frame(self.folder / "baselines.parquet", predictions)

    def finish_cell(
        self,
        cell: CellKey,
        predictions: pl.DataFrame,
        validation: pl.DataFrame,
        about: dict[str, Any],
    ) -> None:
        """Write a cell's predictions of its test and validation part and, last, its done marker."""
        folder = self.cell_folder(cell)
        with refuse_full_disk(self.folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_frame(folder / "predictions.parquet", predictions)
            write_frame(folder / "validation.parquet", validation)
            write_json(folder / "done.json", about)

    def finished(self) -> list[CellKey]:
        """The finished cells, of this and of earlier sessions of the run."""
        markers = (self.folder / "cells").glob("*/done.json")
        return sorted(CellKey.named(marker.parent.name) for marker in markers)

    def gather(self) -> pl.DataFrame:
        """Join the finished cells' predictions, of the test and of the validation parts.

        Returns:
            Those of the test parts, as in predictions.parquet.

        Raises:
            RunError: No cell is finished.
        """
        self._join("validation.parquet")
        return self._join("predictions.parquet")

    def _join(self, name: str) -> pl.DataFrame:
        done = self.finished()
        if not done:
            raise RunError("a finished cell", "none", "start the run again")
        parts = [
            pl.read_parquet(self.cell_folder(cell) / name).with_columns(
                fold=pl.lit(cell.fold, pl.Int64),
                repeat=pl.lit(cell.repeat, pl.Int64),
                backbone=pl.lit(cell.backbone),
                transfer=pl.lit(cell.transfer),
            )
            for cell in done
        ]
        columns = ["image_id", "target", "fold", "repeat", "backbone", "transfer"]
        table = pl.concat(parts).select(*columns, "probability", "threshold")
        with refuse_full_disk(self.folder):
            write_frame(self.folder / name, table)
        return table

    def _same_run(self, identity: dict[str, Any]) -> dict[str, Any]:
        try:
            run: dict[str, Any] = json.loads(self.run_file.read_text())
            known = run["identity"]
        except (ValueError, KeyError, TypeError):
            raise RunError(
                f"a run of melanoscope at '{self.folder}'",
                "a run.json that cannot be read",
                "name another folder with --out",
            ) from None
        for key, value in identity.items():
            before = known.get(key, _BEFORE.get(key))
            if before != value:
                raise RunError(
                    f"an --out folder of this run ({key} = {_short(value)})",
                    f"'{self.folder}' of another ({key} = {_short(before)})",
                    "name another folder with --out",
                )
        return run


def _taken_up(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Join the record of a run with that of taking it up, perhaps with further networks."""
    session = {key: now[key] for key in ("created", "versions", "hardware")}
    both = before["configuration"], now["configuration"]
    wider = {
        key: list(dict.fromkeys([*both[0][key], *both[1][key]]))
        for key in ("backbones", "transfer")
    }
    return {
        **now,
        **{key: before[key] for key in session},
        "configuration": {**now["configuration"], **wider},
        "skipped": skipped_transfers(wider["backbones"], wider["transfer"]),
        "resumed": [*before.get("resumed", []), session],
    }


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write JSON that is either whole or not there."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    _atomically(path, lambda partial: partial.write_text(text))


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write Parquet that is either whole or not there."""
    _atomically(path, frame.write_parquet)


def write_tensors(path: Path, state: dict[str, Any]) -> None:
    """Write safetensors that are either whole or not there."""
    from safetensors.torch import save_file

    plain = {name: tensor.contiguous().cpu() for name, tensor in state.items()}
    _atomically(path, lambda partial: save_file(plain, partial))


@contextmanager
def refuse_full_disk(folder: Path) -> Iterator[None]:
    """Turn a full disk into one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise RunError(f"room on the disk of '{folder}'", "a full disk", "free some") from None


def _atomically(path: Path, write: Callable[[Path], object]) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        os.replace(partial, path)  # noqa: PTH105 - atomic also where the target exists
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def discard(folder: Path) -> None:
    """Remove what an unfinished cell left."""
    shutil.rmtree(folder, ignore_errors=True)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) < 60 else text[:57] + "..."
