"""ISIC 2020 training set: dermoscopy with patients, and a list of duplicates."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.catalog import SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.sources.archive import Archive, reader_of_files
from melanoscope.errors import DataError

# The second edition names lesions; the first and the copy on Kaggle do not.
TABLES = (
    "ISIC_2020_Training_GroundTruth_v2.csv",
    "ISIC_2020_Training_GroundTruth.csv",
    "train.csv",
)
DUPLICATES = "ISIC_2020_Training_Duplicates.csv"
COLUMNS = {
    "image_id": "image_name",
    "patient_id": "patient_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general_challenge",
    "target": "target",
}


def read(folder: Path) -> SourceTable:
    """Read the archive's table, its list of duplicates and the names of its photographs."""
    table = csv_reader.find_table(folder, TABLES, "isic2020")
    optional = {"lesion_id": "lesion_id", "diagnosis": "diagnosis"}
    raw = csv_reader.read_table(table, COLUMNS, optional)
    target = raw["target"].cast(pl.Int8, strict=False)
    invalid = raw["target"].filter(~target.is_in([0, 1]).fill_null(value=False))
    if len(invalid):
        raise DataError(f"target 0 or 1 in '{table.name}'", f"'{invalid[0]}'", "correct the table")
    rows = csv_reader.catalog_rows(raw, "isic2020", table).with_columns(target)
    # Most benign rows say "unknown": what is known of them is that they are benign.
    diagnosis = (
        pl.when(pl.col("target") == 1)
        .then(pl.lit("melanoma"))
        .otherwise(pl.col("diagnosis").replace("unknown", "unknown benign"))
    )
    rows = rows.with_columns(diagnosis=diagnosis)
    return SourceTable("isic2020", rows, duplicate_pairs=_listed_duplicates(folder))


def _listed_duplicates(folder: Path) -> tuple[tuple[str, str], ...]:
    path = folder / DUPLICATES
    if not path.is_file():
        return ()
    pairs = csv_reader.read_table(path, {"a": "image_name_1", "b": "image_name_2"}).drop_nulls()
    return tuple(pairs.iter_rows())


ARCHIVE = Archive(
    kind="isic2020",
    title="ISIC 2020 Challenge, training set",
    license="CC BY-NC 4.0",
    attribution="Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z",
    read=reader_of_files(read),
    table_names=TABLES[:2],
)
