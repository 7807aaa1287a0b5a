"""What the finder's parts do with known geometry."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from melanoscope.audit.alignment import IMAGE_SIZE, align
from melanoscope.audit.hash_candidates import CROPS, Candidates, find_candidates, orient
from melanoscope.audit.near_duplicates import THRESHOLD, find_near_duplicates


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
    likeness, scales = align(grey, pairs.take(mine))
    assert likeness.min() > 0.8
    wide, high = 1 - margins[0] - margins[2], 1 - margins[1] - margins[3]
    for row, scale in zip(mine, scales, strict=True):
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
    alike = align(every, pairs)[0]
    copies = np.abs(pairs.a - pairs.b) == 30
    assert copies.sum() == 6
    assert alike[copies].min() > 0.97
    assert alike[~copies].max(initial=0) < THRESHOLD


def test_no_pairs() -> None:
    nothing = np.empty(0, np.int64)
    likeness, scales = align(
        _textures(2, IMAGE_SIZE), Candidates(nothing, nothing, nothing, nothing)
    )
    assert likeness.shape == (0,)
    assert scales.shape == (0, 2)
    assert CROPS[0] == (0, 0, 0, 0)
