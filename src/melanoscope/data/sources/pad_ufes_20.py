"""PAD-UFES-20 (Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221): smartphone photographs."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.catalog import SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.vocabulary import translate_diagnoses

TITLE = "PAD-UFES-20"
LICENCE = "CC BY 4.0"
ATTRIBUTION = "Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221"

TABLES = ("metadata.csv",)
NEEDED = ("patient_id", "lesion_id", "age", "gender", "region", "diagnostic", "img_id")


def read(folder: Path) -> SourceTable:
    """Read the archive's table and the names of its photographs, whatever their format."""
    path = csv_reader.find_table(folder, TABLES, "pad-ufes-20")
    raw = csv_reader.read_table(path, NEEDED)
    static = csv_reader.patient_columns(raw["gender"], raw["age"], raw["region"], path)
    diagnosis = translate_diagnoses(raw["diagnostic"], f"the diagnoses of '{path.name}'", "unknown")
    image_id = raw["img_id"].str.replace(r"\.[A-Za-z]+$", "")
    # Lesions are numbered anew for some patients: the number alone would join strangers.
    lesion = csv_reader.blank_to_null(raw["lesion_id"])
    rows = pl.DataFrame(
        {
            "image_id": image_id,
            "path": csv_reader.paths_of(image_id, folder),
            "patient_id": csv_reader.blank_to_null(raw["patient_id"]),
            "lesion_id": raw["patient_id"] + "/" + lesion,
            **static,
            "diagnosis": diagnosis,
            "target": (diagnosis == "melanoma").cast(pl.Int8),
        }
    ).with_columns(dataset=pl.lit("pad-ufes-20"))
    return SourceTable("pad-ufes-20", rows)
