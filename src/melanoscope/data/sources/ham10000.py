"""HAM10000 (Tschandl et al. 2018, doi:10.1038/sdata.2018.161); lesions photographed repeatedly."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.catalog import SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.vocabulary import translate_diagnoses

TITLE = "HAM10000"
LICENCE = "CC BY-NC 4.0"
ATTRIBUTION = "Tschandl et al. 2018, doi:10.1038/sdata.2018.161"

TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata")
NEEDED = ("lesion_id", "image_id", "dx", "age", "sex", "localization")


def read(folder: Path) -> SourceTable:
    """Read the archive's table and the names of its photographs."""
    path = csv_reader.find_table(folder, TABLES, "ham10000")
    raw = csv_reader.read_table(path, NEEDED)
    static = csv_reader.patient_columns(raw["sex"], raw["age"], raw["localization"], path)
    diagnosis = translate_diagnoses(raw["dx"], f"the diagnoses of '{path.name}'", "unknown")
    rows = pl.DataFrame(
        {
            "image_id": raw["image_id"],
            "path": csv_reader.paths_of(raw["image_id"], folder),
            "lesion_id": csv_reader.blank_to_null(raw["lesion_id"]),
            **static,
            "diagnosis": diagnosis,
            "target": (diagnosis == "melanoma").cast(pl.Int8),
        }
    ).with_columns(dataset=pl.lit("ham10000"), patient_id=pl.lit(None, pl.String))
    return SourceTable("ham10000", rows)
