"""Associations against other libraries, whatever the order of rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats.contingency import association
from sklearn.metrics import roc_auc_score

from melanoscope.audit.associations import find_associations

from .examples import example_catalog


def test_associations_are_those_of_other_libraries() -> None:
    catalog = example_catalog()
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


def test_measurements_are_matched_by_id() -> None:
    """A table in another order says the same; an image that it lacks is not known."""
    catalog, rng = example_catalog(), np.random.default_rng(2)
    brightness = rng.random(300) + 0.5 * catalog["target"].to_numpy()
    measured = pl.DataFrame({"image_id": catalog["image_id"], "brightness": brightness})
    found = find_associations(catalog, measured)
    assert find_associations(catalog, measured.sample(fraction=1, shuffle=True, seed=0)) == found
    assert {one.variable: one.n for one in find_associations(catalog, measured[1:])} == {
        one.variable: one.n - (one.variable == "brightness") for one in found
    }
    with pytest.raises(pl.exceptions.ComputeError):
        find_associations(catalog, pl.concat([measured, measured[:1]]))


def test_rows_in_another_order_give_the_same() -> None:
    rng = np.random.default_rng(5)
    group = rng.integers(0, 66, 200)
    archive = group % 3
    target = (rng.random(200) < np.array([0.2, 0.5, 0.7])[archive]).astype(np.int64)
    values = rng.normal(size=66)[group] + rng.normal(size=200) + 0.5 * target + 2.0 * archive
    catalog = pl.DataFrame(
        {
            "image_id": [f"I{i}" for i in range(200)],
            "dataset": [f"d{a}" for a in archive],
            "center": pl.Series([None] * 200, dtype=pl.String),
            "image_type": rng.choice(["dermoscopic", "clinical"], 200),
            "patient_id": pl.Series([None] * 200, dtype=pl.String),
            "lesion_id": [f"L{i}" for i in range(200)],
            "group_id": [f"G{g}" for g in group],
            "sex": rng.choice(["male", "female", "unknown"], 200),
            "age": rng.integers(20, 80, 200).astype(float),
            "site": rng.choice(["torso", "head/neck"], 200),
            "target": target,
        }
    )
    measured = pl.DataFrame(
        {"image_id": catalog["image_id"], "brightness": values, "width": np.full(200, 160.0)}
    )
    order = rng.permutation(200)
    found = find_associations(catalog, measured)
    again = find_associations(catalog[order], measured)
    assert [one.variable for one in found] == [one.variable for one in again]
    for a, b in zip(found, again, strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-12)
        assert a.p_holm == pytest.approx(b.p_holm, rel=1e-9)
        assert (a.within is None) == (b.within is None)
    names = [one.variable for one in found]
    assert "width" not in names  # never varies
    assert "no patient" not in names
    assert "center" not in names  # none is named
    assert {one.variable: one.kind for one in found}["image type"] == "origin"
    assert {one.variable: one.within for one in found}["sex"] is None
