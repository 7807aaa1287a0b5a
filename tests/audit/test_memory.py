"""Near-duplicates: the same pairs in blocks of any size, and memory that the blocks bound."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from PIL import Image

from melanoscope.audit import alignment, hash_candidates, near_duplicates
from melanoscope.audit.near_duplicates import find_near_duplicates

N = 150


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Smooth colors with grain; the last third are turned copies of the first."""
    rng = np.random.default_rng(0)
    drawn = []
    for number in range(N):
        if number >= 2 * N // 3:
            drawn.append(np.rot90(drawn[number - 2 * N // 3], number % 4))
            continue
        cells = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        large = np.asarray(cells.resize((64, 64), Image.Resampling.BICUBIC)).astype(int)
        drawn.append(np.clip(large + rng.normal(0, 9, (64, 64, 1)), 0, 255).astype(np.uint8))
    return np.stack(drawn)


def names(count: int) -> list[str]:
    return [f"{number:04d}" for number in range(count)]


def test_blocks_of_any_size_find_the_same_to_the_bit(pixels, monkeypatch):
    found = find_near_duplicates(pixels, names(N), threshold=-1)
    assert len(found) >= N // 3
    sizes = {
        hash_candidates: {"_INDEXED": 7, "_CHUNK": 5, "_COLUMNS": 11, "_SCORED": 13},
        alignment: {"_PAIRS": 1, "_CHUNK": 3},
        near_duplicates: {"_SHRUNK": 9},
    }
    for module, values in sizes.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    assert find_near_duplicates(pixels, names(N), threshold=-1) == found


def test_rows_need_not_be_copied_to_be_left_out(pixels):
    rows = np.array([140, 3, 77, 40, 103])
    chosen = find_near_duplicates(pixels, names(5), rows=rows, threshold=-1)
    assert chosen == find_near_duplicates(pixels[rows], names(5), threshold=-1)
    assert ("0000", "0003") in [(pair.a, pair.b) for pair in chosen if pair.likeness > 0.9]


def test_memory_beyond_the_index_does_not_grow(monkeypatch):
    """What is taken while the index is built: crops and turns of a block, not of all images."""
    monkeypatch.setattr(hash_candidates, "_INDEXED", 16)
    peaks = []
    for count in (32, 160):
        gray = np.random.default_rng(0).integers(0, 256, (count, 64, 64), np.uint8)
        tracemalloc.start()
        hash_candidates.find_candidates(gray)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / (160 - 32) < 8_000
