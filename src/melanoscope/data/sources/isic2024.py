"""ISIC 2024 (SLICE-3D): crops of pictures of whole bodies, in official and in Kaggle's form."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.hdf5_images import unpack_images
from melanoscope.data.sources.image_files import find_image_files
from melanoscope.data.sources.isic import with_tree
from melanoscope.data.sources.joins import join_table
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import find_table, matching_table, read_table
from melanoscope.data.vocabulary import translate_malignancy
from melanoscope.errors import DataError

KAGGLE = "train-metadata.csv"
HDF5 = "train-image.hdf5"
EDITIONS = ("ISIC_2024_Training", "ISIC_2024_Permissive_Training")
# The coarsest level says benign, indeterminate or malignant.
LEVELS = ("iddx_5", "iddx_4", "iddx_3", "iddx_2", "iddx_full", "iddx_1")
COLUMNS = {"image_id": "isic_id"}
OPTIONAL = {
    "patient_id": "patient_id",
    "lesion_id": "lesion_id",
    "sex": "sex",
    "age": "age_approx",
    "site": ("anatom_site_general", "anatom_site_1"),
    "image_type": "image_type",
    "license": "copyright_license",
    "center": "attribution",
    "stated": ("target", "malignant"),
    **{name: name for name in LEVELS},
}
LEAKS = (
    *("mel_mitotic_index", "mel_thick_mm", "tbp_lv_dnn_lesion_confidence"),
    "tbp_lv_nevi_confidence",
    "lesion_id and iddx_* as inputs (told of biopsied lesions only)",
)


def read(folder: str | Path, options: ReadOptions | None = None) -> SourceTable:
    """Read the archive in its official or in Kaggle's form."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("the folder of isic2024", f"no folder at '{folder}'", "check the path")
    kaggle = matching_table(folder, (KAGGLE,))
    if kaggle is None:
        return _read_official(folder)
    text = read_table(kaggle, COLUMNS, OPTIONAL)
    raw = with_tree(text.frame, LEVELS, text.frame["stated"], kaggle)
    found = find_image_files(folder, raw["image_id"])
    paths, notes = found.paths, found.notes
    packed = folder / HDF5
    if packed.is_file() and options is not None and paths.null_count():
        unpacked = unpack_images(packed, raw["image_id"].filter(paths.is_null()), options.cache)
        paths = pl.select(
            pl.coalesce(
                paths,
                raw["image_id"].replace_strict(unpacked, default=None, return_dtype=pl.String),
            )
        ).to_series()
        notes = (f"{len(unpacked):,} photographs were unpacked from {HDF5} into the cache",)
    raw = raw.with_columns(path=paths)
    return source_table(
        "isic2024",
        raw,
        kaggle,
        image_type="TBP tile",
        notes=(*text.notes, *notes),
        id_space="isic",
    )


def _read_official(folder: Path) -> SourceTable:
    for edition in EDITIONS:
        labels = matching_table(folder, (f"{edition}_GroundTruth.csv",))
        if labels is not None:
            break
    else:
        raise DataError(
            f"{KAGGLE} or {EDITIONS[0]}_GroundTruth.csv in '{folder}'",
            "neither",
            "name the folder that holds the tables",
        )
    inside = folder / f"{edition}_Input"
    if not (inside.is_dir() and matching_table(inside, ("metadata.csv",))):
        inside = folder
    table = find_table(inside, ("metadata.csv",), "isic2024")
    text = read_table(labels, {"image_id": "isic_id", "stated": "malignant"})
    about = {name: column for name, column in OPTIONAL.items() if name != "stated"}
    metadata = read_table(table, COLUMNS, about)
    told = [c for c in metadata.names if c != "lesion_id" and c not in LEVELS]
    raw, join = join_table(
        text.frame.drop("line"), metadata.frame.select(told), str(table.relative_to(folder))
    )
    joins = [join]
    supplement = matching_table(folder, (f"{edition}_Supplement.csv",))
    more = metadata.frame
    if supplement is not None:
        more = read_table(
            supplement, COLUMNS, {"lesion_id": "lesion_id", **{name: name for name in LEVELS}}
        ).frame
    extra = more.select("image_id", "lesion_id", *LEVELS)
    raw, join = join_table(raw, extra, supplement.name if supplement else table.name)
    joins += [join] if supplement is not None else []
    stated = translate_malignancy(raw["stated"], f"malignant of '{labels.name}'")
    raw = with_tree(raw, LEVELS, stated, supplement or table)
    return source_table(
        "isic2024",
        raw,
        labels,
        image_type="TBP tile",
        notes=(*text.notes, *metadata.notes),
        id_space="isic",
        joins=tuple(joins),
    )


ARCHIVE = Archive(
    kind="isic2024",
    title="ISIC 2024 (SLICE-3D)",
    license="CC BY-NC 4.0 (the permissive edition: CC BY 4.0 or CC0, as each row says)",
    attribution="Kurtansky et al. 2024, doi:10.1038/s41597-024-03743-w",
    read=read,
    table_names=(KAGGLE, *(f"{edition}_GroundTruth.csv" for edition in EDITIONS)),
    layout=f"{EDITIONS[0]}_GroundTruth.csv, {EDITIONS[0]}_Supplement.csv, {EDITIONS[0]}_Input/ "
    f"with metadata.csv; or Kaggle's {KAGGLE} with {HDF5} (extra [hdf5]) or photographs",
    columns=(
        "isic_id",
        *(
            column
            for names in OPTIONAL.values()
            for column in ((names,) if isinstance(names, str) else names)
        ),
    ),
    leaks=LEAKS,
)
