"""HAM10000: dermoscopy of 7,470 lesions, many of them photographed more than once."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import read_table

TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata")
COLUMNS = {
    "image_id": "image_id",
    "lesion_id": "lesion_id",
    "diagnosis": "dx",
    "sex": "sex",
    "age": "age",
    "site": "localization",
}
OPTIONAL = {"center": "dataset"}


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table and the names of its photographs in `folder`."""
    table = find_table_below(folder, TABLES, "ham10000")
    text = read_table(table, COLUMNS, OPTIONAL)
    return source_table(
        "ham10000",
        text.frame,
        table,
        folder=Path(folder),
        image_type="dermoscopic",
        notes=text.notes,
        id_space="isic",
    )


ARCHIVE = Archive(
    kind="ham10000",
    title="HAM10000",
    license="CC BY-NC 4.0",
    attribution="Tschandl et al. 2018, doi:10.1038/sdata.2018.161",
    read=read,
    table_names=TABLES,
    layout="HAM10000_metadata.csv (or .tab) and photographs in folders beside it",
    columns=(*COLUMNS.values(), *OPTIONAL.values()),
    leaks=("dx_type",),
)
