"""Photographs of the development are left out, with all of their groups."""

from __future__ import annotations

from types import SimpleNamespace

import polars as pl
import pytest

from melanoscope.data.catalog import build_catalog
from melanoscope.data.development import DEVELOPMENT, development_hashes, write_development
from melanoscope.evaluation.overlap import find_overlap
from tests.data.conftest import make_table  # noqa: F401 - a fixture


@pytest.fixture
def catalog(make_table):  # noqa: F811
    rows = [
        {"image_id": f"ISIC_{k}", "path": f"/nowhere/{k}.jpg", "patient_id": f"P{k // 2}"}
        for k in range(8)
    ]
    rows[0]["target"] = 1
    table = make_table("isic2020", rows)
    return build_catalog([table])


def bundle_of(folder, parts, *, listed=True):
    columns = ("image_id", "dataset", "content", "lesion_id", "patient_id", "part")
    known = pl.DataFrame(parts, schema=dict.fromkeys(columns, pl.String), orient="row")
    write_development(development_hashes(known, {"isic2020": "isic"}), folder / DEVELOPMENT)
    files = {DEVELOPMENT: None} if listed else {}
    return SimpleNamespace(folder=folder, manifest=SimpleNamespace(files=files))


CONTENTS = {f"ISIC_{k}": f"c{k}" for k in range(8)}


def test_a_copy_takes_its_patient_along(catalog, tmp_path):
    bundle = bundle_of(tmp_path, [("x", "table", "c2", None, None, "train")])
    found = find_overlap(catalog, CONTENTS, bundle)
    assert found.left_out == {"ISIC_2", "ISIC_3"}
    assert (found.overlap.same_file, found.overlap.left_out, found.overlap.held_out) == (1, 2, 0)
    assert found.overlap.near_duplicates is None


def test_the_networks_own_test_photographs_may_stay(catalog, tmp_path):
    parts = [
        ("x", "table", "c4", None, None, "test"),
        ("y", "table", "c5", None, None, "test"),
        ("z", "table", "c6", None, None, "test"),
        ("w", "table", "c7", None, None, "calibration"),
    ]
    found = find_overlap(catalog, CONTENTS, bundle_of(tmp_path, parts))
    assert found.held_out == {"ISIC_4", "ISIC_5"}
    assert found.left_out == {"ISIC_6", "ISIC_7"}  # one of this patient was calibrated by


def test_near_duplicates_are_left_out_unless_held_out(catalog, tmp_path):
    near = {"ISIC_0": "train", "ISIC_2": "test", "ISIC_4": None}
    found = find_overlap(catalog, CONTENTS, bundle_of(tmp_path, []), near)
    assert found.left_out == {"ISIC_0", "ISIC_1", "ISIC_4", "ISIC_5"}
    assert found.overlap.near_duplicates == 3


def test_a_bundle_without_a_list_says_so(catalog, tmp_path):
    parts = [("x", "table", "c2", None, None, "train")]
    found = find_overlap(catalog, CONTENTS, bundle_of(tmp_path, parts, listed=False))
    assert (found.overlap.listed, found.left_out) == (False, frozenset())
