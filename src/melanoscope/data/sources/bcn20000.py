"""BCN20000: dermoscopy of Hospital Clínic de Barcelona, 2010 to 2016, hard lesions among them."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import read_table

TABLES = ("bcn_20k_train.csv",)
COLUMNS = {
    "image_id": "bcn_filename",
    "diagnosis": "diagnosis",
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general",
}
_OVERLAP = (
    "photographs of BCN20000 are in ISIC 2019 too, under other names: leave one of the two out, or "
    "have near-duplicates looked for"
)


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's training table and its photographs; its test table has no diagnoses."""
    table = find_table_below(folder, TABLES, "bcn20000", levels=1)
    text = read_table(table, COLUMNS)
    return source_table(
        "bcn20000",
        text.frame,
        table,
        folder=Path(folder),
        image_type="dermoscopic",
        notes=(*text.notes, _OVERLAP),
    )


ARCHIVE = Archive(
    kind="bcn20000",
    title="BCN20000",
    license="CC BY-NC 4.0",
    attribution="Hernández-Pérez et al. 2024, doi:10.1038/s41597-024-03387-w",
    read=read,
    table_names=TABLES,
    layout="bcn_20k_train.csv, photographs in BCN_20k_train/bcn_20k_train",
    columns=tuple(COLUMNS.values()),
    leaks=("split",),
)
