"""PAD-UFES-20: photographs by smartphone instead of dermoscope, some turned into PNG."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.identifiers import lesions_within_patients
from melanoscope.data.sources import csv_reader
from melanoscope.data.sources.rows import catalog_rows

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


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table and the names of its photographs, whatever their format."""
    table = csv_reader.find_table(folder, TABLES, "pad-ufes-20")
    raw = csv_reader.read_table(table, COLUMNS)
    raw = raw.with_columns(pl.col("image_id").str.replace(r"\.[A-Za-z]+$", ""))
    rows = catalog_rows(raw, "pad-ufes-20", table, image_type="clinical")
    # Lesions are numbered anew for some patients: the number alone would join strangers.
    return SourceTable("pad-ufes-20", lesions_within_patients(rows, numbered=True))


ARCHIVE = Archive(
    kind="pad-ufes-20",
    title="PAD-UFES-20",
    license="CC BY 4.0",
    attribution="Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221",
    read=read,
    table_names=TABLES,
    layout="metadata.csv and photographs in folders beside it",
    columns=tuple(COLUMNS.values()),
    leaks=("biopsed",),
)
