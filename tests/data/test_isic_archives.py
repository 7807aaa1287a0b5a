"""The archives that ISIC serves today: its export, MILK10k, ISIC 2024."""

from __future__ import annotations

import io
import os
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import (
    find_archives,
    isic,
    isic2024,
    milk10k,
    parse_image_type,
    parse_spec,
    read_sources,
)
from melanoscope.target import MALIGNANT

from .archives import by_id, line, touch, write

REAL = os.environ.get("MELANOSCOPE_REAL")
tables = pytest.mark.skipif(
    not (REAL and (Path(REAL) / "tables").is_dir()), reason="no MELANOSCOPE_REAL/tables"
)

# --- the export

NEW = "isic_id,attribution,copyright_license,age_approx,sex,anatom_site_1,diagnosis_1,diagnosis_2"
MELANOMA = "Malignant melanocytic proliferations (Melanoma)"


def export(tmp_path: Path, *rows: dict[str, object], header: str = NEW) -> Path:
    usual = {"attribution": "A", "copyright_license": "CC-0", "age_approx": 45, "sex": "male"}
    known = set(header.split(","))
    full = [{k: v for k, v in {**usual, **row}.items() if k in known} for row in rows]
    write(tmp_path / "metadata.csv", header, full)
    return tmp_path


def test_an_export_by_the_present_names(tmp_path):
    folder = export(
        tmp_path,
        {"isic_id": "a", "diagnosis_1": "Malignant", "diagnosis_2": MELANOMA},
        {"isic_id": "b", "diagnosis_1": "Indeterminate", "anatom_site_1": "Head and neck"},
        {"isic_id": "c", "diagnosis_1": "Benign", "copyright_license": "CC-BY-NC"},
        {"isic_id": "d"},
    )
    touch(folder, "a.jpg")
    rows = by_id(isic.read(folder))
    assert [row["diagnosis"] for row in rows.values()] == [
        *("melanoma", "unknown indeterminate", "unknown benign", "unknown"),
    ]
    assert [row["malignancy"] for row in rows.values()] == [
        *("malignant", "indeterminate", "benign", None),
    ]
    assert [row["target"] for row in rows.values()] == [1, None, 0, None]
    assert rows["a"]["path"] == str(folder / "a.jpg")
    assert (rows["b"]["site"], rows["c"]["license"]) == ("head/neck", "CC-BY-NC")


def test_an_export_by_the_old_names(tmp_path):
    header = "isic_id,attribution,copyright_license,age_approx,sex,anatom_site_general,diagnosis,"
    header += "benign_malignant"
    folder = export(
        tmp_path,
        {"isic_id": "a", "diagnosis": "melanoma", "benign_malignant": "malignant"},
        {"isic_id": "b", "diagnosis": "nevus", "benign_malignant": "indeterminate/benign"},
        {"isic_id": "c", "benign_malignant": "malignant", "anatom_site_general": "torso"},
        header=header,
    )
    rows = by_id(isic.read(folder))
    assert [row["malignancy"] for row in rows.values()] == [
        *("malignant", "indeterminate", "malignant"),
    ]
    # Malignant, and what it is nobody says: no melanoma and no other lesion.
    assert [row["target"] for row in rows.values()] == [1, 0, None]


def test_levels_that_contradict_each_other(tmp_path):
    row = {"isic_id": "a", "diagnosis_1": "Benign", "diagnosis_2": MELANOMA}
    folder = export(tmp_path, row, {"isic_id": "b", "diagnosis_1": "Benign"})
    assert build_catalog([isic.read(folder)]).unlabelled["image_id"].to_list() == ["a"]


def test_a_finer_node_that_is_not_listed_counts_as_what_it_is_below(tmp_path):
    header = NEW + ",diagnosis_3"
    row = {"isic_id": "a", "diagnosis_1": "Malignant", "diagnosis_2": MELANOMA}
    folder = export(tmp_path, {**row, "diagnosis_3": "Melanoma of the moon"}, header=header)
    assert by_id(isic.read(folder))["a"]["diagnosis"] == "melanoma"


# --- MILK10k

MILK_METADATA = (
    "lesion_id,image_type,isic_id,attribution,copyright_license,image_manipulation,age_approx,sex,"
    "skin_tone_class,site,MONET_hair"
)


def milk(tmp_path: Path, **classes: str) -> Path:
    """Two photographs of each lesion; `classes` maps lesions to their classes."""
    kinds = ("clinical: close-up", "dermoscopic")
    rows = [
        {"lesion_id": lesion, "image_type": kind, "isic_id": f"{lesion}{i}", "site": "trunk"}
        for lesion in classes
        for i, kind in enumerate(kinds)
    ]
    write(tmp_path / milk10k.METADATA, MILK_METADATA, rows)
    marks = [
        {"lesion_id": lesion, **{c: float(c == one) for c in milk10k.CLASSES}}
        for lesion, one in classes.items()
    ]
    write(tmp_path / milk10k.LABELS, "lesion_id," + ",".join(milk10k.CLASSES), marks)
    for row in rows:
        touch(tmp_path / "MILK10k_Training_Input" / str(row["lesion_id"]), f"{row['isic_id']}.jpg")
    return tmp_path


def test_milk10k(tmp_path):
    source = milk10k.read(milk(tmp_path, A="MEL", B="AKIEC", C="BEN_OTH"))
    catalog = build_catalog([source], MALIGNANT)
    assert catalog.frame.select("image_id", "group_id", "target", "site").rows() == [
        ("A0", "A0", 1, "torso"),
        ("A1", "A0", 1, "torso"),
        ("C0", "C0", 0, "torso"),
        ("C1", "C0", 0, "torso"),
    ]
    assert catalog.unlabelled["image_id"].to_list() == ["B0", "B1"]
    assert source.rows["path"].null_count() == 0
    assert source.rows["image_type"].to_list() == ["clinical", "dermoscopic"] * 3
    assert any("AKIEC" in note for note in source.notes)


def test_milk10k_with_its_supplement(tmp_path):
    folder = milk(tmp_path, A="AKIEC", B="AKIEC")
    full = {
        "A": "Squamous cell carcinoma in situ, Bowens disease",
        "B": "Solar or actinic keratosis",
    }
    rows = [{"isic_id": f"{k}{i}", "diagnosis_full": v} for k, v in full.items() for i in (0, 1)]
    write(folder / milk10k.SUPPLEMENT, "isic_id,diagnosis_full", rows)
    source = milk10k.read(folder)
    assert source.rows["malignancy"].to_list() == ["malignant"] * 2 + ["indeterminate"] * 2
    assert [join.matched for join in source.joins] == [2, 4]


def test_one_kind_of_photographs(tmp_path):
    spec = parse_spec(f"milk10k={milk(tmp_path, A='MEL', B='NV')}")
    options = ReadOptions(tmp_path, image_types=parse_image_type("Dermoscopic"))
    (source,) = read_sources([spec], options)
    assert source.rows["image_id"].to_list() == ["A1", "B1"]
    assert source.notes[-1] == "2 photographs that are not dermoscopic were left out"
    assert "--image-type" in line(lambda: parse_image_type("x-ray"))
    assert parse_image_type("dermoscopy") == ("dermoscopic",)
    found = line(lambda: read_sources([spec], ReadOptions(tmp_path, image_types=("RCM",))))
    assert "photographs of" in found
    assert "--image-type" in found


# --- ISIC 2024

KAGGLE = "isic_id,target,patient_id,age_approx,sex,anatom_site_general,image_type,attribution,"
KAGGLE += "copyright_license,lesion_id,iddx_full,iddx_1,iddx_2,mel_thick_mm,tbp_lv_A"


def jpeg() -> np.ndarray:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), "brown").save(file, "JPEG")
    return np.frombuffer(file.getvalue(), np.uint8)


def kaggle(folder: Path) -> Path:
    rows = [
        {"isic_id": "a", "target": 1, "iddx_1": "Malignant", "iddx_2": MELANOMA, "patient_id": "P"},
        {"isic_id": "b", "target": 0, "iddx_1": "Benign", "patient_id": "P"},
        {"isic_id": "c", "target": 0, "iddx_1": "Indeterminate"},
        {"isic_id": "d", "target": 1},
        {"isic_id": "e", "target": 0},
    ]
    write(folder / isic2024.KAGGLE, KAGGLE, rows)
    return folder


def test_isic2024_from_kaggle_with_its_hdf5(tmp_path):
    with h5py.File(kaggle(tmp_path) / isic2024.HDF5, "w") as packed:
        for name in "abc":
            packed[name] = np.void(jpeg().tobytes())
    (source,) = read_sources([parse_spec(f"isic2024={tmp_path}")], ReadOptions(tmp_path / "cache"))
    assert source.rows["path"].is_not_null().to_list() == [True, True, True, False, False]
    assert Image.open(source.rows["path"][0]).size == (20, 20)
    catalog = build_catalog([source], MALIGNANT)
    assert catalog.frame.select("image_id", "target").rows() == [
        *(("a", 1), ("b", 0), ("d", 1), ("e", 0)),
    ]
    assert catalog.unlabelled["image_id"].to_list() == ["c"]
    assert set(source.rows["image_type"]) == {"TBP tile"}
    # Malignant, and nobody says of which kind: no row for a question about melanoma.
    assert build_catalog([source]).unlabelled["image_id"].to_list() == ["c", "d"]


def test_isic2024_photographs_that_another_file_of_that_name_held(tmp_path):
    """The cache belongs to the file's content."""
    for color in ("brown", "pink"):
        folder = kaggle(tmp_path / color)
        file = io.BytesIO()
        Image.new("RGB", (20, 20), color).save(file, "PNG")
        with h5py.File(folder / isic2024.HDF5, "w") as packed:
            packed["a"] = np.void(file.getvalue())
        source = isic2024.read(folder, ReadOptions(tmp_path / "cache"))
        pixel = Image.open(source.rows["path"][0]).getpixel((0, 0))
        assert pixel == Image.new("RGB", (1, 1), color).getpixel((0, 0))


def test_isic2024_a_broken_hdf5(tmp_path):
    (kaggle(tmp_path) / isic2024.HDF5).write_bytes(b"torn")
    assert isic2024.HDF5 in line(lambda: isic2024.read(tmp_path, ReadOptions(tmp_path / "cache")))


def test_isic2024_official(tmp_path):
    name = isic2024.EDITIONS[0]
    write(
        tmp_path / f"{name}_GroundTruth.csv",
        "isic_id,malignant",
        [{"isic_id": "a", "malignant": "1.0"}, {"isic_id": "b", "malignant": "0.0"}],
    )
    write(
        tmp_path / f"{name}_Supplement.csv",
        "isic_id,lesion_id,iddx_full,iddx_1,iddx_2,mel_thick_mm",
        [{"isic_id": "a", "lesion_id": "L", "iddx_1": "Malignant", "iddx_2": MELANOMA}],
    )
    about = "isic_id,patient_id,age_approx,sex,anatom_site_general,image_type,copyright_license"
    write(
        tmp_path / f"{name}_Input" / "metadata.csv",
        about,
        [{"isic_id": n, "patient_id": "P", "age_approx": 60, "sex": "female"} for n in "ab"],
    )
    touch(tmp_path / f"{name}_Input", "a.jpg", "b.jpg")
    source = isic2024.read(tmp_path)
    rows = by_id(source)
    assert [row["target"] for row in rows.values()] == [1, 0]
    assert rows["a"]["lesion_id"] == "L"
    assert rows["b"]["age"] == 60.0
    assert all(row["path"] for row in rows.values())
    assert [(join.matched, join.rows, join.without) for join in source.joins] == [
        *((2, 2, 0), (1, 1, 1)),
    ]


# --- tables of one name


def test_archives_whose_tables_bear_one_name_are_told_apart_by_their_columns(tmp_path):
    write(tmp_path / "one" / "metadata.csv", NEW, [{"isic_id": "a"}])
    write(tmp_path / "two" / "metadata.csv", "img_id,diagnostic", [{"img_id": "a"}])
    write(tmp_path / "three" / "metadata.csv", "name,colour", [{"name": "a"}])
    assert [str(spec) for spec in find_archives(tmp_path)] == [
        f"pad-ufes-20={tmp_path / 'two'}",
        f"isic={tmp_path / 'one'}",
    ]


# --- the real tables


@pytest.mark.real
@tables
def test_the_real_export_and_milk10k_agree():
    folder = Path(str(REAL)) / "tables"
    export = isic.read(folder / "isic_export")
    milk10k_table = milk10k.read(folder / "milk10k")
    assert export.rows.height == milk10k_table.rows.height == 10_480
    melanoma = pl.col("diagnosis") == "melanoma"
    assert export.rows.filter(melanoma).height == 900
    assert export.rows.filter(melanoma)["lesion_id"].n_unique() == 450
    counts = dict(export.rows["malignancy"].value_counts().iter_rows())
    assert counts == {"malignant": 7_268, "benign": 2_966, "indeterminate": 246}
    # The archive serves both: one photograph is one row.
    catalog = build_catalog([export, milk10k_table])
    assert len(catalog) == 10_480
    assert len(catalog.listed_twice) == 10_480
    ids = pl.col("image_id")
    both = [t.rows.filter(melanoma).select(ids).sort(ids) for t in (export, milk10k_table)]
    assert both[0].equals(both[1])
