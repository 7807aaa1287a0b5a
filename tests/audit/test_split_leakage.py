"""Leaks counted by simulation, pairs looked up, and equal files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from melanoscope.audit.near_duplicates import NearDuplicate
from melanoscope.audit.split_leakage import (
    describe_pairs,
    random_split_leakage,
    same_files,
    same_pixels,
)
from melanoscope.data.catalog import Catalog
from melanoscope.imaging.decode import read_image

from .examples import example_catalog, store_of


def test_leaks_count_sets_and_copies() -> None:
    frame = pl.DataFrame(
        {
            "image_id": list("abcdef"),
            "patient_id": ["P", "P", "Q", None, None, None],
            "lesion_id": pl.Series([None] * 6, dtype=pl.String),
            "group_id": ["a", "a", "c", "d", "e", "f"],
        }
    )
    pairs = [("c", "d"), ("d", "e")]
    leaks = {leak.by: leak for leak in random_split_leakage(Catalog(frame), pairs, 1 / 3)}
    assert (leaks["patient"].sets, leaks["patient"].several) == (1, 2)
    assert (leaks["lesion"].sets, leaks["lesion"].several, leaks["lesion"].expected) == (0, 0, 0)
    assert (leaks["copies"].sets, leaks["copies"].several) == (1, 3)
    assert (leaks["group"].sets, leaks["group"].several) == (2, 5)
    # Two of six are tested: a pair leaks unless its other is the second one, 4 times of 5.
    assert leaks["patient"].expected == pytest.approx(2 * 0.8 / 6)
    # Three cannot all be among two: each of them leaks.
    assert leaks["copies"].expected == pytest.approx(3 / 6)
    assert leaks["group"].expected == pytest.approx((2 * 0.8 + 3) / 6)


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_expected_leak_is_that_of_many_random_splits(share: float) -> None:
    catalog = example_catalog()
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
    catalog = example_catalog()
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


def test_equal_files() -> None:
    store = store_of(list("abcd"), np.zeros((4, 8, 8, 3), np.uint8), {"c": "a"})
    assert same_files(store) == (("a", "c"),)


def test_equal_pixels_in_different_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8))
    other = Image.fromarray(rng.integers(0, 256, (50, 70, 3), dtype=np.uint8))
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.bmp")
    (tmp_path / "c.png").write_bytes((tmp_path / "a.png").read_bytes())
    other.save(tmp_path / "d.png")
    picture.resize((140, 100), Image.Resampling.NEAREST).save(tmp_path / "e.png")
    names = ["a.png", "b.bmp", "c.png", "d.png", "e.png"]
    frame = pl.DataFrame(
        {"image_id": [n[0] for n in names], "path": [str(tmp_path / n) for n in names]}
    )
    pixels = np.stack([read_image(tmp_path / name, 64) for name in names])
    store = store_of([name[0] for name in names], pixels, {"c": "a"})
    equal = same_files(store)
    assert equal == (("a", "c"),)
    assert same_pixels(frame, store, equal) == (("a", "b"),)
    assert same_pixels(frame[::-1], store, equal) == (("a", "b"),)
