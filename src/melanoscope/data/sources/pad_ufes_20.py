"""PAD-UFES-20: photographs by smartphone instead of dermoscope, some turned into PNG."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, SourceTable
from melanoscope.data.sources import csv_reader

TABLES = ("metadata.csv",)
COLUMNS = {
    "image_id": "img_id",
    "patient_id": "patient_id",
    "lesion_id": "lesion_id",
    "diagnosis": "diagnostic",
    "sex": "gender",
    "age": "age",
    "site": "region",
}


def read(folder: str | Path, _cache: Path | None = None) -> SourceTable:
    """Read the archive's table and the names of its photographs, whatever their format."""
    table = csv_reader.find_table(folder, TABLES, "pad-ufes-20")
    raw = csv_reader.read_table(table, COLUMNS)
    raw = raw.with_columns(pl.col("image_id").str.replace(r"\.[A-Za-z]+$", ""))
    rows = csv_reader.catalog_rows(raw, "pad-ufes-20", table)
    # Lesions are numbered anew for some patients: the number alone would join strangers.
    lesion_id = pl.concat_str("patient_id", "lesion_id", separator="/")
    return SourceTable("pad-ufes-20", rows.with_columns(lesion_id=lesion_id))


ARCHIVE = Archive(
    kind="pad-ufes-20",
    title="PAD-UFES-20",
    license="CC BY 4.0",
    attribution="Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221",
    read=read,
    table_names=TABLES,
)
