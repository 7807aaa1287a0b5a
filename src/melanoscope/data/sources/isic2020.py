"""ISIC 2020 training set: dermoscopy with patients, and a list of duplicates."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, Join, ReadOptions, SourceTable
from melanoscope.data.sources import csv_reader
from melanoscope.data.sources.joins import join_of
from melanoscope.data.sources.rows import catalog_rows, parse_targets
from melanoscope.data.validation import abbreviate
from melanoscope.data.vocabulary import translate_malignancy
from melanoscope.errors import DataError

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
OPTIONAL = {
    "lesion_id": "lesion_id",
    "diagnosis": "diagnosis",
    "benign_malignant": "benign_malignant",
}


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table, its list of duplicates and the names of its photographs."""
    table = csv_reader.find_table(folder, TABLES, "isic2020")
    raw = csv_reader.read_table(table, COLUMNS, OPTIONAL)
    raw = raw.with_columns(malignancy=_malignancies(raw, table))
    rows = catalog_rows(raw, "isic2020", table, image_type="dermoscopic")
    # Every malignant lesion of this archive is a melanoma, and so is what its target marks.
    melanoma = (pl.col("malignancy") == "malignant") & (pl.col("diagnosis") == "unknown malignant")
    diagnosis = pl.when(melanoma).then(pl.lit("melanoma")).otherwise("diagnosis")
    pairs, joins = _listed_duplicates(table.parent, rows["image_id"])
    return SourceTable(
        "isic2020",
        rows.with_columns(diagnosis=diagnosis),
        duplicate_pairs=pairs,
        id_space="isic",
        joins=joins,
    )


def _malignancies(raw: pl.DataFrame, table: Path) -> pl.Series:
    """Join the columns target and benign_malignant, and refuse rows in which they differ."""
    target = parse_targets(raw["target"], table)
    said = translate_malignancy(raw["benign_malignant"], f"benign_malignant of '{table.name}'")
    meant = target.replace_strict({0: "benign", 1: "malignant"}, return_dtype=pl.String)
    differ = (said != meant).fill_null(value=False)
    if differ.any():
        raise DataError(
            f"target and benign_malignant of '{table.name}' that agree",
            f"{int(differ.sum())} rows that do not ({abbreviate(raw['image_id'].filter(differ))})",
            "correct one of the columns",
        )
    return pl.select(pl.coalesce(meant, said)).to_series()


def _listed_duplicates(
    folder: Path, image_ids: pl.Series
) -> tuple[tuple[tuple[str, str], ...], tuple[Join, ...]]:
    path = folder / DUPLICATES
    if not path.is_file():
        return (), ()
    pairs = csv_reader.read_table(path, {"a": "image_name_1", "b": "image_name_2"}).drop_nulls()
    pairs = pairs.select("a", "b")
    in_table = pairs.select(pl.all().is_in(image_ids.implode()))
    join = join_of(path.name, (in_table["a"] | in_table["b"]), without=0)
    return tuple(pairs.iter_rows()), (join,)


ARCHIVE = Archive(
    kind="isic2020",
    title="ISIC 2020 Challenge, training set",
    license="CC BY-NC 4.0",
    attribution="Rotemberg et al. 2021, doi:10.1038/s41597-021-00815-z",
    read=read,
    table_names=TABLES[:2],
    layout="ISIC_2020_Training_GroundTruth_v2.csv (or Kaggle's train.csv), photographs in folders "
    "beside it, ISIC_2020_Training_Duplicates.csv",
    columns=(*COLUMNS.values(), *OPTIONAL.values()),
)
