"""The ISIC archive's present export, of any collection: one table of metadata beside photographs.

Its header depends on the query. Names changed: ``diagnosis`` became ``diagnosis_1`` to
``diagnosis_5`` (2024), ``benign_malignant`` went (2025), ``anatom_site_general`` became
``anatom_site_1`` to ``anatom_site_5`` (2026). Old and new names are read.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.labels import join_malignancies
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import blank_to_null, source_table
from melanoscope.data.sources.text_table import read_table
from melanoscope.data.vocabulary import translate_diagnoses, translate_malignancy

TABLES = ("metadata.csv",)
# From the finest level of the archive's tree to the coarsest.
LEVELS = ("diagnosis_5", "diagnosis_4", "diagnosis_3", "diagnosis_2", "diagnosis", "diagnosis_1")
SITES = ("anatom_site_general", "anatom_site_1", "anatom_site_special")
OPTIONAL = {
    "patient_id": "patient_id",
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "image_type": "image_type",
    "license": "copyright_license",
    "center": "attribution",
    "benign_malignant": "benign_malignant",
    "image_manipulation": "image_manipulation",
    **{name: name for name in (*LEVELS, *SITES)},
}
LEAKS = (
    *("mel_class", "mel_mitotic_index", "mel_thick_mm", "mel_type", "mel_ulcer", "nevus_type"),
    *("concomitant_biopsy", "diagnosis_confirm_type", "melanocytic"),
)


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read an export's table and the names of its photographs in `folder`."""
    table = find_table_below(folder, TABLES, "isic")
    text = read_table(table, {"image_id": "isic_id"}, OPTIONAL)
    raw = with_tree(text.frame, LEVELS, text.frame["benign_malignant"], table)
    sites = [blank_to_null(raw[name]) for name in SITES]
    raw = raw.with_columns(site=pl.select(pl.coalesce(sites)).to_series())
    altered = (raw["image_manipulation"].str.to_lowercase() == "synthetic").sum()
    notes = [f"{altered} photographs are synthetic (image_manipulation)"] if altered else []
    return source_table(
        "isic", raw, table, folder=Path(folder), notes=(*text.notes, *notes), id_space="isic"
    )


def with_tree(
    raw: pl.DataFrame, levels: tuple[str, ...], stated: pl.Series, table: Path
) -> pl.DataFrame:
    """Read diagnosis and malignancy from the levels of the ISIC archive's tree.

    Args:
        raw: Columns image_id and `levels`, null where a level is not told.
        levels: Names of the levels from the finest to the coarsest, which says the malignancy.
        stated: What another column says of the malignancy, in any words.
        table: Names the table in errors.

    Returns:
        `raw` with the columns diagnosis, malignancy and unlabelled.
    """
    lines = raw.get_column("line", default=None)
    first = translate_malignancy(raw[levels[-1]], f"{levels[-1]} of '{table.name}'", lines)
    second = translate_malignancy(stated, f"the malignancies of '{table.name}'", lines)
    diagnosis = translate_diagnoses(
        [raw[level] for level in levels], f"the diagnoses of '{table.name}'", lines
    )
    malignancy, unlabelled = join_malignancies(first, second)
    return raw.with_columns(diagnosis=diagnosis, malignancy=malignancy, unlabelled=unlabelled)


ARCHIVE = Archive(
    kind="isic",
    title="ISIC Archive",
    license="each photograph's own (CC0, CC BY or CC BY-NC), as its copyright_license says",
    attribution="The ISIC Archive and the contributors named in its column attribution",
    read=read,
    table_names=TABLES,
    header=("isic_id", "copyright_license"),
    layout="metadata.csv and <isic_id>.<suffix> beside it, as isic-cli writes any collection",
    columns=("isic_id", *dict.fromkeys(OPTIONAL.values())),
    leaks=LEAKS,
)
