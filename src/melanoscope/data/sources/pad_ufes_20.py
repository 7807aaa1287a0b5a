"""PAD-UFES-20: photographs by smartphone instead of dermoscope, some turned into PNG."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.identifiers import lesions_within_patients
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import read_table

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
    table = find_table_below(folder, TABLES, "pad-ufes-20")
    text = read_table(table, COLUMNS)
    raw = text.frame.with_columns(pl.col("image_id").str.replace(r"\.[A-Za-z]+$", ""))
    source = source_table(
        "pad-ufes-20", raw, table, folder=Path(folder), image_type="clinical", notes=text.notes
    )
    # Lesions are numbered anew for some patients: the number alone would join strangers.
    return replace(source, rows=lesions_within_patients(source.rows, numbered=True))


ARCHIVE = Archive(
    kind="pad-ufes-20",
    title="PAD-UFES-20",
    license="CC BY 4.0",
    attribution="Pacheco et al. 2020, doi:10.1016/j.dib.2020.106221",
    read=read,
    table_names=TABLES,
    header=("img_id", "diagnostic"),
    layout="metadata.csv and photographs in folders beside it",
    columns=tuple(COLUMNS.values()),
    leaks=("biopsed",),
)
