"""ISIC 2020 training set (Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.catalog import SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.vocabulary import translate_diagnoses
from melanoscope.errors import DataError

TITLE = "ISIC 2020 Challenge, training set"
LICENCE = "CC BY-NC 4.0"
ATTRIBUTION = "Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z"

# The second edition names lesions; the first and the copy on Kaggle do not.
TABLES = (
    "ISIC_2020_Training_GroundTruth_v2.csv",
    "ISIC_2020_Training_GroundTruth.csv",
    "train.csv",
)
DUPLICATES = "ISIC_2020_Training_Duplicates.csv"
NEEDED = (
    "image_name",
    "patient_id",
    "sex",
    "age_approx",
    "anatom_site_general_challenge",
    "target",
)


def read(folder: Path) -> SourceTable:
    """Read the archive's table, its list of duplicates and the names of its photographs."""
    path = csv_reader.find_table(folder, TABLES, "isic2020")
    raw = csv_reader.read_table(path, NEEDED, optional=("lesion_id", "diagnosis"))
    static = csv_reader.patient_columns(
        raw["sex"], raw["age_approx"], raw["anatom_site_general_challenge"], path
    )
    target = raw["target"].cast(pl.Int8, strict=False)
    strange = raw["target"].filter(~target.is_in([0, 1]).fill_null(value=False))
    if len(strange):
        raise DataError(f"target 0 or 1 in '{path.name}'", f"'{strange[0]}'", "correct the table")
    # Most benign rows say "unknown": what is known of them is that they are benign.
    diagnosis = translate_diagnoses(raw["diagnosis"], f"the diagnoses of '{path.name}'", "unknown")
    rows = pl.DataFrame(
        {
            "image_id": raw["image_name"],
            "path": csv_reader.paths_of(raw["image_name"], folder),
            "patient_id": csv_reader.blank_to_null(raw["patient_id"]),
            "lesion_id": csv_reader.blank_to_null(raw["lesion_id"]),
            **static,
            "diagnosis": diagnosis.replace("unknown", "unknown benign"),
            "target": target,
        }
    ).with_columns(
        dataset=pl.lit("isic2020"),
        diagnosis=pl.when(pl.col("target") == 1).then(pl.lit("melanoma")).otherwise("diagnosis"),
    )
    return SourceTable("isic2020", rows, _listed_duplicates(folder))


def _listed_duplicates(folder: Path) -> tuple[tuple[str, str], ...]:
    path = folder / DUPLICATES
    if not path.is_file():
        return ()
    raw = csv_reader.read_table(path, ("image_name_1", "image_name_2")).drop_nulls()
    return tuple(zip(raw["image_name_1"], raw["image_name_2"], strict=True))
