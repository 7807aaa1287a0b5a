"""Derm7pt: 1,011 cases of an atlas, each photographed with and without a dermatoscope."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import read_table

TABLES = ("meta.csv",)
PHOTOGRAPHS = {"derm": "dermoscopic", "clinic": "clinical"}
COLUMNS = {
    "lesion_id": "case_num",
    "diagnosis": "diagnosis",
    "sex": "sex",
    "site": "location",
    **{name: name for name in PHOTOGRAPHS},
}


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's table: a row for each photograph of a case, both of one lesion."""
    table = find_table_below(folder, TABLES, "derm7pt")
    text = read_table(table, COLUMNS)
    # The table has a row for each case, which names a file of either kind.
    raw = pl.concat(
        text.frame.with_columns(image_id=name, file=name, image_type=pl.lit(image_type))
        for name, image_type in PHOTOGRAPHS.items()
    )
    raw = raw.drop_nulls("image_id").sort("line", maintain_order=True)
    # One photograph of two lesions is a row of either, and both rows stay together.
    shared = pl.col("image_id").is_duplicated()
    named = pl.concat_str("image_id", pl.lit(" of case "), "lesion_id")
    pairs = raw.filter(shared).select(b=named, a=named.first().over("image_id"))
    raw = raw.with_columns(pl.when(shared).then(named).otherwise("image_id").alias("image_id"))
    is_published = table.parent.name.casefold() == "meta"
    return source_table(
        "derm7pt",
        raw,
        table,
        folder=table.parent.parent if is_published else table.parent,
        notes=text.notes,
        duplicate_pairs=tuple(
            pairs.filter(pl.col("a") != pl.col("b")).select("a", "b").iter_rows()
        ),
    )


ARCHIVE = Archive(
    kind="derm7pt",
    title="Derm7pt",
    license="non-commercial research only",
    attribution="Kawahara et al. 2019, doi:10.1109/JBHI.2018.2824327",
    read=read,
    table_names=("meta/meta.csv",),
    layout="release_v0 with meta/meta.csv and images",
    columns=tuple(COLUMNS.values()),
    leaks=(
        *("management", "seven_point_score", "pigment_network", "streaks", "pigmentation"),
        *("regression_structures", "dots_and_globules", "blue_whitish_veil"),
        *("vascular_structures", "level_of_diagnostic_difficulty", "elevation", "notes"),
    ),
)
