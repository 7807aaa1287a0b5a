"""Anybody's own photographs, from a CSV beside them."""

from __future__ import annotations

import pytest

from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import DataSpec, own_csv, read_sources

from .archives import (
    by_id,
    line,
    touch,
    write,
)


def test_table_with_targets(tmp_path):
    path = write(
        tmp_path / "own.csv",
        "path,target,patient_id,age,sex,site",
        [
            {"path": "in/a.png", "target": 1, "patient_id": "0", "age": 30, "sex": "F"},
            {"path": "b.jpg", "target": "0.0", "patient_id": "1", "site": "Back"},
            {"path": "gone.jpg", "target": "1.0", "patient_id": " "},
        ],
    )
    touch(tmp_path / "in", "a.png")
    touch(tmp_path, "b.jpg")
    for place in (path, tmp_path):
        rows = by_id(own_csv.read(place))
        assert list(rows) == ["in/a.png", "b.jpg", "gone.jpg"]
        assert [row["target"] for row in rows.values()] == [1, 0, 1]
        assert [row["path"] for row in rows.values()] == [
            str(tmp_path / "in/a.png"),
            str(tmp_path / "b.jpg"),
            None,
        ]
        assert {row["diagnosis"] for row in rows.values()} == {"unknown"}
        # Counting patients from 0 is common: beside 1, 0 is a patient; a blank is nobody.
        assert [row["patient_id"] for row in rows.values()] == ["0", "1", None]
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
    rows = by_id(own_csv.read(path))
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
    rows = by_id(own_csv.read(path))
    assert [(row["target"], row["diagnosis"]) for row in rows.values()] == [
        (1, "melanoma"),
        (0, "basal cell carcinoma"),
        (1, "unknown"),
        (0, "unknown"),
    ]


@pytest.mark.parametrize(
    ("header", "row", "said"),
    [
        ("path,diagnosis", {"path": "a", "diagnosis": ""}, "none: 1 with no diagnosis"),
        ("path,diagnosis", {"path": "a", "diagnosis": "melanomma"}, "nearest: 'melanoma' or "),
        ("path,diagnosis", {"path": "a", "diagnosis": "nv; mel"}, "'nv; mel' (line 2)"),
        ("path,class", {"path": "a"}, "'target' or 'diagnosis' or 'malignancy'"),
        ("path,class", {"path": "a"}, "only 'path', 'class'; say --columns target=NAME"),
        ("path,target,label", {"path": "a"}, "'target' and 'label'; say --columns target=NAME"),
        ("path,dx,diagnosis", {"path": "a"}, "one column for the diagnosis"),
        ("path,target", {"path": "a", "target": "2"}, "'2'"),
        ("path,target", {"path": "a", "target": "0.83"}, "'0.83'"),
        ("path,target,diagnosis", {"path": "a", "target": "0", "diagnosis": "mel"}, "(a: diag"),
        ("path,target,diagnosis", {"path": "a", "target": "1", "diagnosis": "nv"}, "(a: diag"),
        ("name,target", {"name": "a", "target": "1"}, "a column 'path' or 'image_id'"),
        ("path,target,sex", {"path": "a", "target": "1", "sex": "x"}, "'x'"),
        ("path,target,age", {"path": "a", "target": "1", "age": "x"}, "'x'"),
    ],
)
def test_a_bad_table(tmp_path, header, row, said):
    path = write(tmp_path / "own.csv", header, [row])
    assert said in line(lambda: build_catalog([own_csv.read(path)]))


@pytest.mark.parametrize("column", ["target", "diagnosis"])
def test_rows_without_a_label_are_left_out_and_listed(tmp_path, column):
    yes, no = (1, 0) if column == "target" else ("mel", "nv")
    rows = [{"path": "a", column: yes}, {"path": "b"}, {"path": "c", column: no}]
    catalog = build_catalog([own_csv.read(write(tmp_path / "own.csv", f"path,{column}", rows))])
    assert catalog.frame["target"].to_list() == [1, 0]
    assert catalog.unlabelled.select("image_id", "unlabelled").rows() == [("b", "no diagnosis")]


@pytest.mark.parametrize("yes", ["1", "1.0", "True", "TRUE", " yes", "malignant", "Melanoma"])
@pytest.mark.parametrize("no", ["0", "0.0", "False", "benign", "no"])
def test_words_for_one_and_zero(tmp_path, yes, no):
    rows = [{"path": "a", "target": yes}, {"path": "b", "target": no}]
    rows = by_id(own_csv.read(write(tmp_path / "own.csv", "path,target", rows)))
    assert [row["target"] for row in rows.values()] == [1, 0]


def test_a_row_without_path_or_id(tmp_path):
    for mark in ("", "NA", "-"):
        rows = [{"path": "a", "target": 1}, {"path": mark, "target": 0}]
        path = write(tmp_path / "own.csv", "path,target", rows)
        assert "in every row of 'own.csv'; found 1 without (line 3 first)" in line(
            own_csv.read, path
        )


def test_a_photograph_in_two_rows_that_differ(tmp_path):
    rows = [{"path": name, "target": t} for t, name in enumerate("aab")]
    path = write(tmp_path / "own.csv", "path,target", [*rows[:2], {**rows[2], "target": 0}])
    assert "'a' (2 rows, first in line 2)" in line(own_csv.read, path)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["Y", "n", "t", "F"], [1, 0, 1, 0]),
        (["1.00", "0,0", "1e0", "00"], [1, 0, 1, 0]),
        (["TRUE", "False", "Positive", ""], [1, 0, 1, None]),
        (["1", "0", "-1", "NA"], [1, 0, None, None]),
        (["1", "-1", "1", "-1"], "'-1' (2 rows, first in line 3)"),
        (["1", "-1.0", "1", ""], "'-1.0' (line 3)"),
        (["1", "2", "1", "2"], "'2' (2 rows, first in line 3)"),
        (["mel", "not mel", "nv", "nv"], "'mel' (line 2), 'not mel' (line 3), 'nv' (2 rows"),
    ],
)
def test_words_of_a_target(tmp_path, words, found):
    rows = [{"path": f"{i}.jpg", "target": word} for i, word in enumerate(words)]
    path = write(tmp_path / "own.csv", "path,target", rows)
    if isinstance(found, str):
        said = line(own_csv.read, path)
        assert found in said
        assert "--columns diagnosis=NAME" in said
    else:
        assert own_csv.read(path).rows["target"].to_list() == found


def test_which_table(tmp_path):
    for name in ("a.csv", "b.csv"):
        write(tmp_path / name, "path,target", [{"path": "x", "target": 1}])
    assert "2 tables (a.csv, b.csv)" in line(own_csv.read, tmp_path)


# --- columns of other names


def own(tmp_path, header: str, row: dict[str, object], columns: str | None = None):
    path = write(tmp_path / "own.csv", header, [row])
    return own_csv.read(path, ReadOptions(tmp_path, own_csv.parse_columns(columns)))


def test_columns_that_the_user_names(tmp_path):
    row = {"bild": "a.jpg", "y": 1, "pat": "P", "path": "no photograph"}
    source = own(tmp_path, "bild,y,pat,path", row, "image=bild,target=y,patient_id=pat")
    found = source.rows.row(0, named=True)
    assert (found["image_id"], found["target"], found["patient_id"]) == ("a.jpg", 1, "P")
    assert any("'path' is not read" in note for note in source.notes)


def test_common_names_are_read_and_said(tmp_path):
    row = {"filename": "a.jpg", "label": "benign", "Gender": "F", "patient": "7"}
    source = own(tmp_path, "filename,label,Gender,patient", row)
    assert source.rows.select("image_id", "target", "sex", "patient_id").row(0) == (
        *("a.jpg", 0, "female"),
        None,
    )
    said = "; ".join(source.notes)
    assert "column 'filename' is read as path" in said
    assert "'patient' is not read" in said
    assert "patient_id" in said


def test_a_column_that_is_not_there(tmp_path):
    for columns in ("path=datei", "age=datei", "target=datei"):
        said = line(lambda columns=columns: own(tmp_path, "path,target", {"path": "a"}, columns))
        assert "a column 'datei' in" in said
        assert f"as --columns {columns} says" in said


def test_columns_without_an_own_table(tmp_path):
    options = ReadOptions(tmp_path, (("target", "x"),))
    assert "no own table" in line(read_sources, [DataSpec("simulated", "2")], options)


def test_what_might_have_been_meant_is_said(tmp_path):
    source = own(tmp_path, "path,target,,sex,gender", {"path": "a", "target": "malignant"})
    said = "; ".join(source.notes)
    assert "'gender' may be the sex too; 'sex' is read" in said
    assert "columns 3 (without a name), 'gender' are not read" in said
    assert "--columns malignancy=target" in said


@pytest.mark.parametrize(
    "columns", ["path", "=x", "colour=x", "path=a,image=b", "path=", "age=a,sex=A"]
)
def test_columns_that_are_none(columns):
    assert "--columns NAME=COLUMN" in line(lambda: own_csv.parse_columns(columns))


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b", "\ufeff", "\u2007"])
def test_blanks_that_nobody_sees_are_no_part_of_a_cell(tmp_path, blank):
    touch(tmp_path, "b.jpg")
    path = tmp_path / "own.csv"
    path.write_text(f"path,target\na.jpg,1\n{blank}b.jpg{blank},{blank}0\n", encoding="utf-8")
    assert own_csv.read(path).rows.row(1, named=True)["path"] == str(tmp_path / "b.jpg")
