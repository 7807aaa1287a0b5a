"""Leaks and associations, counted by simulation and by other libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

from melanoscope.audit.associations import find_associations
from melanoscope.audit.measurements import measure_images
from melanoscope.audit.near_duplicates import NearDuplicate
from melanoscope.audit.split_leakage import describe_pairs, random_split_leakage, same_files
from melanoscope.data.catalog import Catalog
from melanoscope.imaging.decode import write_image

from .stores import store_of


def _catalog(n: int = 300, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.4).astype(np.int8)
    patient = rng.integers(0, n // 3, n)
    age = np.where(rng.random(n) < 0.1, np.nan, rng.normal(50 + 8 * target, 15).clip(1, 99))
    return pl.DataFrame(
        {
            "image_id": [f"I{i:04d}" for i in range(n)],
            "path": [f"I{i:04d}.jpg" for i in range(n)],
            "dataset": np.where(rng.random(n) < 0.5, "a", "b"),
            "patient_id": [f"P{p}" if p % 7 else None for p in patient],
            "lesion_id": [f"L{i}" for i in range(n)],
            "group_id": [f"P{p}" if p % 7 else f"I{i:04d}" for i, p in enumerate(patient)],
            "sex": np.where(rng.random(n) < 0.5, "male", "female"),
            "age": pl.Series(age).fill_nan(None),
            "site": rng.choice(["torso", "head/neck", "unknown"], n),
            "diagnosis": np.where(target == 1, "melanoma", "nevus"),
            "target": target,
        }
    )


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_expected_leak_is_that_of_many_random_splits(share: float) -> None:
    catalog = _catalog()
    found = {leak.by: leak for leak in random_split_leakage(Catalog(catalog), (), share)}
    rng = np.random.default_rng(0)
    groups = catalog["group_id"].to_numpy()
    rates = []
    for _ in range(1500):
        tested = np.zeros(300, bool)
        tested[rng.choice(300, round(share * 300), replace=False)] = True
        rates.append(np.isin(groups[tested], groups[~tested]).mean())
    error = np.std(rates) / np.sqrt(len(rates))
    assert found["group"].expected == pytest.approx(np.mean(rates), abs=4 * error)
    assert found["lesion"].expected == found["lesion"].several == 0
    assert found["patient"].several == catalog["patient_id"].drop_nulls().is_duplicated().sum()


def test_pairs_are_looked_up_and_conflicts_come_first() -> None:
    catalog = _catalog()
    target, archive = catalog["target"].to_list(), catalog["dataset"].to_list()
    pairs = [
        NearDuplicate(f"I{i:04d}", f"I{i + 1:04d}", 0.9, "same picture") for i in range(0, 60, 2)
    ]
    found = describe_pairs(catalog, pairs)
    assert len(found) == 30
    order = [pair.kind for pair in found]
    assert order == sorted(order, key=["conflict", "across", "within"].index)
    for pair in found:
        a, b = int(pair.a[1:]), int(pair.b[1:])
        assert (pair.kind == "conflict") == (target[a] != target[b])
        if pair.kind == "across":
            assert archive[a] != archive[b]


def test_equal_files(tmp_path: Path) -> None:
    for name, content in {"a": b"one", "b": b"two", "c": b"one", "d": b"three"}.items():
        (tmp_path / name).write_bytes(content)
    frame = pl.DataFrame(
        {"image_id": list("abcd"), "path": [str(tmp_path / name) for name in "abcd"]}
    )
    assert same_files(frame) == (("a", "c"),)


def test_associations_are_those_of_other_libraries() -> None:
    catalog = _catalog()
    rng = np.random.default_rng(1)
    target = catalog["target"].to_numpy()
    measured = pl.DataFrame(
        {
            "image_id": catalog["image_id"],
            "width": rng.integers(100, 105, 300).astype(float),
            "aspect": np.ones(300),
            "brightness": rng.random(300) + 0.5 * target,
        }
    )
    found = {one.variable: one for one in find_associations(catalog, measured)}
    age = catalog["age"].to_numpy()
    known = np.isfinite(age)
    assert found["age"].value == pytest.approx(roc_auc_score(target[known], age[known]), abs=1e-10)
    assert found["age"].n == known.sum()
    assert found["brightness"].value == pytest.approx(
        roc_auc_score(target, measured["brightness"].to_numpy()), abs=1e-10
    )
    assert found["brightness"].p_holm < 1e-6
    assert "aspect" not in found  # it never varies
    for name in ("sex", "site"):
        levels = catalog[name].to_numpy()
        stated = levels != "unknown"
        table = np.array(
            [[((levels == v) & (target == y)).sum() for y in (0, 1)] for v in set(levels[stated])]
        )
        assert found[name].value == pytest.approx(association(table, method="cramer"), abs=1e-10)
    missing = np.isnan(age).astype(float)
    assert found["no age"].value == pytest.approx(roc_auc_score(target, missing), abs=1e-10)
    assert all(one.p_holm >= one.p_value for one in found.values())


def test_measurements_of_known_pictures(tmp_path: Path) -> None:
    red = np.zeros((40, 60, 3), np.uint8)
    red[..., 0] = 200
    write_image(tmp_path / "red.jpg", red, quality=95)
    dark = np.full((64, 64, 3), 180, np.uint8)
    dark[:8, :8] = 0
    square = np.zeros((64, 64, 3), np.uint8)
    square[..., 0] = 200
    frame = pl.DataFrame({"image_id": ["red", "dark"], "path": [str(tmp_path / "red.jpg")] * 2})
    found = measure_images(frame, store_of(["red", "dark"], np.stack([square, dark])))
    assert found["width"].to_list() == [60, 60]
    assert found["aspect"][0] == 1.5
    assert found["saturation"][0] == 1
    assert found["mean red"][0] == 200
    assert found["spread green"][0] == 0
    assert found["dark corners"].to_list() == [0.0, 0.25]
    assert found["brightness"][0] == pytest.approx(200 / 255)


def test_measurements_are_matched_by_id() -> None:
    """A table in another order says the same; an image that it lacks is not known."""
    catalog, rng = _catalog(), np.random.default_rng(2)
    brightness = rng.random(300) + 0.5 * catalog["target"].to_numpy()
    measured = pl.DataFrame({"image_id": catalog["image_id"], "brightness": brightness})
    found = find_associations(catalog, measured)
    assert find_associations(catalog, measured.sample(fraction=1, shuffle=True, seed=0)) == found
    assert {one.variable: one.n for one in find_associations(catalog, measured[1:])} == {
        one.variable: one.n - (one.variable == "brightness") for one in found
    }
    with pytest.raises(pl.exceptions.ComputeError):
        find_associations(catalog, pl.concat([measured, measured[:1]]))
