"""Values that are no probabilities are refused, with their line; unusual ones are noted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from melanoscope.comparison.class_names import read_class_table
from melanoscope.comparison.read_predictions import read_predictions
from melanoscope.errors import DataError

from ..runs.parquet_bombs import constant_parquet
from .written_forms import write_csv

GOOD = ["0.5", "0.25", "0.125", "0.75"]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("nan", "NaN, infinite or blank, the first in line 4: nan"),
        ("", "NaN, infinite or blank, the first in line 4"),
        ("inf", "NaN, infinite or blank, the first in line 4: inf"),
        ("-0.1", "line 4: -0.1 in column 'prob'; apply softmax or sigmoid first"),
        ("3.5", "line 4: 3.5 in column 'prob'; apply softmax or sigmoid first"),
        ("high", "1 cells otherwise, the first in line 4: 'high'"),
        ("12%", "the first in line 4: '12%'"),
    ],
)
def test_what_is_no_probability(tmp_path, cell, said):
    cells = [*GOOD[:2], cell, GOOD[3]]
    file = write_csv(tmp_path / "a.csv", {"image": list("abcd"), "prob": cells})
    with pytest.raises(DataError) as caught:
        read_predictions(file)
    assert said in str(caught.value)


def test_hard_labels(tmp_path):
    file = write_csv(tmp_path / "a.csv", {"image": list("abcd"), "target": [0, 1, 1, 0]})
    with pytest.raises(DataError, match=r"only 0 and 1.*before any threshold"):
        read_predictions(file)


@pytest.mark.parametrize(("sums", "noted"), [(1.0005, 0), (0.9995, 0), (1.0015, 2), (0.9, 2)])
def test_sums_of_classes(tmp_path, sums, noted):
    p = np.array([[0.2, 0.8], [0.3, 0.7], [0.9, 0.1]])
    p[:2] *= sums
    columns = {"image": list("abc"), "MEL": p[:, 0], "NV": p[:, 1]}
    [model] = read_predictions(write_csv(tmp_path / "a.csv", columns))
    np.testing.assert_array_equal(model.probability, p)
    wanted = ("2 of 3 rows do not sum to 1: their classes are taken as one-vs-rest scores",)
    assert model.notes == (wanted if noted else ())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_without_a_name(tmp_path, suffix):
    frame = pl.DataFrame({"image": ["a", None, "NA"], "prob": [0.1, 0.2, 0.3]})
    file = tmp_path / f"a.{suffix}"
    frame.write_csv(file) if suffix == "csv" else frame.write_parquet(file)
    with pytest.raises(DataError, match=r"2 without in column 'image' .line [23] first"):
        read_predictions(file)


@pytest.mark.parametrize(
    "names", [["prob_0", "prob_2"], ["probability_class_1", "probability_class_4"]]
)
def test_numbers_that_lack(tmp_path, names):
    columns = {"image": list("abc"), names[0]: [0.2, 0.3, 0.4], names[1]: [0.8, 0.7, 0.6]}
    with pytest.raises(DataError, match=f"{names[0]}', '{names[1]}'; write every class"):
        read_predictions(write_csv(tmp_path / "a.csv", columns))


def test_lists_of_different_lengths(tmp_path):
    file = write_csv(tmp_path / "a.csv", {"image": list("ab"), "preds": ["[0.5 0.5]", "[1.0]"]})
    with pytest.raises(DataError, match="2 in the first row and 1 in line 3"):
        read_predictions(file)


def test_enormous_parquet_is_refused_before_it_is_read(tmp_path):
    schema = {"image_id": pl.String(), "probability": pl.Float64()}
    file = tmp_path / "a.parquet"
    file.write_bytes(constant_parquet(schema, 10**9))
    with pytest.raises(DataError, match="at most 4 GiB in memory"):
        read_predictions(file)
    file.write_bytes(constant_parquet(schema, 10))
    assert len(read_predictions(file)[0]) == 10  # else the refusal would prove nothing


def test_torn_files(tmp_path):
    whole = tmp_path / "a.parquet"
    pl.DataFrame({"image_id": list("abc"), "prob": [0.1, 0.2, 0.3]}).write_parquet(whole)
    content = whole.read_bytes()
    for length in (4, 20, len(content) // 2, len(content) - 1):
        whole.write_bytes(content[:length])
        with pytest.raises(DataError):
            read_predictions(whole)
    with pytest.raises(DataError, match="nothing there"):
        read_predictions(tmp_path / "none.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_names_of_strangers_stay_on_their_line(tmp_path, kind):
    """In refusals of their columns and cells, as in the notes."""
    evil = "=cmd|' /C calc'!A0\x1b[2J\u202e"
    frame = pl.DataFrame({"image": [evil, "b"], evil: [0.1, 0.2], "x\ny": [0.5, 0.5]})
    file = tmp_path / f"a.{kind}"
    frame.write_csv(file) if kind == "csv" else frame.write_parquet(file)
    with pytest.raises(DataError) as caught:
        read_predictions(file)
    assert str(caught.value).isprintable()
    frame = pl.DataFrame({"image": [evil, "b"], "prob": [0.1, 0.2], evil: [0.1, 0.2]})
    frame.write_csv(file) if kind == "csv" else frame.write_parquet(file)
    [model] = read_predictions(file)
    assert all(note.isprintable() for note in (*model.notes, model.name, model.form))


@pytest.mark.parametrize(
    ("names", "numbers", "said"),
    [
        (["a", "b"], ["0", "0"], "each number and each class once"),
        (["MEL", "melanoma"], ["0", "1"], "each number and each class once"),
        (["a", "b"], ["0", "x"], "'x' and 'b' in line 3"),
        (["a", ""], ["0", "1"], "in line 3"),
    ],
)
def test_tables_of_classes(tmp_path, names, numbers, said):
    with pytest.raises(DataError, match=said):
        read_class_table(write_csv(tmp_path / "c.csv", {"diag": names, "label": numbers}))


def test_a_class_without_a_name(tmp_path):
    columns = {"image": list("ab"), **{f"prob_{k}": [0.2, 0.3 + k / 5] for k in range(3)}}
    file = write_csv(tmp_path / "a.csv", columns)
    with pytest.raises(DataError, match="none of 2"):
        read_predictions(file, class_names={"0": "MEL", "1": "NV"})
