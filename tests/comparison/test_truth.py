"""What tables of archives say, without their photographs; groups as the catalog makes them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.comparison.column_names import parse_columns
from melanoscope.comparison.truth import read_truth
from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import build_catalog
from melanoscope.data.sources import parse_spec, read_sources
from melanoscope.data.sources.image_files.names import split_row_name
from melanoscope.errors import DataError

from ..data.drawn_archives import DRAWN
from .written_forms import write_csv


def draw_photograph(file, *_, **__):
    """The table counts, its photographs do not."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(str(file).encode())
    return file


REAL = os.environ.get("MELANOSCOPE_REAL")


def test_ham10000(tmp_path):
    columns = {
        "lesion_id": ["L1", "L1", "L2"],
        "image_id": ["I1", "I2", "I3"],
        "dx": ["akiec", "akiec", "nv"],
        "dx_type": ["histo", "histo", "consensus"],
        "age": ["80.0", "80.0", "0.0"],
        "sex": ["male", "male", "unknown"],
        "localization": ["scalp", "scalp", "back"],
    }
    truth = read_truth(write_csv(tmp_path / "HAM10000_metadata.csv", columns), further=["dx_type"])
    assert truth.label.tolist() == ["actinic keratosis"] * 2 + ["nevus"]
    assert (truth.group.tolist(), truth.group_unit) == (["I1", "I1", "I3"], "lesions")
    assert truth.subgroups["age"].tolist() == ["70 and over", "70 and over", "unknown"]
    assert truth.subgroups["site"].tolist() == ["head/neck", "head/neck", "torso"]
    assert truth.subgroups["dx_type"].tolist() == ["histo", "histo", "consensus"]
    assert truth.center is None
    assert (truth.target == -1).all()


def test_pad_ufes_20_whose_lesions_are_numbered_in_each_patient(tmp_path):
    columns = {
        "patient_id": ["P1", "P2", "P1", "P3"],
        "lesion_id": ["1", "1", "2", "9"],
        "diagnostic": ["MEL", "NEV", "ACK", "SEK"],
        "gender": ["FEMALE", "", "FEMALE", "MALE"],
        "img_id": ["a.png", "b.png", "c.png", "d.png"],
    }
    truth = read_truth(write_csv(tmp_path / "metadata.csv", columns))
    assert truth.image_id.tolist() == ["a", "b", "c", "d"]
    assert truth.group.tolist() == ["a", "b", "a", "d"]
    assert truth.group_unit == "patients and lesions"
    assert truth.label[3] == "benign keratosis"


def test_isic_2020(tmp_path):
    columns = {
        "image_name": ["a", "b", "c"],
        "patient_id": ["P", "P", "Q"],
        "diagnosis": ["unknown", "nevus", "melanoma"],
        "benign_malignant": ["benign", "benign", "malignant"],
        "target": [0, 0, 1],
    }
    truth = read_truth(write_csv(tmp_path / "train.csv", columns))
    assert truth.label.tolist() == ["benign", "nevus", "melanoma"]
    assert truth.target.tolist() == [0, 0, 1]
    assert (truth.group.tolist(), truth.group_unit) == (["a", "a", "c"], "patients")


def test_the_challenges_one_column_a_class(tmp_path):
    columns = {"image": list("abc"), "MEL": [1.0, 0, 0], "NV": [0.0, 1, 0], "BCC": [0.0, 0, 1]}
    truth = read_truth(write_csv(tmp_path / "truth.csv", columns))
    assert truth.label.tolist() == ["melanoma", "nevus", "basal cell carcinoma"]
    assert truth.group_unit == "photographs"


def test_levels_of_the_isic_archives_tree(tmp_path):
    columns = {
        "isic_id": list("abcd"),
        "diagnosis_1": ["Malignant", "Benign", "Benign", "Malignant"],
        "diagnosis_3": ["Melanoma in situ", "Nevus", "", ""],
        "benign_malignant": ["", "", "", "benign"],
        "attribution": ["x", "x", "y", ""],
    }
    truth = read_truth(write_csv(tmp_path / "metadata.csv", columns))
    # The last one contradicts itself, and says nothing.
    assert truth.label.tolist() == ["melanoma", "nevus", "benign", None]
    assert truth.center.tolist() == ["x", "x", "y", "unknown"]


def test_columns_by_other_names_and_without_labels(tmp_path):
    columns = {"photo_no": list("ab"), "who": ["P", "P"], "histology": ["MEL", "NV"]}
    file = write_csv(tmp_path / "own.csv", columns)
    said = "image_id=photo_no, patient_id=who"
    truth = read_truth(file, parse_columns(said))
    assert not truth.has_labels
    assert truth.notes[-1] == "'own.csv' has no labels: those of the predictions count"
    truth = read_truth(file, parse_columns(f"{said}, diagnosis=histology, probability=x"))
    assert truth.label.tolist() == ["melanoma", "nevus"]
    assert truth.group.tolist() == ["a", "a"]


@pytest.mark.parametrize(
    ("columns", "more", "said"),
    [
        ({"image": ["x/a.jpg", "a.png"], "dx": ["mel", "nv"]}, {}, "1 named by several rows that"),
        ({"image": ["a", ""], "dx": ["mel", "nv"]}, {}, "1 without .line 3 first"),
        ({"dx": ["mel", "nv"], "age": [1, 2]}, {}, "a column of photographs' ids"),
        ({"image": ["a", "b"], "dx": ["mel", "mole?"]}, {}, "'mole\\?' .line 3"),
        ({"image": ["a", "b"], "label": ["mel", "nv"]}, {}, "--columns diagnosis=NAME"),
        ({"image": ["a", "b"], "dx": ["mel", "nv"]}, {"further": ["age2"]}, "a column 'age2'"),
        (
            {"image": ["a", "b"], "dx": ["mel", "nv"]},
            {"columns": (("patient_id", "who"),)},
            "a column 'who'",
        ),
    ],
)
def test_what_is_refused(tmp_path, columns, more, said):
    with pytest.raises(DataError, match=said):
        read_truth(write_csv(tmp_path / "truth.csv", columns), **more)


def test_rows_that_are_alike_count_once(tmp_path):
    columns = {"image": ["a", "a.jpg", "b"], "dx": ["mel", "mel", "nv"]}
    assert len(read_truth(write_csv(tmp_path / "truth.csv", columns))) == 2


@pytest.mark.parametrize(
    "kind", ["ham10000", "pad-ufes-20", "isic2020", "isic", "bcn20000", "table"]
)
def test_archives_are_read_as_the_catalog_reads_them(tmp_path, kind):
    """Labels, groups, sex and site, of archives in their published layout."""
    DRAWN[kind].make(tmp_path, draw_photograph)
    [source] = read_sources([parse_spec(f"{kind}={tmp_path}")], ReadOptions(tmp_path / "cache"))
    catalog = build_catalog([source])
    truth = read_truth(source.origin)
    row = {one: number for number, one in enumerate(truth.image_id.tolist())}
    frame = catalog.frame
    place = np.array([row[split_row_name(one).stem] for one in frame["image_id"]])
    groups = pl.DataFrame({"ours": truth.group[place].tolist(), "theirs": frame["group_id"]})
    pairs = groups.unique().height
    if not source.duplicate_pairs:
        assert pairs == groups["ours"].n_unique() == groups["theirs"].n_unique()
    for name in ("sex", "site"):
        if name in truth.subgroups:
            assert truth.subgroups[name][place].tolist() == frame[name].to_list()
    melanoma = [
        label == "melanoma" or target == 1
        for label, target in zip(truth.label[place], truth.target[place], strict=True)
    ]
    assert melanoma == (frame["target"] == 1).to_list()


@pytest.mark.real
@pytest.mark.skipif(REAL is None, reason="no MELANOSCOPE_REAL")
@pytest.mark.parametrize(
    "name",
    [
        "lesions/ham10000/HAM10000_metadata.csv",
        "lesions/pad-ufes-20/metadata.csv",
        "lesions/isic2020/ISIC_2020_Training_GroundTruth_v2.csv",
        "lesions/isic2019/ISIC_2019_Training_GroundTruth.csv",
        "tables/isic_export/metadata.csv",
    ],
)
def test_real_tables(name):
    truth = read_truth(Path(str(REAL)) / name)
    known = np.array([label is not None for label in truth.label])
    assert (known | (truth.target >= 0)).mean() > 0.99
    assert len(set(truth.group)) <= len(truth)
