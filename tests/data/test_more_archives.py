"""What is strange in single archives; `test_all_archives` reads each of them as it is published."""

from __future__ import annotations

import pytest

from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import (
    bcn20000,
    class_folders,
    ddi,
    derm7pt,
    find_archives,
    fitzpatrick17k,
    isic2018,
    isic2020,
    ph2,
)
from melanoscope.data.targets import parse_target

from . import drawn_isic
from .archives import by_id, line, touch, write, write_2020
from .drawn_rows import IDS


def test_isic2018_by_the_folder_of_its_table(tmp_path, draw):
    drawn_isic.isic2018(tmp_path, draw)
    (found,) = find_archives(tmp_path)
    assert found.path.endswith("GroundTruth")
    source = isic2018.read(found.path)
    assert source.rows["path"].null_count() == 0
    assert (source.joins[0].matched, source.joins[0].without) == (12, 0)


def test_isic2018_without_its_list_of_lesions(tmp_path, draw):
    drawn_isic.isic2018(tmp_path, draw)
    (tmp_path / isic2018.LESIONS).unlink()
    source = isic2018.read(tmp_path)
    assert source.rows["lesion_id"].null_count() == 12
    assert "not kept together" in source.notes[0]


def test_isic2018_is_in_the_id_space_of_isic(tmp_path, draw):
    """The same photographs as HAM10000's: of two archives one row remains."""
    drawn_isic.isic2018(tmp_path / "a", draw)
    write_2020(tmp_path / "b", *({"image_name": f"{i}.jpg"} for i in IDS[1:2]))
    catalog = build_catalog([isic2018.read(tmp_path / "a"), isic2020.read(tmp_path / "b")])
    assert catalog.listed_twice == (IDS[1],)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("|| IMD002 ||  || 3 ||", "'3' in line 1"),
        ("|| IMD002 ||", "'' in line 1"),
        ("Name;Diagnosis", "found none"),
    ],
)
def test_ph2_strange_tables(tmp_path, text, said):
    (tmp_path / ph2.TABLES[0]).write_text(text)
    assert said in line(ph2.read, tmp_path)


def test_ph2_rows_without_leading_bars(tmp_path):
    (tmp_path / ph2.TABLES[0]).write_text("IMD002 || Melanoma || 2 || 1\n", "utf-8-sig")
    assert by_id(ph2.read(tmp_path))["IMD002"]["target"] == 1


def test_ddi_older_edition_and_diseases_without_a_place(tmp_path):
    rows = [
        {"DDI_file": "1.png", "malignancy(malig=1)": 1, "disease": "melanoma of no known kind"},
        {"DDI_file": "2.png", "malignancy(malig=1)": 0, "disease": "cellular-neurothekeoma"},
        {"DDI_file": "3.png", "malignancy(malig=1)": 1, "disease": "nodular-melanoma-(nm)"},
    ]
    write(tmp_path / "ddi_metadata.csv", "DDI_file,malignancy(malig=1),disease", rows)
    source = ddi.read(tmp_path)
    # A word that nobody knows may be a melanoma: such a malignant row is left out, never negative.
    assert [row["target"] for row in by_id(source).values()] == [None, 0, 1]
    assert "2 rows keep only whether" in source.notes[0]
    assert build_catalog([source], parse_target("malignant")).frame["target"].to_list() == [1, 0, 1]


def test_derm7pt_one_photograph_of_two_lesions(tmp_path):
    header = "case_num,diagnosis,sex,location,clinic,derm"
    rows = [
        {"case_num": 1, "diagnosis": "melanoma", "clinic": "A/1.jpg", "derm": "A/2.jpg"},
        {"case_num": 2, "diagnosis": "clark nevus", "clinic": "A/1.jpg", "derm": "A/3.jpg"},
        {"case_num": 3, "diagnosis": "lentigo", "derm": "A/4.jpg"},
    ]
    write(tmp_path / "release_v0" / "meta" / "meta.csv", header, rows)
    touch(tmp_path / "release_v0" / "images" / "A", "1.JPG", "2.JPG", "3.JPG", "4.JPG")
    source = derm7pt.read(tmp_path)
    assert source.rows["path"].null_count() == 0
    frame = build_catalog([source]).frame
    groups = dict(frame.select("image_id", "group_id").iter_rows())
    assert set(groups) == {"A/1.jpg of case 1", "A/1.jpg of case 2", *(f"A/{i}.jpg" for i in "234")}
    assert len(set(groups.values())) == 2
    assert groups["A/2.jpg"] == groups["A/3.jpg"] != groups["A/4.jpg"]


def test_fitzpatrick17k_needs_no_quality(tmp_path):
    header = "md5hash,label,nine_partition_label,three_partition_label"
    row = {"md5hash": "ab", "label": "mycosis fungoides"}
    parts = {"nine_partition_label": "malignant cutaneous lymphoma"}
    write(
        tmp_path / "fitzpatrick17k.csv",
        header,
        [{**row, **parts, "three_partition_label": "malignant"}],
    )
    assert by_id(fitzpatrick17k.read(tmp_path))["ab"]["diagnosis"] == "other malignant"


def test_bcn20000_without_an_archive(tmp_path):
    assert "bcn_20k_train.csv" in line(bcn20000.read, tmp_path)


# --- one folder a class


@pytest.mark.parametrize(
    ("name", "diagnosis", "malignancy"),
    [
        ("Melanomas", "melanoma", "malignant"),
        ("0_mel", "melanoma", "malignant"),
        ("BCC", "basal cell carcinoma", "malignant"),
        ("Actinic Keratosis", "actinic keratosis", "indeterminate"),
        ("pigmented benign keratosis", "benign keratosis", "benign"),
        ("vascular_lesions", "vascular lesion", "benign"),
        ("Benign", "unknown benign", "benign"),
        ("malignant", "unknown malignant", "malignant"),
    ],
)
def test_names_of_classes(tmp_path, name, diagnosis, malignancy):
    touch(tmp_path / name / "deeper", "a.jpg")
    (row,) = class_folders.read(tmp_path).rows.to_dicts()
    assert (row["diagnosis"], row["malignancy"]) == (diagnosis, malignancy)
    assert row["image_id"] == f"{name}/deeper/a.jpg"


def test_names_that_are_no_class(tmp_path):
    for name in ("melanoma", "cats", "not melanoma"):
        touch(tmp_path / "train" / name, "a.jpg")
    said = line(class_folders.read, tmp_path)
    assert "'cats', 'not melanoma'" in said


def test_what_else_lies_among_classes(tmp_path):
    touch(tmp_path / "nevus", "a.jpg", "._a.jpg", "a.txt", "Thumbs.db")
    touch(tmp_path / "nevus" / "masks", "a.png")
    touch(tmp_path / "masks", "b.png")
    touch(tmp_path, "overview.png")
    source = class_folders.read(tmp_path)
    assert source.rows["image_id"].to_list() == ["nevus/a.jpg"]
    assert any("passed over: 1" in note for note in source.notes)


def test_the_same_name_in_two_classes_is_two_photographs(tmp_path):
    for name in ("train/nevus", "test/nevus", "train/melanoma"):
        touch(tmp_path / name, "1.jpg")
        (tmp_path / name / "1.jpg").write_bytes(name.encode())
    frame = build_catalog([class_folders.read(tmp_path)]).frame
    assert frame["image_id"].n_unique() == 3
    assert frame.sort("image_id")["target"].to_list() == [0, 1, 0]
    assert set(frame["dataset"]) == {f"folder:{tmp_path.name}"}


def test_folders_without_photographs(tmp_path):
    assert "no folder at" in line(class_folders.read, tmp_path / "nowhere")
    touch(tmp_path, "a.jpg")
    assert "1 photographs and none in such a folder" in line(class_folders.read, tmp_path)
