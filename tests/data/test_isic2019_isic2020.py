"""Each archive's true layout is read."""

from __future__ import annotations

import pytest

from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import isic2019, isic2020
from melanoscope.data.targets import CONTRADICTION

from .archives import (
    ISIC2019_CLASSES,
    ISIC2020_DIAGNOSES,
    SITES_2019,
    SITES_2020,
    by_id,
    line,
    touch,
    write,
    write_2019,
    write_2020,
)

# --- isic2020


def test_isic2020(tmp_path):
    folder = write_2020(
        tmp_path,
        {
            "image_name": "ISIC_1",
            "patient_id": "IP_1",
            "lesion_id": "IL_1",
            "sex": "female",
            "age_approx": "45",
            "anatom_site_general_challenge": "head/neck",
            "diagnosis": "melanoma",
            "benign_malignant": "malignant",
            "target": 1,
        },
        {"image_name": "ISIC_2", "patient_id": "IP_1", "lesion_id": "0", "age_approx": "0"},
    )
    touch(folder / "train", "ISIC_1.jpg", "ISIC_9.jpg", "ISIC_2.txt")
    rows = by_id(isic2020.read(folder))
    assert rows["ISIC_1"] == {
        "image_id": "ISIC_1",
        "path": str(folder / "train" / "ISIC_1.jpg"),
        "dataset": "isic2020",
        "patient_id": "IP_1",
        "lesion_id": "IL_1",
        "sex": "female",
        "age": 45.0,
        "site": "head/neck",
        "diagnosis": "melanoma",
        "malignancy": "malignant",
        "target": 1,
        "center": None,
        "image_type": "dermoscopic",
        "license": None,
        "unlabelled": None,
    }
    assert rows["ISIC_2"]["path"] is None
    assert rows["ISIC_2"]["age"] is None
    assert rows["ISIC_2"]["site"] == "unknown"
    assert rows["ISIC_2"]["diagnosis"] == "unknown benign"
    assert rows["ISIC_2"]["lesion_id"] is None


@pytest.mark.parametrize("name", isic2020.TABLES[1:])
def test_isic2020_first_edition_names_no_lesions(tmp_path, name):
    folder = write_2020(tmp_path, {"image_name": "a", "patient_id": "IP_1"}, name=name)
    assert by_id(isic2020.read(folder))["a"]["lesion_id"] is None


def test_isic2020_second_edition_comes_first(tmp_path):
    write_2020(tmp_path, {"image_name": "old"}, name=isic2020.TABLES[1])
    write_2020(tmp_path, {"image_name": "new"})
    assert list(by_id(isic2020.read(tmp_path))) == ["new"]


def test_isic2020_words(tmp_path):
    words = [{"image_name": f"d {word}", "diagnosis": word} for word in ISIC2020_DIAGNOSES] + [
        {"image_name": f"s {word}", "anatom_site_general_challenge": word} for word in SITES_2020
    ]
    rows = by_id(isic2020.read(write_2020(tmp_path, *words)))
    assert {w: rows[f"d {w}"]["diagnosis"] for w in ISIC2020_DIAGNOSES} == ISIC2020_DIAGNOSES
    assert {w: rows[f"s {w}".strip()]["site"] for w in SITES_2020} == SITES_2020


def test_isic2020_listed_duplicates_join_groups(tmp_path):
    folder = write_2020(
        tmp_path, *({"image_name": n, "patient_id": f"IP_{n}"} for n in ("a", "b", "c"))
    )
    listed = [
        {"image_name_1": "a", "image_name_2": "gone"},
        {"image_name_1": "gone", "image_name_2": "c"},
        {"image_name_1": "b", "image_name_2": ""},
    ]
    write(folder / isic2020.DUPLICATES, "image_name_1,image_name_2", listed)
    groups = dict(
        build_catalog([isic2020.read(folder)]).frame.select("image_id", "group_id").iter_rows()
    )
    assert groups == {"a": "a", "b": "b", "c": "a"}


@pytest.mark.parametrize("target", ["2", "maybe", "0.5"])
def test_isic2020_strange_target(tmp_path, target):
    folder = write_2020(tmp_path, {"image_name": "a"}, {"image_name": "b", "target": target})
    said = line(isic2020.read, folder)
    assert f"'{target}' (line 3)" in said
    assert isic2020.TABLES[0] in said


def test_isic2020_target_and_malignancy_that_differ(tmp_path):
    row = {"image_name": "b", "target": 1, "benign_malignant": "benign"}
    catalog = build_catalog([isic2020.read(write_2020(tmp_path, {"image_name": "a"}, row))])
    assert catalog.frame["image_id"].to_list() == ["a"]
    assert catalog.unlabelled["unlabelled"].to_list() == [CONTRADICTION]


def test_isic2020_no_label_at_all_is_not_benign(tmp_path):
    row = {"image_name": "b", "target": "", "benign_malignant": ""}
    source = isic2020.read(write_2020(tmp_path, {"image_name": "a"}, row))
    assert build_catalog([source]).unlabelled["image_id"].to_list() == ["b"]


# --- isic2019


def test_isic2019(tmp_path):
    folder = write_2019(
        tmp_path,
        *({"image": f"i{label}", "label": label} for label in ISIC2019_CLASSES),
        {
            "image": "ISIC_0000001_downsampled",
            "age_approx": "30",
            "anatom_site_general": "anterior torso",
            "lesion_id": "MSK4_1",
            "sex": "female",
        },
    )
    touch(folder / isic2019.LABELS[:18], "ISIC_0000001_downsampled.jpg")
    rows = by_id(isic2019.read(folder))
    assert {c: rows[f"i{c}"]["diagnosis"] for c in ISIC2019_CLASSES} == ISIC2019_CLASSES
    assert [r["image_id"] for r in rows.values() if r["target"] == 1] == ["iMEL"]
    known = rows["ISIC_0000001_downsampled"]
    assert (known["age"], known["sex"], known["site"]) == (30.0, "female", "torso")
    assert known["lesion_id"] == "MSK4_1"
    assert known["path"]
    assert rows["iNV"]["lesion_id"] is rows["iNV"]["age"] is None
    assert rows["iNV"]["sex"] == "unknown"


def test_isic2019_sites(tmp_path):
    folder = write_2019(
        tmp_path, *({"image": w, "anatom_site_general": w} for w in SITES_2019 if w)
    )
    rows = by_id(isic2019.read(folder))
    assert {w: row["site"] for w, row in rows.items()} == {w: s for w, s in SITES_2019.items() if w}


def test_isic2019_melanomas_only(tmp_path):
    folder = write_2019(
        tmp_path, {"image": "a", "label": "MEL"}, {"image": "b"}, {"image": "c", "label": "MEL"}
    )
    source = isic2019.read_melanomas(folder)
    assert list(by_id(source)) == ["a", "c"]
    assert source.kind == "isic2019-melanoma"
    assert set(source.rows["dataset"]) == {"isic2019"}


def test_isic2019_order_of_the_metadata_does_not_matter(tmp_path):
    folder = write_2019(
        tmp_path, *({"image": n, "age_approx": a} for n, a in zip("abc", (5, 10, 15), strict=True))
    )
    lines = (folder / isic2019.METADATA).read_text().splitlines()
    (folder / isic2019.METADATA).write_text("\n".join([lines[0], *lines[:0:-1]]))
    assert [row["age"] for row in by_id(isic2019.read(folder)).values()] == [5.0, 10.0, 15.0]


@pytest.mark.parametrize(
    "values",
    [
        "1.0,1.0" + ",0.0" * 7,
        "0.0" + ",0.0" * 8,
        "0.5,0.5" + ",0.0" * 7,
        "1.0,x" + ",0.0" * 7,
        "2,-1" + ",0" * 7,
    ],
)
def test_isic2019_not_one_hot(tmp_path, values):
    folder = write_2019(tmp_path, {"image": "good"}, {"image": "bad"})
    path = folder / isic2019.LABELS
    path.write_text("\n".join([*path.read_text().splitlines()[:2], f"bad,{values}"]))
    said = line(isic2019.read, folder)
    assert "1 rows otherwise (bad; line 3: " in said


def test_isic2019_without_the_column_for_unknown(tmp_path):
    folder = write_2019(tmp_path, {"image": "a", "label": "MEL"})
    path = folder / isic2019.LABELS
    path.write_text("\n".join(row.rpartition(",")[0] for row in path.read_text().splitlines()))
    assert by_id(isic2019.read(folder))["a"]["target"] == 1


def test_isic2019_without_metadata(tmp_path):
    (write_2019(tmp_path, {"image": "a"}) / isic2019.METADATA).unlink()
    assert isic2019.METADATA in line(isic2019.read, tmp_path)
