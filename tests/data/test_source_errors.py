"""What departs from an archive's layout is said in one line."""

from __future__ import annotations

import polars as pl
import pytest

from melanoscope.data import vocabulary
from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import DataSpec, ham10000, isic2019, isic2020, pad_ufes_20
from melanoscope.data.sources.rows import patient_columns

from .archives import (
    by_id,
    line,
    write,
    write_2019,
    write_2020,
    write_ham,
    write_pad,
)

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
        (write_pad, pad_ufes_20.read, {"img_id": "a", "region": "NOOSE"}, "NOOSE", "nose"),
        (write_pad, pad_ufes_20.read, {"img_id": "a", "diagnostic": "NEVU"}, "NEVU", "nevus"),
    ],
)
def test_an_unknown_word_names_the_nearest(tmp_path, make, read, row, word, near):
    said = line(read, make(tmp_path, row))
    assert f"'{word}'" in said
    assert near in said.partition("nearest: ")[2]


@pytest.mark.parametrize("age", ["old", "45 years", "-5", "121"])
def test_an_age_that_is_none(tmp_path, age):
    said = line(ham10000.read, write_ham(tmp_path, {"image_id": "a", "age": age}))
    assert age in said


READERS = {
    "isic2020": (write_2020, isic2020.COLUMNS.values(), "image_name"),
    "isic2019": (write_2019, ("image", "age_approx", "anatom_site_general", "sex"), "image"),
    "isic2019-melanoma": (write_2019, ("image", *isic2019.CLASSES), "image"),
    "ham10000": (write_ham, ham10000.COLUMNS.values(), "image_id"),
    "pad-ufes-20": (write_pad, pad_ufes_20.COLUMNS.values(), "img_id"),
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
    said = line(DataSpec(kind, str(folder)).read, ReadOptions(tmp_path))
    assert f"a column '{column}'" in said
    assert ".csv" in said


@pytest.mark.parametrize("kind", [*READERS, "table"])
def test_a_missing_folder_or_table(tmp_path, kind):
    assert "nowhere" in line(DataSpec(kind, str(tmp_path / "nowhere")).read, ReadOptions(tmp_path))
    (tmp_path / "empty").mkdir()
    said = line(DataSpec(kind, str(tmp_path / "empty")).read, ReadOptions(tmp_path))
    assert str(tmp_path / "empty") in said


@pytest.mark.parametrize("kind", READERS)
def test_two_rows_with_one_id(tmp_path, kind):
    make, _, key = READERS[kind]
    one = {key: "twin", "label": "MEL"} if make is write_2019 else {key: "twin"}
    differs = {"gender" if kind == "pad-ufes-20" else "sex": "female"}
    folder = make(tmp_path, one, {**one, **differs})
    said = line(lambda: build_catalog([DataSpec(kind, str(folder)).read(ReadOptions(tmp_path))]))
    assert "one row per image id in" in said
    assert "twin" in said


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01,\n\xff", b"a,b\n1,2,3,4\n"])
def test_a_table_that_is_none(tmp_path, kind, content):
    make, _, key = READERS[kind]
    for path in make(tmp_path, {key: "a"}).glob("*.csv"):
        path.write_bytes(content)
    assert ".csv" in line(DataSpec(kind, str(tmp_path)).read, ReadOptions(tmp_path))


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    """Spreadsheets write one."""
    path = write_ham(tmp_path, {"image_id": "a", "lesion_id": "L"}) / ham10000.TABLES[0]
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert by_id(ham10000.read(tmp_path))["a"]["lesion_id"] == "L"


# --- vocabulary


def test_the_vocabulary_of_diagnoses_is_closed():
    """Every word leads to a word of the vocabulary, which leads to itself."""
    words = vocabulary.DIAGNOSIS_WORDS
    assert {word: words.get(word) for word in words.values()} == {
        word: word for word in words.values()
    }
    assert set(words.values()) == set(vocabulary.DIAGNOSES)
    spelled = pl.Series([f"  {word.upper()} " for word in words])
    found = vocabulary.translate_diagnoses(spelled, "x")
    assert found.to_list() == list(words.values())


def test_ages(tmp_path):
    ages = pl.Series(["45", " 45.0 ", "0", "0.0", "", "  ", None, "unknown", "NaN", "NA"])
    none = pl.Series([None] * len(ages), dtype=pl.String)
    found = patient_columns(none, ages, none, tmp_path / "x.csv")
    assert found["age"].to_list() == [45.0, 45.0, *[None] * 8]


# --- columns that are nearly one that is read


@pytest.mark.parametrize("name", ["LesionID", "lesion id", "leison_id", "lesionid"])
def test_an_archives_column_with_a_slip_of_the_pen_is_named(tmp_path, name):
    header = f"image_name,patient_id,{name},sex,age_approx,anatom_site_general_challenge,target"
    row = {"image_name": "a", "patient_id": "P", name: "L", "target": 0}
    write(tmp_path / isic2020.TABLES[0], header, [row])
    said = isic2020.read(tmp_path).notes
    assert f"column '{name}' is not read; the nearest known is 'lesion_id'" in said


def test_an_archives_other_columns_are_not_named(tmp_path):
    notes = ham10000.read(write_ham(tmp_path, {"image_id": "a"})).notes
    assert not any("not read" in note for note in notes)
