"""What `melanoscope data summary` counts, against counts by hand."""

from __future__ import annotations

import json

import pytest

from melanoscope.data.catalog import build_catalog
from melanoscope.data.summary import find_unreadable, print_summary, refuse_unusable, summarize
from melanoscope.errors import DataError
from melanoscope.target import MALIGNANT, MELANOMA


@pytest.fixture
def catalog(make_table, draw, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    rows = [
        {"image_id": "a", "target": 1, "age": 19.9, "patient_id": "P", "lesion_id": "1"},
        {"image_id": "b", "age": 20.0, "patient_id": "P", "lesion_id": "1", "sex": "male"},
        {"image_id": "c", "age": 40.0, "patient_id": "Q", "sex": "unknown"},
        {"image_id": "d", "target": 1, "age": 80.0, "site": "unknown"},
        {"image_id": "e", "age": None, "diagnosis": "unknown benign"},
        {"image_id": "gone", "target": 1, "age": 60.0},
    ]
    for seed, row in enumerate(rows[:4]):
        row["path"] = str(draw(tmp_path / f"{row['image_id']}.png", seed))
    rows[4]["path"] = str(broken)
    other = make_table("other", [{"image_id": "a", "target": 1, "age": 19.0}])
    return build_catalog([make_table("one", rows), other])


def test_counts(catalog, tmp_path):
    told = []
    unreadable = find_unreadable(catalog, lambda *now: told.append(now))
    assert unreadable == {"e": "no image of these formats"}
    assert told == [(5, 5)]
    summary = summarize(catalog, unreadable)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary

    def both(photographs: int, melanomas: int = 0) -> dict[str, int]:
        return {"photographs": photographs, "positives": melanomas}

    def table(kind: str, rows: int, found: int, **missing: int) -> dict[str, object]:
        about = {"kind": kind, "dataset": kind, "rows": rows, "found": found}
        return {**about, "missing": missing, "joins": [], "notes": []}

    assert {k: v for k, v in summary.items() if k not in ("all_rows", "usable")} == {
        "target": MELANOMA.to_dict(),
        "rows": 6,
        "positives": 3,
        "melanomas": 3,
        "malignant": 3,
        "indeterminate": 0,
        "unlabelled": [],
        "found": 5,
        "absent": 1,
        "absent_ids": ["gone"],
        "unreadable": [
            {
                "image_id": "e",
                "path": str(tmp_path / "broken.jpg"),
                "reason": "no image of these formats",
            }
        ],
        "listed_twice": 1,
        "tables": [
            table("one", 6, 5, patient_id=3, lesion_id=4, age=1, sex=1, site=1, diagnosis=0),
            table("other", 1, 0, patient_id=1, lesion_id=1, age=0, sex=0, site=0, diagnosis=0),
        ],
        "notes": [],
    }
    assert summary["all_rows"] == {
        **both(6, 3),
        "patients": 2,
        "lesions": 1,
        "groups": 5,
        "dataset": {"one": both(6, 3)},
        "diagnosis": {"melanoma": both(3, 3), "nevus": both(2), "unknown benign": both(1)},
        "sex": {"female": both(4, 3), "male": both(1), "unknown": both(1)},
        "site": {"torso": both(5, 2), "unknown": both(1, 1)},
        "malignancy": {"benign": both(3), "malignant": both(3, 3)},
        **{key: {"unknown": both(6, 3)} for key in ("center", "image_type", "license")},
        "age": {
            "under 20": both(1, 1),
            "20-39": both(1),
            "40-59": both(1),
            "60-79": both(1, 1),
            "80 and over": both(1, 1),
            "unknown": both(1),
        },
        "median_age": 40.0,
    }
    usable = summary["usable"]
    assert usable["photographs"] == 4
    assert usable["positives"] == 2
    assert usable["groups"] == 3
    assert usable["median_age"] == 30.0
    assert usable["diagnosis"] == {"melanoma": both(2, 2), "nevus": both(2)}
    assert "unknown" not in usable["age"]


def test_nothing_usable(make_table):
    summary = summarize(build_catalog([make_table("a", [{"image_id": "x", "age": None}])]), {})
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["found"] == summary["usable"]["photographs"] == 0
    assert summary["usable"]["median_age"] is None


def test_nothing_readable_is_an_error(make_table, draw, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    rows = [{"image_id": "x", "path": str(broken)}]
    catalog = build_catalog([make_table("a", rows)])
    summary = summarize(catalog, find_unreadable(catalog))
    with pytest.raises(DataError, match=r"none of 1; '.*broken.jpg' is no image"):
        refuse_unusable(summary)
    good = {"image_id": "y", "path": str(draw(tmp_path / "y.png"))}
    catalog = build_catalog([make_table("a", [*rows, good])])
    refuse_unusable(summarize(catalog, find_unreadable(catalog)))


def test_text_names_what_is_missing(catalog, capsys):
    print_summary(summarize(catalog, find_unreadable(catalog)))
    text = " ".join(capsys.readouterr().out.split())
    assert "6 rows, 3 of them melanomas; files: 5 found, 1 absent, 1 unreadable" in text
    assert "ids listed by two archives: 1" in text
    assert "usable: 4 photographs, 2 of melanomas" in text
    assert "unreadable: e (" in text
    assert text.endswith("(1; all of them with --json): gone")


def test_rows_left_out_are_counted_and_listed(make_table, capsys):
    rows = [
        {"image_id": "a", "diagnosis": "basal cell carcinoma", "target": None},
        {"image_id": "b", "diagnosis": "unknown", "target": None},
        {"image_id": "c", "diagnosis": "actinic keratosis", "target": None},
        {"image_id": "d", "target": None, "diagnosis": "nevus"},
    ]
    summary = summarize(build_catalog([make_table("a", rows)], MALIGNANT), {})
    assert (summary["rows"], summary["positives"], summary["indeterminate"]) == (4, 1, 1)
    assert summary["unlabelled"] == [
        {"image_id": "b", "dataset": "a", "reason": "no diagnosis"},
        {"image_id": "c", "dataset": "a", "reason": "indeterminate"},
    ]
    print_summary(summary)
    text = capsys.readouterr().out
    assert "4 rows, 1 of them malignant lesions" in text
    assert "left out, indeterminate (1; all of them with --json): c" in text
    assert "melanoma" not in text
