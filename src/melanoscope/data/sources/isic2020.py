"""ISIC 2020 training set: dermoscopy with patients, and a list of duplicates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, Join, ReadOptions, SourceTable
from melanoscope.data.sources.joins import join_of
from melanoscope.data.sources.labels import join_malignancies, parse_targets
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import read_table
from melanoscope.data.vocabulary import translate_malignancy

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
    table = find_table_below(folder, TABLES, "isic2020")
    text = read_table(table, COLUMNS, OPTIONAL)
    raw = text.frame
    target = parse_targets(raw["target"], table, raw["line"])
    malignancy, unlabelled = join_malignancies(
        translate_malignancy(
            raw["benign_malignant"], f"benign_malignant of '{table.name}'", raw["line"]
        ),
        target.replace_strict({0: "benign", 1: "malignant"}, return_dtype=pl.String),
    )
    raw = raw.with_columns(malignancy=malignancy, unlabelled=unlabelled).drop("target")
    pairs, joins = _listed_duplicates(table.parent, raw["image_id"])
    source = source_table(
        "isic2020",
        raw,
        table,
        folder=Path(folder),
        image_type="dermoscopic",
        notes=text.notes,
        duplicate_pairs=pairs,
        id_space="isic",
        joins=joins,
    )
    # Every malignant lesion of this archive is a melanoma, and so is what its target marks.
    diagnosis = pl.col("diagnosis").replace("unknown malignant", "melanoma")
    return replace(source, rows=source.rows.with_columns(diagnosis))


def _listed_duplicates(
    folder: Path, image_ids: pl.Series
) -> tuple[tuple[tuple[str, str], ...], tuple[Join, ...]]:
    path = folder / DUPLICATES
    if not path.is_file():
        return (), ()
    pairs = read_table(path, {"a": "image_name_1", "b": "image_name_2"}).frame
    pairs = pairs.select("a", "b").drop_nulls()
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
