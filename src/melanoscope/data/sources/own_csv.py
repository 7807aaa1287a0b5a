"""Anybody's own photographs: a CSV beside them.

Columns: ``path`` (relative to the CSV's folder), and ``target`` (0 or 1) or ``diagnosis``.
Optional: ``image_id`` (else the path), ``patient_id``, ``lesion_id``, ``sex``, ``age``, ``site``.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.catalog import SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.vocabulary import translate_diagnoses
from melanoscope.errors import DataError

TITLE = "Own table"
LICENCE = "as the table's owner says"
ATTRIBUTION = "the table's owner"

OPTIONAL = ("image_id", "target", "diagnosis", "patient_id", "lesion_id", "sex", "age", "site")


def read(path: Path) -> SourceTable:
    """Read a CSV and look for each photograph it names."""
    table = _the_csv(path)
    raw = csv_reader.read_table(table, ("path",), OPTIONAL)
    diagnosis, target = _outcome(raw, table)
    folder = table.parent
    found = [
        str(folder / name) if name and (folder / name).is_file() else None for name in raw["path"]
    ]
    rows = pl.DataFrame(
        {
            "image_id": raw["image_id"].fill_null(raw["path"]),
            "path": pl.Series(found, dtype=pl.String),
            "patient_id": csv_reader.blank_to_null(raw["patient_id"]),
            "lesion_id": csv_reader.blank_to_null(raw["lesion_id"]),
            **csv_reader.patient_columns(raw["sex"], raw["age"], raw["site"], table),
            "diagnosis": diagnosis,
            "target": target,
        }
    ).with_columns(dataset=pl.lit(f"table:{table.stem}"))
    return SourceTable("table", rows)


def _the_csv(path: Path) -> Path:
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


def _outcome(raw: pl.DataFrame, table: Path) -> tuple[pl.Series, pl.Series]:
    """Take the target as given, else from the diagnosis; refuse a row that contradicts itself."""
    words = translate_diagnoses(raw["diagnosis"], f"'{table.name}'", "unknown")
    if raw["target"].null_count() == raw.height:
        if (words == "unknown").any():
            raise DataError(
                f"a target (0 or 1) or a diagnosis in every row of '{table.name}'",
                f"{int((words == 'unknown').sum())} rows with neither",
                "fill one of the columns",
            )
        return words, (words == "melanoma").cast(pl.Int8).alias("target")
    target = (
        raw["target"]
        .str.strip_chars()
        .replace({"0.0": "0", "1.0": "1"})
        .cast(pl.Int8, strict=False)
    )
    if target.null_count() or not target.is_in([0, 1]).all():
        strange = raw["target"].filter(
            target.is_null() | ~target.is_in([0, 1]).fill_null(value=False)
        )
        raise DataError(f"target 0 or 1 in '{table.name}'", f"'{strange[0]}'", "correct the column")
    torn = (words != "unknown") & ((words == "melanoma") != (target == 1))
    if torn.any():
        raise DataError(
            f"diagnoses that agree with the targets in '{table.name}'",
            f"{int(torn.sum())} rows that do not (first: '{raw['path'].filter(torn)[0]}')",
            "correct one of the columns",
        )
    frame = pl.DataFrame({"d": words, "t": target}).with_columns(
        d=pl.when(pl.col("d") != "unknown")
        .then("d")
        .when(pl.col("t") == 1)
        .then(pl.lit("melanoma"))
        .otherwise(pl.lit("unknown benign"))
    )
    return frame["d"], target
