"""ISIC 2018, task 3: the photographs of HAM10000 with diagnoses one-hot, a column a class."""

from __future__ import annotations

from pathlib import Path

from melanoscope.data.archive import Archive, Join, ReadOptions, SourceTable
from melanoscope.data.sources.joins import join_table
from melanoscope.data.sources.one_hot import read_one_hot
from melanoscope.data.sources.places import find_table_below
from melanoscope.data.sources.rows import source_table
from melanoscope.data.sources.text_table import matching_table, read_table

LABELS = "ISIC2018_Task3_Training_GroundTruth.csv"
LESIONS = "ISIC2018_Task3_Training_LesionGroupings.csv"
CLASSES = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def read(folder: str | Path, _options: ReadOptions | None = None) -> SourceTable:
    """Read the archive's diagnoses, its list of lesions if it is there, and the photographs."""
    table = find_table_below(folder, (LABELS,), "isic2018")
    raw = read_one_hot(table, "image", CLASSES).rename({"image": "image_id"})
    # The challenge unpacks to a folder of the table's own name, beside that of the photographs.
    is_unpacked = table.parent.name.casefold() == table.stem.casefold()
    root = table.parent.parent if is_unpacked else table.parent
    places = dict.fromkeys((table.parent, root, root / Path(LESIONS).stem))
    lists = [matching_table(place, (LESIONS,)) for place in places if place.is_dir()]
    joins: tuple[Join, ...] = ()
    notes = [f"'{LESIONS}' is not there: photographs of one lesion are not kept together"]
    if path := next(filter(None, lists), None):
        lesions = read_table(path, {"image_id": "image", "lesion_id": "lesion_id"})
        raw, join = join_table(raw, lesions.frame.drop("line"), path.name)
        joins, notes = (join,), []
    return source_table(
        "isic2018",
        raw,
        table,
        folder=root,
        image_type="dermoscopic",
        notes=notes,
        id_space="isic",
        joins=joins,
    )


ARCHIVE = Archive(
    kind="isic2018",
    title="ISIC 2018 Challenge, task 3, training set",
    license="CC BY-NC 4.0",
    attribution="Codella et al. 2019, arXiv:1902.03368; Tschandl et al. 2018, "
    "doi:10.1038/sdata.2018.161",
    read=read,
    table_names=(LABELS,),
    layout=f"{LABELS} and {LESIONS} in the folder or one below it, photographs in "
    "ISIC2018_Task3_Training_Input",
    columns=("image", *CLASSES, "lesion_id"),
    leaks=("diagnosis_confirm_type",),
)
