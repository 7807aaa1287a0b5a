"""Anybody's own photographs: a CSV beside them.

Columns: ``path`` (relative to the CSV's folder), and ``target`` (0 or 1) or ``diagnosis``.
Optional: ``image_id`` (else the path), ``patient_id``, ``lesion_id``, ``sex``, ``age``, ``site``.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.sources.image_files import find_image_files
from melanoscope.errors import DataError

OPTIONAL = ("image_id", "target", "diagnosis", "patient_id", "lesion_id", "sex", "age", "site")


def read(path: str | Path, _cache: Path | None = None) -> SourceTable:
    """Read a CSV, or the only CSV in a folder, at `path`, and look for each file it names."""
    table = _find_csv(Path(path))
    raw = csv_reader.read_table(table, {"path": "path"}, {name: name for name in OPTIONAL})
    found = find_image_files(table.parent, raw["path"])
    named = raw.with_columns(pl.col("image_id").fill_null(pl.col("path")), path=found.paths)
    rows = csv_reader.catalog_rows(named, f"table:{table.stem}", table)
    target = _targets(raw, rows["diagnosis"], table)
    return SourceTable("table", csv_reader.add_targets(rows, target))


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


def _targets(raw: pl.DataFrame, diagnosis: pl.Series, table: Path) -> pl.Series:
    """Take the targets as given, else from the diagnosis; refuse a row that contradicts itself."""
    unknown, melanoma = diagnosis == "unknown", diagnosis == "melanoma"
    if raw["target"].null_count() == raw.height:
        if unknown.any():
            raise DataError(
                f"a target (0 or 1) or a diagnosis in every row of '{table.name}'",
                f"{int(unknown.sum())} rows with neither",
                "fill one of the columns",
            )
        return melanoma.cast(pl.Int8).alias("target")
    target = csv_reader.parse_targets(raw["target"], table)
    conflicting = ~unknown & (melanoma != (target == 1))
    if conflicting.any():
        raise DataError(
            f"diagnoses that agree with the targets in '{table.name}'",
            f"{int(conflicting.sum())} rows that do not "
            f"(first: '{raw['path'].filter(conflicting)[0]}')",
            "correct one of the columns",
        )
    return target


ARCHIVE = Archive(
    kind="table",
    title="Own table",
    license="as the table's owner says",
    attribution="the table's owner",
    read=read,
)
