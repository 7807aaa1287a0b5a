"""One validated catalog: what is refused, what is joined, what belongs together."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.content_hash import content_hashes
from melanoscope.data.targets import CONTRADICTION
from melanoscope.target import MALIGNANT, MELANOMA

from .catalogs import catalog_error

# --- validation


@pytest.mark.parametrize(
    ("row", "expected", "found"),
    [
        ({"sex": "woman"}, "sex of a among female", "woman"),
        ({"sex": None}, "sex of a among female", "None"),
        ({"site": "trunk"}, "site of a among head/neck", "trunk"),
        ({"diagnosis": "mole"}, "diagnosis of a among melanoma", "mole"),
        ({"age": -1.0}, "ages of a from 0 to 120", "-1.0 for bad"),
        ({"age": 121.0}, "ages of a from 0 to 120", "121.0 for bad"),
        ({"age": float("nan")}, "ages of a from 0 to 120", "nan for bad"),
        ({"target": 2, "diagnosis": "melanoma"}, "target 0, 1 or empty", "other values"),
        ({"target": 0, "diagnosis": "melanoma"}, "that agree", "(bad: diagnosis melanoma and"),
        ({"target": 1, "diagnosis": "nevus"}, "that agree", "1 rows that do not"),
        ({"malignancy": "bad"}, "malignancy of a among benign", "bad"),
        ({"image_type": "x"}, "image_type of a among dermoscopic", "x"),
        ({"image_id": ""}, "an image id in every row of a", "1 without"),
        ({"image_id": None}, "an image id in every row of a", "1 without"),
        ({"image_id": "good"}, "one row per image id in a", "good"),
    ],
)
def test_bad_rows(make_table, row, expected, found):
    rows = [{"image_id": "good"}, {"image_id": "bad", **row}]
    error = catalog_error(make_table("b", [{"image_id": "other"}]), make_table("a", rows))
    assert expected in error.expected
    assert found in error.found


@pytest.mark.parametrize(
    "row",
    [
        {"diagnosis": "nevus", "malignancy": "malignant"},
        {"diagnosis": "melanoma", "malignancy": "benign"},
        {"diagnosis": "basal cell carcinoma", "malignancy": "benign"},
        {"diagnosis": "unknown benign", "malignancy": "malignant"},
        {"diagnosis": "nevus", "unlabelled": CONTRADICTION},
    ],
)
@pytest.mark.parametrize("target", [MELANOMA, MALIGNANT])
def test_a_row_that_contradicts_itself_is_left_out_and_listed(make_table, row, target):
    rows = [{"image_id": "good"}, {"image_id": "bad", "target": None, **row}]
    catalog = build_catalog([make_table("a", rows)], target)
    assert catalog.frame["image_id"].to_list() == ["good"]
    assert catalog.unlabelled.select("image_id", "unlabelled").rows() == [("bad", CONTRADICTION)]
    # What another archive says of the photograph does not settle it.
    other = make_table("b", [{"image_id": "bad", "target": 0}])
    assert len(build_catalog([make_table("a", rows), other], target).unlabelled) == 1


def test_an_empty_table(make_table):
    assert "rows in the table of a" in catalog_error(make_table("a", [])).expected


def test_archives_that_disagree(make_table):
    error = catalog_error(
        make_table("a", [{"image_id": "x", "target": 1}, {"image_id": "y"}]),
        make_table("b", [{"image_id": "x", "target": 0}, {"image_id": "y"}]),
    )
    assert "label" in error.expected
    assert "1 ids" in error.found
    assert "x" in error.found


# --- joining


def test_of_two_rows_the_one_with_a_file_is_kept_else_the_first(make_table):
    first = make_table(
        "first",
        [
            {"image_id": "both", "path": "/1/both"},
            {"image_id": "second", "path": None},
            {"image_id": "neither", "path": None},
            {"image_id": "only", "path": None},
        ],
    )
    second = make_table(
        "second",
        [
            {"image_id": "neither", "path": None},
            {"image_id": "second", "path": "/2/second"},
            {"image_id": "both", "path": "/2/both"},
            {"image_id": "new", "path": "/2/new"},
        ],
    )
    catalog = build_catalog([first, second])
    kept = {
        name: (where, path)
        for name, where, path in catalog.frame.select("image_id", "dataset", "path").iter_rows()
    }
    assert kept == {
        "both": ("first", "/1/both"),
        "second": ("second", "/2/second"),
        "neither": ("first", None),
        "only": ("first", None),
        "new": ("second", "/2/new"),
    }
    assert catalog.listed_twice == ("both", "neither", "second")
    assert catalog.ids_without_file == ["neither", "only"]
    assert set(catalog.with_files.frame["image_id"]) == {"both", "second", "new"}
    assert len(catalog.without(["both", "unheard of"])) == 4


def test_rows_stay_in_the_order_of_the_sources(make_table):
    ids = [f"i{n * 7 % 20:02d}" for n in range(20)]
    catalog = build_catalog([make_table("a", [{"image_id": name} for name in ids])])
    assert catalog.frame["image_id"].to_list() == ids


# --- fingerprint


@pytest.fixture
def some(make_table, draw, tmp_path):
    def make(folder: str, order: int = 1, **change) -> Catalog:
        rows = [
            {
                "image_id": name,
                "path": str(draw(tmp_path / folder / f"{name}.png", seed)),
                "age": 50.0 if seed else None,
                "target": seed % 2,
            }
            for seed, name in enumerate("uvwx")
        ]
        rows.append({"image_id": "absent"})
        rows[1] |= change
        return build_catalog([make_table("a", rows[::order])])

    return make


def test_fingerprint_knows_neither_folder_nor_order(some):
    assert some("here").fingerprint() == some("there", order=-1).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"target": 0},
        {"age": 55.0},
        {"age": None},
        {"sex": "male"},
        {"site": "unknown"},
        {"dataset": "b"},
        {"path": None},
        {"image_id": "other"},
    ],
)
def test_fingerprint_sees_each_change(some, change):
    assert some("here").fingerprint() != some("here", **change).fingerprint()


def test_fingerprint_sees_groups(make_table):
    def of(*patients: str) -> str:
        rows = [{"image_id": n, "patient_id": p} for n, p in zip("xyz", patients, strict=True)]
        return build_catalog([make_table("a", rows)]).fingerprint()

    assert of("1", "2", "3") != of("1", "1", "3")
    assert of("1", "1", "3") == of("7", "7", "8")


def test_fingerprint_sees_a_files_content(some):
    """Also where name, size and time stay."""
    catalog = some("here")
    before = catalog.fingerprint()
    path = Path(catalog.frame["path"][2])
    status, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert catalog.fingerprint() != before


def test_fingerprint_of_known_contents(some):
    """A pixel store's hashes spare reading the files, and say the same."""
    catalog = some("here")
    frame = catalog.with_files.frame
    hashes = content_hashes(frame["path"].to_list())
    contents = dict(zip(frame["image_id"], hashes, strict=True))
    assert catalog.fingerprint(contents) == catalog.fingerprint()


def test_schema(some):
    frame = some("here").frame
    assert frame.schema["target"] == pl.Int8
    assert frame.columns[-1] == "group_id"
