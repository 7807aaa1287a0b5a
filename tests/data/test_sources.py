"""Each archive's true layout is read, and what departs from it is said in one line."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import polars as pl
import pytest

from melanoscope.data import vocabulary
from melanoscope.data.catalog import ROW_SCHEMA, SourceTable, build_catalog
from melanoscope.data.sources import (
    ARCHIVES,
    DataSpec,
    find_archives,
    ham10000,
    isic2019,
    isic2020,
    pad_ufes_20,
    parse_spec,
    read_sources,
    table,
    tables,
)
from melanoscope.errors import DataError
from melanoscope.static import SEXES, SITES

# The headers of the tables as the archives publish them.
ISIC2020_V2 = (
    "image_name,patient_id,lesion_id,sex,age_approx,anatom_site_general_challenge,"
    "diagnosis,benign_malignant,target"
)
ISIC2020_V1 = ISIC2020_V2.replace("lesion_id,", "")
ISIC2020_KAGGLE = ISIC2020_V1
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
    "atypical melanocytic proliferation": "other benign",
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
    build_catalog([source])
    return {row["image_id"]: row for row in source.rows.to_dicts()}


def line(read: Callable[..., object], *args: object) -> str:
    with pytest.raises(DataError) as caught:
        read(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
        "target": 1,
    }
    assert rows["ISIC_2"]["path"] is None
    assert rows["ISIC_2"]["age"] is None
    assert rows["ISIC_2"]["site"] == "unknown"
    assert rows["ISIC_2"]["diagnosis"] == "unknown benign"
    assert rows["ISIC_2"]["lesion_id"] == "0"  # an id like any other: the archive has one such


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
    assert {w: rows[f"s {w}"]["site"] for w in SITES_2020} == SITES_2020


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


@pytest.mark.parametrize("target", ["2", "", "yes", "0.5"])
def test_isic2020_strange_target(tmp_path, target):
    folder = write_2020(tmp_path, {"image_name": "a"}, {"image_name": "b", "target": target})
    said = line(isic2020.read, folder)
    assert f"'{target or None}'" in said
    assert isic2020.TABLES[0] in said


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
    assert "1 rows otherwise (first: bad)" in said


def test_isic2019_without_the_column_for_unknown(tmp_path):
    folder = write_2019(tmp_path, {"image": "a", "label": "MEL"})
    path = folder / isic2019.LABELS
    path.write_text("\n".join(row.rpartition(",")[0] for row in path.read_text().splitlines()))
    assert by_id(isic2019.read(folder))["a"]["target"] == 1


def test_isic2019_without_metadata(tmp_path):
    (write_2019(tmp_path, {"image": "a"}) / isic2019.METADATA).unlink()
    assert isic2019.METADATA in line(isic2019.read, tmp_path)


# --- ham10000


def test_ham10000(tmp_path):
    folder = write_ham(
        tmp_path,
        *({"image_id": word, "dx": word} for word in HAM_DIAGNOSES),
        *({"image_id": f"s {word}", "localization": word} for word in HAM_SITES),
        {"image_id": "x", "lesion_id": "HAM_1", "age": "0.0", "sex": "unknown"},
        {"image_id": "y", "lesion_id": "HAM_1", "age": ""},
    )
    rows = by_id(ham10000.read(folder))
    assert {w: rows[w]["diagnosis"] for w in HAM_DIAGNOSES} == HAM_DIAGNOSES
    assert {w: rows[f"s {w}"]["site"] for w in HAM_SITES} == HAM_SITES
    assert [r["image_id"] for r in rows.values() if r["target"] == 1] == ["mel"]
    assert (rows["x"]["age"], rows["x"]["sex"], rows["y"]["age"]) == (None, "unknown", None)
    frame = build_catalog([ham10000.read(folder)]).frame
    assert frame.filter(pl.col("lesion_id") == "HAM_1")["group_id"].to_list() == ["x", "x"]


def test_ham10000_doubled_folders(tmp_path):
    """Downloads hold HAM10000_images_part_1 and ham10000_images_part_1 with the same files."""
    folder = write_ham(tmp_path, {"image_id": "a"})
    touch(folder / "HAM10000_images_part_1", "a.jpg")
    touch(folder / "ham10000_images_part_1b", "a.jpg")
    assert by_id(ham10000.read(folder))["a"]["path"] == str(
        folder / "HAM10000_images_part_1" / "a.jpg"
    )
    (folder / "ham10000_images_part_1b" / "a.jpg").write_bytes(b"another photograph")
    said = line(ham10000.read, folder)
    assert "one photograph named 'a'" in said
    assert "part_1b" in said


def test_linked_folders_are_entered_once(tmp_path):
    """Photographs often lie on another disk; a link to itself must not last for ever."""
    folder = write_ham(tmp_path / "ham", {"image_id": "a"})
    touch(tmp_path / "disk", "a.jpg")
    (folder / "images").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(folder)
    assert by_id(ham10000.read(folder))["a"]["path"] == str(folder / "images" / "a.jpg")


# --- pad-ufes-20


def test_pad_ufes_20(tmp_path):
    def row(word: str, **more: object) -> Row:
        return {"img_id": f"{word}.png", "patient_id": f"P {word}", "lesion_id": "7", **more}

    folder = write_pad(
        tmp_path,
        *(row(word, diagnostic=word) for word in PAD_DIAGNOSES),
        *(row(f"s {word}", region=word, gender="FEMALE") for word in PAD_SITES),
    )
    touch(folder / "images", "MEL.jpg", "NEV.png")
    rows = by_id(pad_ufes_20.read(folder))
    assert {w: rows[w]["diagnosis"] for w in PAD_DIAGNOSES} == PAD_DIAGNOSES
    assert {w: rows[f"s {w}"]["site"] for w in PAD_SITES} == PAD_SITES
    assert rows["MEL"]["target"] == 1
    assert rows["MEL"]["path"] == str(folder / "images" / "MEL.jpg")  # the table says .png
    assert rows["NEV"]["path"] == str(folder / "images" / "NEV.png")
    assert rows["BCC"]["path"] is None
    assert (rows["MEL"]["sex"], rows["s ARM"]["sex"]) == ("unknown", "female")
    # Lesion 7 of one patient is not lesion 7 of another.
    assert build_catalog([pad_ufes_20.read(folder)]).frame["group_id"].n_unique() == len(rows)


def test_pad_ufes_20_groups_by_patient(tmp_path):
    folder = write_pad(
        tmp_path,
        {"img_id": "a.png", "patient_id": "P", "lesion_id": "1"},
        {"img_id": "b.png", "patient_id": "P", "lesion_id": "2"},
    )
    assert build_catalog([pad_ufes_20.read(folder)]).frame["group_id"].n_unique() == 1


# --- words that no archive uses, columns and files that are missing


@pytest.mark.parametrize(
    ("make", "read", "row", "word", "near"),
    [
        (write_2020, isic2020.read, {"image_name": "a", "sex": "femal"}, "femal", "female"),
        (
            write_2020,
            isic2020.read,
            {"image_name": "a", "anatom_site_general_challenge": "torsoo"},
            "torsoo",
            "torso",
        ),
        (write_2020, isic2020.read, {"image_name": "a", "diagnosis": "nevis"}, "nevis", "nevus"),
        (write_2019, isic2019.read, {"image": "a", "sex": "mal"}, "mal", "male"),
        (write_ham, ham10000.read, {"image_id": "a", "dx": "vasq"}, "vasq", "vasc"),
        (write_ham, ham10000.read, {"image_id": "a", "localization": "bakc"}, "bakc", "back"),
        (write_pad, pad_ufes_20.read, {"img_id": "a", "region": "NOOSE"}, "noose", "nose"),
        (write_pad, pad_ufes_20.read, {"img_id": "a", "diagnostic": "NEVU"}, "nevu", "nevus"),
    ],
)
def test_an_unknown_word_names_the_nearest(tmp_path, make, read, row, word, near):
    said = line(read, make(tmp_path, row))
    assert f"'{word}'" in said
    assert near in said.partition("nearest: ")[2]


@pytest.mark.parametrize("age", ["old", "45 years", "85+"])
def test_an_age_that_is_no_number(tmp_path, age):
    said = line(ham10000.read, write_ham(tmp_path, {"image_id": "a", "age": age}))
    assert age in said


READERS = {
    "isic2020": (write_2020, isic2020.NEEDED, "image_name"),
    "isic2019": (write_2019, ("image", "age_approx", "anatom_site_general", "sex"), "image"),
    "isic2019-melanoma": (write_2019, ("image", *isic2019.CLASSES), "image"),
    "ham10000": (write_ham, ham10000.NEEDED, "image_id"),
    "pad-ufes-20": (write_pad, pad_ufes_20.NEEDED, "img_id"),
}


@pytest.mark.parametrize(
    ("kind", "column"), [(k, c) for k, (_, needed, _) in READERS.items() for c in needed]
)
def test_a_missing_column_is_named(tmp_path, kind, column):
    make, _, key = READERS[kind]
    folder = make(tmp_path, {key: "a"})
    for path in folder.glob("*.csv"):
        header, rest = path.read_text().split("\n", 1)
        columns = [f"my_{c}" if c == column else c for c in header.strip().split(",")]
        path.write_text(",".join(columns) + "\n" + rest)
    said = line(DataSpec(kind, str(folder)).read, tmp_path)
    assert f"a column '{column}'" in said
    assert ".csv" in said


@pytest.mark.parametrize("kind", [*READERS, "table"])
def test_a_missing_folder_or_table(tmp_path, kind):
    assert "nowhere" in line(DataSpec(kind, str(tmp_path / "nowhere")).read, tmp_path)
    (tmp_path / "empty").mkdir()
    said = line(DataSpec(kind, str(tmp_path / "empty")).read, tmp_path)
    assert str(tmp_path / "empty") in said


@pytest.mark.parametrize("kind", READERS)
def test_two_rows_with_one_id(tmp_path, kind):
    make, _, key = READERS[kind]
    one = {key: "twin", "label": "MEL"} if make is write_2019 else {key: "twin"}
    folder = make(tmp_path, one, one)
    said = line(lambda: build_catalog([DataSpec(kind, str(folder)).read(tmp_path)]))
    assert f"one row per image id in {kind}" in said
    assert "twin" in said


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01,\n\xff", b"a,b\n1,2,3,4\n"])
def test_a_table_that_is_none(tmp_path, kind, content):
    make, _, key = READERS[kind]
    for path in make(tmp_path, {key: "a"}).glob("*.csv"):
        path.write_bytes(content)
    assert ".csv" in line(DataSpec(kind, str(tmp_path)).read, tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    """Spreadsheets write one."""
    path = write_ham(tmp_path, {"image_id": "a", "lesion_id": "L"}) / ham10000.TABLES[0]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert by_id(ham10000.read(tmp_path))["a"]["lesion_id"] == "L"


# --- vocabulary


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (vocabulary.SEX_WORDS, SEXES),
        (vocabulary.SITE_WORDS, SITES),
        (vocabulary.DIAGNOSIS_WORDS, vocabulary.DIAGNOSES),
    ],
)
def test_vocabularies_are_closed(words, known):
    """Every word leads to a word of the vocabulary, which leads to itself."""
    assert set(words.values()) <= set(known)
    assert {word: words.get(word) for word in known} == {word: word for word in known}
    spelled = pl.Series([f"  {word.upper()} " for word in words])
    assert vocabulary.translate(spelled, words, "x", "unknown").to_list() == list(words.values())


def test_ages():
    ages = pl.Series(["45", " 45.0 ", "0", "0.0", "", "  ", None, "unknown", "NaN", "NA"])
    assert vocabulary.translate_ages(ages, "x").to_list() == [45.0, 45.0, *[None] * 8]


# --- table


def test_table_with_targets(tmp_path):
    path = write(
        tmp_path / "own.csv",
        "path,target,patient_id,age,sex,site",
        [
            {"path": "in/a.png", "target": 1, "patient_id": "0", "age": 30, "sex": "F"},
            {"path": "b.jpg", "target": "0.0", "patient_id": "0", "site": "Back"},
            {"path": "gone.jpg", "target": "1.0", "patient_id": " "},
        ],
    )
    touch(tmp_path / "in", "a.png")
    touch(tmp_path, "b.jpg")
    for place in (path, tmp_path):
        rows = by_id(table.read(place))
        assert list(rows) == ["in/a.png", "b.jpg", "gone.jpg"]
        assert [row["target"] for row in rows.values()] == [1, 0, 1]
        assert [row["path"] for row in rows.values()] == [
            str(tmp_path / "in/a.png"),
            str(tmp_path / "b.jpg"),
            None,
        ]
        assert [r["diagnosis"] for r in rows.values()] == ["melanoma", "unknown benign", "melanoma"]
        # Counting patients from 0 is common: 0 is a patient, a blank is nobody.
        assert [row["patient_id"] for row in rows.values()] == ["0", "0", None]
        assert rows["in/a.png"]["sex"] == "female"
        assert rows["b.jpg"]["site"] == "torso"
        assert {row["dataset"] for row in rows.values()} == {"table:own"}


def test_table_with_diagnoses_and_ids(tmp_path):
    path = write(
        tmp_path / "own.csv",
        "image_id,path,diagnosis",
        [
            {"image_id": "x", "path": str(tmp_path / "a.png"), "diagnosis": "Melanoma"},
            {"image_id": "", "path": "b.png", "diagnosis": "unknown benign"},
        ],
    )
    touch(tmp_path, "a.png")
    rows = by_id(table.read(path))
    assert {name: row["target"] for name, row in rows.items()} == {"x": 1, "b.png": 0}
    assert rows["x"]["path"] == str(tmp_path / "a.png")


def test_table_with_both(tmp_path):
    path = write(
        tmp_path / "own.csv",
        "path,target,diagnosis",
        [
            {"path": "a", "target": 1, "diagnosis": "melanoma"},
            {"path": "b", "target": 0, "diagnosis": "bcc"},
            {"path": "c", "target": 1, "diagnosis": ""},
            {"path": "d", "target": 0, "diagnosis": "unknown"},
        ],
    )
    rows = by_id(table.read(path))
    assert [(row["target"], row["diagnosis"]) for row in rows.values()] == [
        (1, "melanoma"),
        (0, "basal cell carcinoma"),
        (1, "melanoma"),
        (0, "unknown benign"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("path,diagnosis", {"path": "a", "diagnosis": ""}, "1 rows with neither"),
        ("path,diagnosis", {"path": "a", "diagnosis": "melanomma"}, "nearest: melanoma"),
        ("path", {"path": "a"}, "1 rows with neither"),
        ("path,target", {"path": "a", "target": "2"}, "'2'"),
        ("path,target", {"path": "a", "target": "malignant"}, "'malignant'"),
        ("path,target,diagnosis", {"path": "a", "target": "0", "diagnosis": "mel"}, "first: 'a'"),
        ("path,target,diagnosis", {"path": "a", "target": "1", "diagnosis": "nv"}, "first: 'a'"),
        ("file,target", {"file": "a", "target": "1"}, "a column 'path'"),
        ("path,target,sex", {"path": "a", "target": "1", "sex": "x"}, "'x'"),
        ("path,target,age", {"path": "a", "target": "1", "age": "x"}, "'x'"),
    ],
)
def test_a_bad_table(tmp_path, header, row, said):
    assert said in line(table.read, write(tmp_path / "own.csv", header, [row]))


def test_some_targets_missing(tmp_path):
    rows = [{"path": "a", "target": 1}, {"path": "b"}]
    path = write(tmp_path / "own.csv", "path,target", rows)
    assert "target 0 or 1" in line(table.read, path)


def test_a_row_without_path_or_id(tmp_path):
    rows = [{"path": "a", "target": 1}, {"path": "", "target": 0}]
    source = table.read(write(tmp_path / "own.csv", "path,target", rows))
    assert "1 without" in line(build_catalog, [source])


def test_which_table(tmp_path):
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, "path,target", [{"path": "x", "target": 1}])
    assert "2 CSV files" in line(table.read, tmp_path)


# --- the command line's words


def test_parse_spec():
    assert parse_spec("table=a=b/c.csv") == DataSpec("table", "a=b/c.csv")
    assert str(parse_spec("isic2019-melanoma=x")) == "isic2019-melanoma=x"
    for kind in ARCHIVES:
        assert parse_spec(f"{kind}=p").archive is ARCHIVES[kind]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("isic202=x", "nearest: isic2020"),
        ("", "known: "),
        ("=x", "known: "),
        ("folder", "known: "),
        ("isic2020", "isic2020=PATH"),
        ("isic2020=", "isic2020=PATH"),
    ],
)
def test_parse_bad_spec(text, said):
    assert said in line(parse_spec, text)


def test_find_archives(tmp_path):
    write_2020(tmp_path / "one", {"image_name": "a"})
    write_2019(tmp_path / "two", {"image": "b"})
    write_ham(tmp_path / "three", {"image_id": "c"})
    write_pad(tmp_path / "four", {"img_id": "d.png"})
    (tmp_path / "other").mkdir()
    specs = find_archives(tmp_path)
    assert [str(spec) for spec in specs] == [
        f"isic2020={tmp_path / 'one'}",
        f"isic2019={tmp_path / 'two'}",
        f"ham10000={tmp_path / 'three'}",
        f"pad-ufes-20={tmp_path / 'four'}",
    ]
    catalog = build_catalog(read_sources(specs, tmp_path / "cache"))
    assert catalog.frame["image_id"].to_list() == ["a", "b", "c", "d"]
    assert find_archives(tmp_path / "three") == [DataSpec("ham10000", str(tmp_path / "three"))]
    assert not (tmp_path / "cache").exists()


def test_find_no_archives(tmp_path):
    assert "no folder" in line(find_archives, tmp_path / "nowhere")
    said = line(find_archives, tmp_path)
    assert all(mark in said for a in ARCHIVES.values() for mark in a.marks)
    assert "at least one --data" in line(read_sources, [], tmp_path)


def test_archives_that_overlap(tmp_path):
    """All of HAM10000 is in ISIC 2019; the row whose file is there stays."""
    write_2019(tmp_path / "a", {"image": "x"}, {"image": "y", "label": "MEL"})
    write_ham(tmp_path / "b", {"image_id": "x", "lesion_id": "L"})
    touch(tmp_path / "b" / "images", "x.jpg")
    catalog = build_catalog(read_sources(find_archives(tmp_path), tmp_path))
    assert dict(catalog.frame.select("image_id", "dataset").iter_rows()) == {
        "x": "ham10000",
        "y": "isic2019",
    }
    assert catalog.listed_twice == ("x",)


def test_every_archive_says_its_terms():
    for kind, archive in ARCHIVES.items():
        assert archive.title
        assert archive.licence
        assert archive.attribution, kind


def test_suffixes_in_any_case(tmp_path):
    touch(tmp_path, "a.JPG", "b.Jpeg", "c.tiff", "d.csv", "e")
    assert set(tables.index_photographs(tmp_path)) == {"a", "b", "c"}
    shutil.rmtree(tmp_path)
    assert tables.index_photographs(tmp_path) == {}
