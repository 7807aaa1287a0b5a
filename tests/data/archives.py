"""Writes tiny archives in the true layout of the published ones."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from melanoscope.data.archive import ROW_SCHEMA, SourceTable
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import ham10000, isic2019, isic2020
from melanoscope.errors import DataError

# The headers of the tables as the archives publish them.
ISIC2020_V2 = (
    "image_name,patient_id,lesion_id,sex,age_approx,anatom_site_general_challenge,"
    "diagnosis,benign_malignant,target"
)
ISIC2020_V1 = ISIC2020_V2.replace("lesion_id,", "")
ISIC2019_LABELS = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
ISIC2019_METADATA = "image,age_approx,anatom_site_general,lesion_id,sex"
HAM = "lesion_id,image_id,dx,dx_type,age,sex,localization"
PAD = (
    "patient_id,lesion_id,smoke,drink,background_father,background_mother,age,pesticide,gender,"
    "skin_cancer_history,cancer_history,has_piped_water,has_sewage_system,fitspatrick,region,"
    "diameter_1,diameter_2,diagnostic,itch,grew,hurt,changed,bleed,elevation,img_id,biopsed"
)

# Every word of the published tables, as they spell it.
ISIC2020_DIAGNOSES = {
    "atypical melanocytic proliferation": "atypical melanocytic proliferation",
    "cafe-au-lait macule": "other benign",
    "lentigo NOS": "benign keratosis",
    "lichenoid keratosis": "benign keratosis",
    "nevus": "nevus",
    "seborrheic keratosis": "benign keratosis",
    "solar lentigo": "benign keratosis",
    "unknown": "unknown benign",
}
ISIC2019_CLASSES = {
    "MEL": "melanoma",
    "NV": "nevus",
    "BCC": "basal cell carcinoma",
    "AK": "actinic keratosis",
    "BKL": "benign keratosis",
    "DF": "dermatofibroma",
    "VASC": "vascular lesion",
    "SCC": "squamous cell carcinoma",
    "UNK": "unknown",
}
HAM_DIAGNOSES = {
    "akiec": "actinic keratosis",
    "bcc": "basal cell carcinoma",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "mel": "melanoma",
    "nv": "nevus",
    "vasc": "vascular lesion",
}
PAD_DIAGNOSES = {
    "ACK": "actinic keratosis",
    "BCC": "basal cell carcinoma",
    "MEL": "melanoma",
    "NEV": "nevus",
    "SCC": "squamous cell carcinoma",
    "SEK": "benign keratosis",
}
SITES_2020 = {
    "": "unknown",
    "head/neck": "head/neck",
    "lower extremity": "lower extremity",
    "oral/genital": "oral/genital",
    "palms/soles": "palms/soles",
    "torso": "torso",
    "upper extremity": "upper extremity",
}
SITES_2019 = SITES_2020 | dict.fromkeys(
    ("anterior torso", "lateral torso", "posterior torso"), "torso"
)
HAM_SITES = {
    "abdomen": "torso",
    "acral": "palms/soles",
    "back": "torso",
    "chest": "torso",
    "ear": "head/neck",
    "face": "head/neck",
    "foot": "lower extremity",
    "genital": "oral/genital",
    "hand": "upper extremity",
    "lower extremity": "lower extremity",
    "neck": "head/neck",
    "scalp": "head/neck",
    "trunk": "torso",
    "unknown": "unknown",
    "upper extremity": "upper extremity",
}
PAD_SITES = {
    "ABDOMEN": "torso",
    "ARM": "upper extremity",
    "BACK": "torso",
    "CHEST": "torso",
    "EAR": "head/neck",
    "FACE": "head/neck",
    "FOOT": "lower extremity",
    "FOREARM": "upper extremity",
    "HAND": "upper extremity",
    "LIP": "head/neck",
    "NECK": "head/neck",
    "NOSE": "head/neck",
    "SCALP": "head/neck",
    "THIGH": "lower extremity",
}

Row = Mapping[str, object]


def write(path: Path, header: str, rows: Iterable[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, header.split(","), restval="", extrasaction="raise")
        writer.writeheader()
        writer.writerows(rows)
    return path


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"photograph")


def write_2020(folder: Path, *rows: Row, name: str = isic2020.TABLES[0]) -> Path:
    usual = {"target": 0, "diagnosis": "unknown", "sex": "male", "benign_malignant": "benign"}
    header = ISIC2020_V2 if name == isic2020.TABLES[0] else ISIC2020_V1
    write(folder / name, header, ({**usual, **row} for row in rows))
    return folder


def write_2019(folder: Path, *rows: Row) -> Path:
    """Write both tables; `label` of a row is its class."""
    labels, about = [], []
    for row in rows:
        mark = dict.fromkeys(ISIC2019_CLASSES, "0.0") | {str(row.get("label", "NV")): "1.0"}
        labels.append({"image": row["image"], **mark})
        about.append({key: value for key, value in row.items() if key != "label"})
    write(folder / isic2019.LABELS, ISIC2019_LABELS, labels)
    write(folder / isic2019.METADATA, ISIC2019_METADATA, about)
    return folder


def write_ham(folder: Path, *rows: Row) -> Path:
    usual = {"dx": "nv", "dx_type": "histo", "age": "80.0", "sex": "male", "localization": "scalp"}
    write(folder / ham10000.TABLES[0], HAM, ({**usual, **row} for row in rows))
    return folder


def write_pad(folder: Path, *rows: Row) -> Path:
    usual = {"diagnostic": "NEV", "region": "ARM", "age": 8, "biopsed": False}
    write(folder / "metadata.csv", PAD, ({**usual, **row} for row in rows))
    return folder


def by_id(source: SourceTable) -> dict[str, dict[str, object]]:
    """Rows by image id, once a catalog accepts them."""
    assert set(source.rows.columns) == set(ROW_SCHEMA)
    catalog = build_catalog([source])
    target = dict(catalog.frame.select("image_id", "target").iter_rows())
    return {
        row["image_id"]: {**row, "target": target.get(row["image_id"])}
        for row in source.rows.to_dicts()
    }


def line(read: Callable[..., object], *args: object) -> str:
    with pytest.raises(DataError) as caught:
        read(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)
