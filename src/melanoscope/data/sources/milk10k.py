"""MILK10k: 5,240 lesions, each photographed through a dermatoscope and from close by."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, ReadOptions, SourceTable
from melanoscope.data.sources.joins import join_table
from melanoscope.data.sources.one_hot import read_one_hot
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import matching_table, read_table
from melanoscope.data.vocabulary import translate_diagnoses

METADATA = "MILK10k_Training_Metadata.csv"
LABELS = "MILK10k_Training_GroundTruth.csv"
SUPPLEMENT = "MILK10k_Training_Supplement.csv"
CLASSES = (
    *("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC"),
)
COLUMNS = {
    "image_id": "isic_id",
    "lesion_id": "lesion_id",
    "image_type": "image_type",
    "sex": "sex",
    "age": "age_approx",
    "site": "site",
}
OPTIONAL = {"license": "copyright_license"}


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's tables and the names of its photographs in `folder`."""
    table = find_table_below(folder, (METADATA,), "milk10k")
    text = read_table(table, COLUMNS, OPTIONAL)
    labels = read_one_hot(find_table_below(folder, (LABELS,), "milk10k"), "lesion_id", CLASSES)
    raw, join = join_table(text.frame, labels.drop("line"), LABELS, on="lesion_id")
    raw = raw.rename({"diagnosis": "class"})
    joins, notes = [join], list(text.notes)
    levels, told = ["class"], LABELS
    supplement = matching_table(table.parent, (SUPPLEMENT,))
    if supplement is not None:
        full = read_table(supplement, {"image_id": "isic_id", "full": "diagnosis_full"}).frame
        raw, join = join_table(raw, full.drop("line"), SUPPLEMENT)
        joins.append(join)
        levels, told = ["full", "class"], supplement.name
    elif n_mixed := int((raw["class"] == "AKIEC").sum()):
        notes.append(
            f"{n_mixed} photographs of class AKIEC are actinic keratoses or squamous cell "
            f"carcinomas in situ; only {SUPPLEMENT} tells them apart, and they are taken as "
            "indeterminate"
        )
    words = [raw[level] for level in levels]
    diagnosis = translate_diagnoses(words, f"the diagnoses of '{told}'")
    raw = raw.with_columns(diagnosis=diagnosis)
    return source_table(
        "milk10k", raw, table, folder=Path(folder), notes=notes, id_space="isic", joins=tuple(joins)
    )


ARCHIVE = Archive(
    kind="milk10k",
    title="MILK10k",
    license="CC BY-NC 4.0",
    attribution="MILK study team, doi:10.34970/648456",
    read=read,
    table_names=(METADATA,),
    layout=f"{METADATA}, {LABELS}, {SUPPLEMENT} (optional), MILK10k_Training_Input/<lesion_id>/"
    "<isic_id>.jpg; two photographs a lesion, chosen by --image-type",
    columns=(*COLUMNS.values(), *OPTIONAL.values(), *CLASSES, "diagnosis_full"),
    leaks=("diagnosis_confirm_type", "mel_thick_mm", "MONET_* (predicted from the pixels)"),
)
