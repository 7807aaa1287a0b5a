"""Fitzpatrick17k: clinical photographs of two atlases, by addresses of which many are dead."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.stated_malignancy import place_diagnoses
from melanoscope.data.sources.text_table import read_table

TABLES = ("fitzpatrick17k.csv",)
COLUMNS = {
    "image_id": "md5hash",
    "diagnosis": "label",
    "coarse": "nine_partition_label",
    "malignancy": "three_partition_label",
}
OPTIONAL = {"quality": "qc"}
_WRONG = "3 Wrongly labelled"
_NOTE = (
    "Fitzpatrick17k names no patients and is known to show some lesions more than once: have "
    "near-duplicates looked for"
)


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table and the photographs that could still be fetched, by their hash."""
    table = find_table_below(folder, TABLES, "fitzpatrick17k", levels=1)
    text = read_table(table, COLUMNS, OPTIONAL)
    raw, notes = text.frame, [*text.notes, _NOTE]
    diagnosis, unplaced = place_diagnoses(
        [raw["diagnosis"], raw["coarse"]], f"the labels of '{table.name}'"
    )
    raw = raw.with_columns(diagnosis=diagnosis)
    wrong = pl.col("quality").str.to_lowercase() == _WRONG.lower()
    n_wrong = raw.filter(wrong).height
    if n_wrong:
        labels = pl.when(wrong.fill_null(value=False)).then(None)
        raw = raw.with_columns(
            labels.otherwise(pl.col(name)).alias(name) for name in ("diagnosis", "malignancy")
        )
        notes.append(f"rows whose qc says '{_WRONG}' are left out: {n_wrong:,}")
    return source_table(
        "fitzpatrick17k",
        raw,
        table,
        folder=Path(folder),
        image_type="clinical",
        notes=(*notes, *unplaced),
    )


ARCHIVE = Archive(
    kind="fitzpatrick17k",
    title="Fitzpatrick17k",
    license="CC BY-NC-SA 3.0",
    attribution="Groh et al. 2021, doi:10.1109/CVPRW53098.2021.00201",
    read=read,
    table_names=TABLES,
    layout="fitzpatrick17k.csv, photographs named by their md5hash in folders beside it",
    columns=(*COLUMNS.values(), *OPTIONAL.values()),
    leaks=("url", "url_alphanum"),
)
