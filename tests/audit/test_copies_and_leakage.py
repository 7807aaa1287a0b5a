"""Equal files, leaks by copies, and what the finder's parts do with known geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from melanoscope.audit.alignment import IMAGE_SIZE, align
from melanoscope.audit.hash_candidates import CROPS, Candidates, find_candidates, orient
from melanoscope.audit.measurements import measure_images
from melanoscope.audit.near_duplicates import THRESHOLD, find_near_duplicates
from melanoscope.audit.split_leakage import random_split_leakage, same_files, same_pixels
from melanoscope.data.catalog import Catalog
from melanoscope.imaging.decode import read_image

from .stores import store_of


def _textures(n: int, side: int, seed: int = 0) -> np.ndarray:
    """Pictures with structure of several sizes, shape (n, side, side), uint8."""
    noise = np.random.default_rng(seed).normal(size=(n, side, side))
    mixed = sum(
        (sum_ := gaussian_filter(noise, (0, s, s), mode="wrap")) / sum_.std()
        for s in (side / 40, side / 16, side / 6)
    )
    return np.clip(128 + 30 * mixed, 0, 255).astype(np.uint8)


def _resized(picture: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    image = Image.fromarray(picture).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX, box=box)
    return np.asarray(image)


@pytest.mark.parametrize("orientation", range(8))
def test_every_orientation_is_undone(orientation: int) -> None:
    grey = _textures(12, IMAGE_SIZE)
    turned = np.stack([np.ascontiguousarray(orient(p, orientation)) for p in grey[:4]])
    pixels = np.repeat(np.concatenate([grey, turned])[..., None], 3, axis=-1)
    found = find_near_duplicates(pixels, [f"{i:02d}" for i in range(16)])
    assert [(p.a, p.b) for p in found] == [(f"{i:02d}", f"{i + 12}") for i in range(4)]
    assert min(p.likeness for p in found) > 0.99
    assert all(("mirrored" in p.relation) == (orientation >= 4) for p in found)


@pytest.mark.parametrize(
    ("margins", "word"),
    [
        ((0.05, 0.02, 0.03, 0.06), "cropped"),
        ((0.125, 0, 0.125, 0), "squashed"),
        ((1 / 6, 0, 1 / 6, 0), "squashed"),
        ((0, 0, 0, 0), "same picture"),
    ],
)
def test_crops_are_fitted(margins: tuple[float, ...], word: str) -> None:
    large = _textures(10, 256)
    left, top, right, bottom = (256 * m for m in margins)
    grey = np.stack(
        [_resized(p, (0, 0, 256, 256)) for p in large]
        + [_resized(p, (left, top, 256 - right, 256 - bottom)) for p in large[:5]]
    )
    pairs = find_candidates(grey)
    mine = np.flatnonzero(np.abs(pairs.a - pairs.b) == 10)
    assert len(mine) == 5
    fitted = align(grey, pairs.take(mine))
    assert fitted.likeness.min() > 0.8
    wide, high = 1 - margins[0] - margins[2], 1 - margins[1] - margins[3]
    for row, scale in zip(mine, fitted.scale, strict=True):
        # Seen from the crop the other is larger.
        expected = (wide, high) if pairs.a[row] >= 10 else (1 / wide, 1 / high)
        assert scale == pytest.approx(expected, abs=0.03)
    pixels = np.repeat(grey[..., None], 3, axis=-1)
    found = find_near_duplicates(pixels, [f"{i:02d}" for i in range(15)])
    assert [p.relation for p in found] == [word] * 5


def test_brightness_does_not_matter_and_strangers_do() -> None:
    grey = _textures(30, IMAGE_SIZE)
    darker = np.clip(grey[:6] * 0.8 + 5, 0, 255).astype(np.uint8)
    every = np.concatenate([grey, darker])
    pairs = find_candidates(every)
    alike = align(every, pairs).likeness
    copies = np.abs(pairs.a - pairs.b) == 30
    assert copies.sum() == 6
    assert alike[copies].min() > 0.97
    assert alike[~copies].max(initial=0) < THRESHOLD


def test_no_pairs() -> None:
    nothing = np.empty(0, np.int64)
    fitted = align(_textures(2, IMAGE_SIZE), Candidates(nothing, nothing, nothing, nothing))
    assert fitted.likeness.shape == (0,)
    assert fitted.scale.shape == (0, 2)
    assert CROPS[0] == (0, 0, 0, 0)


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
    equal = same_files(frame)
    assert equal == (("a", "c"),)
    store = store_of([name[0] for name in names], pixels)
    assert same_pixels(frame, store, equal) == (("a", "b"),)
    assert same_pixels(frame[::-1], store, equal) == (("a", "b"),)


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


def test_vignette(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(tmp_path / "one.png")
    axis = np.linspace(-1, 1, 64)
    round_view = np.where(np.hypot(axis[:, None], axis) > 1, 0, 204).astype(np.uint8)
    even = np.full((64, 64), 204, np.uint8)
    pixels = np.repeat(np.stack([round_view, even])[..., None], 3, axis=-1)
    frame = pl.DataFrame({"image_id": ["round", "even"], "path": [str(tmp_path / "one.png")] * 2})
    found = measure_images(frame, store_of(["round", "even"], pixels))
    assert found["image_id"].to_list() == ["round", "even"]
    assert found["vignette"].to_list() == pytest.approx([0.8, 0.0])
