"""ISIC 2020 training set: dermoscopy with patients, and a list of duplicates."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, SourceTable
from melanoscope.data.sources import csv_reader

# The second edition names lesions; the first and the copy on Kaggle do not.
TABLES = (
    "ISIC_2020_Training_GroundTruth_v2.csv",
    "ISIC_2020_Training_GroundTruth.csv",
    "train.csv",
)
DUPLICATES = "ISIC_2020_Training_Duplicates.csv"
COLUMNS = {
    "image_id": "image_name",
    "patient_id": "patient_id",
    "sex": "sex",
    "age": "age_approx",
    "site": "anatom_site_general_challenge",
    "target": "target",
}


def read(folder: str | Path, _cache: Path | None = None) -> SourceTable:
    """Read the archive's table, its list of duplicates and the names of its photographs."""
    table = csv_reader.find_table(folder, TABLES, "isic2020")
    optional = {"lesion_id": "lesion_id", "diagnosis": "diagnosis"}
    raw = csv_reader.read_table(table, COLUMNS, optional)
    rows = csv_reader.catalog_rows(raw, "isic2020", table)
    # Most benign rows say "unknown": what is known of them is that they are benign.
    rows = csv_reader.add_targets(rows, csv_reader.parse_targets(raw["target"], table))
    return SourceTable("isic2020", rows, duplicate_pairs=_listed_duplicates(table.parent))


def _listed_duplicates(folder: Path) -> tuple[tuple[str, str], ...]:
    path = folder / DUPLICATES
    if not path.is_file():
        return ()
    pairs = csv_reader.read_table(path, {"a": "image_name_1", "b": "image_name_2"}).drop_nulls()
    return tuple(pairs.select("a", "b").iter_rows())


ARCHIVE = Archive(
    kind="isic2020",
    title="ISIC 2020 Challenge, training set",
    license="CC BY-NC 4.0",
    attribution="Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z",
    read=read,
    table_names=TABLES[:2],
)
