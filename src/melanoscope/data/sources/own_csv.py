"""Anybody's own photographs: a CSV beside them.

Columns: ``path`` (relative to the CSV's folder), and ``target`` (0 or 1) or ``diagnosis``.
Optional: ``image_id`` (else the path), ``patient_id``, ``lesion_id``, ``sex``, ``age``, ``site``.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.identifiers import lesions_within_patients
from melanoscope.data.sources import csv_reader
from melanoscope.data.sources.rows import catalog_rows, parse_targets
from melanoscope.errors import DataError

OPTIONAL = (
    *("image_id", "target", "diagnosis", "malignancy", "patient_id", "lesion_id"),
    *("sex", "age", "site", "center", "image_type", "license"),
)


def read(path: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read a CSV, or the only CSV in a folder, at `path`, and look for each file it names."""
    table = _find_csv(Path(path))
    raw = csv_reader.read_table(table, {"path": "path"}, {name: name for name in OPTIONAL})
    files = [table.parent / name if name else None for name in raw["path"]]
    paths = pl.Series([str(f) if f and f.is_file() else None for f in files], dtype=pl.String)
    named = raw.with_columns(
        pl.col("image_id").fill_null(pl.col("path")),
        path=paths,
        target=parse_targets(raw["target"], table),
    )
    rows = lesions_within_patients(catalog_rows(named, f"table:{table.stem}", table))
    return SourceTable("table", rows, origin=str(table.resolve()))


def _find_csv(path: Path) -> Path:
    if path.is_file():
        return path
    candidates = sorted(path.glob("*.csv")) if path.is_dir() else []
    if len(candidates) != 1:
        raise DataError(
            f"a CSV file, or a folder with one, at '{path}'",
            f"{len(candidates)} CSV files" if path.is_dir() else "nothing there",
            "name the CSV file itself",
        )
    return candidates[0]


ARCHIVE = Archive(
    kind="table",
    title="Own table",
    license="as the table's owner says",
    attribution="the table's owner",
    read=read,
)
