"""HAM10000: dermoscopy of 7,470 lesions, many of them photographed more than once."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, SourceTable
from melanoscope.data.sources import csv_reader

TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata")
COLUMNS = {
    "image_id": "image_id",
    "lesion_id": "lesion_id",
    "diagnosis": "dx",
    "sex": "sex",
    "age": "age",
    "site": "localization",
}


def read(folder: str | Path, _cache: Path | None = None) -> SourceTable:
    """Read the archive's table and the names of its photographs in `folder`."""
    table = csv_reader.find_table(folder, TABLES, "ham10000")
    raw = csv_reader.read_table(table, COLUMNS)
    return SourceTable("ham10000", csv_reader.catalog_rows(raw, "ham10000", table))


ARCHIVE = Archive(
    kind="ham10000",
    title="HAM10000",
    license="CC BY-NC 4.0",
    attribution="Tschandl et al. 2018, doi:10.1038/sdata.2018.161",
    read=read,
    table_names=TABLES,
)
