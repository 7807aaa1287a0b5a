"""Which photographs might show the same picture: nearest neighbours among small grey thumbnails.

Each photograph is compared in all eight orientations with each other one and with some of its
crops, by the correlation of 8 x 8 thumbnails: one matrix product per orientation and crop. A
perceptual hash of 64 bits was measured beside it (benchmarks/near_duplicates.py) and loses
photographs that were cropped by more than a few per cent of their side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]

SIDE = 8
NEIGHBOURS = 8
# Correlation below which nothing has been found worth aligning.
LEAST = 0.75
_BLOCK = 256

# Margins cut from the sides of the other photograph, as parts of its width and height. The last two
# are a square that was cut from the middle of a 4:3 photograph, seen in that photograph squashed to
# a square: ISIC 2019 did the one with pictures of which HAM10000 did the other.
CROPS = ((0.0, 0.0), (0.04, 0.04), (0.08, 0.08), (0.125, 0.0), (0.0, 0.125))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs worth a closer look, one row each.

    Attributes:
        a: Row of the photograph that is turned.
        b: Row of the one that is cropped.
        orientation: Of `oriented`, 0 to 7.
        crop: Index into `CROPS`.
    """

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    orientation: NDArray[np.int64]
    crop: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.a)

    def where(self, rows: NDArray[np.int64] | slice) -> Candidates:
        """Keep some of the pairs."""
        return Candidates(self.a[rows], self.b[rows], self.orientation[rows], self.crop[rows])

    def part(self, start: int, stop: int) -> Candidates:
        """Keep the pairs from `start` to before `stop`."""
        return self.where(slice(start, stop))


def oriented(pixels: NDArray[np.floating], orientation: int) -> NDArray[np.floating]:
    """Turn pictures of shape (..., h, h): 0 to 3 quarter turns, from 4 on mirrored before."""
    if orientation >= 4:
        pixels = pixels[..., ::-1]
    return np.rot90(pixels, orientation % 4, axes=(-2, -1))


def find_candidates(grey: Floats32) -> Candidates:
    """Find each photograph's nearest neighbours in any orientation and crop.

    Args:
        grey: Shape (n, px, px).

    Returns:
        At most `NEIGHBOURS` per photograph, each unordered pair once, in its best variant.
    """
    n = len(grey)
    queries = [_unit(oriented(grey, o)) for o in range(8)]
    index = [_unit(_cropped(grey, *crop)).T.copy() for crop in CROPS]
    found = [_nearest(queries, index, rows, n) for rows in _blocks(n)]
    a, b, variant, score = (np.concatenate(columns) for columns in zip(*found, strict=True))
    kept = score >= LEAST
    a, b, variant, score = a[kept], b[kept], variant[kept], score[kept]
    # Of (a, b) and (b, a) the better variant stays.
    key = np.minimum(a, b) * n + np.maximum(a, b)
    order = np.lexsort((a, -score, key))
    first = order[np.unique(key[order], return_index=True)[1]]
    orientation, crop = np.divmod(variant[first], len(CROPS))
    return Candidates(a[first], b[first], orientation, crop)


def _nearest(
    queries: list[Floats32], index: list[Floats32], rows: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats32]:
    best = np.full((len(rows), n), -2.0, np.float32)
    variant = np.zeros((len(rows), n), np.int8)
    for o, query in enumerate(queries):
        for c, thumbnails in enumerate(index):
            score = query[rows] @ thumbnails
            better = score > best
            np.copyto(best, score, where=better)
            np.copyto(variant, np.int8(o * len(CROPS) + c), where=better)
    best[np.arange(len(rows)), rows] = -2.0
    k = min(NEIGHBOURS, n - 1)
    near = np.argpartition(-best, k - 1, axis=1)[:, :k] if k else np.empty((len(rows), 0), np.int64)
    a = np.repeat(rows, near.shape[1])
    b = near.ravel().astype(np.int64)
    line = np.repeat(np.arange(len(rows)), near.shape[1])
    return a, b, variant[line, b].astype(np.int64), best[line, b]


def _blocks(n: int) -> Iterator[NDArray[np.int64]]:
    for start in range(0, n, _BLOCK):
        yield np.arange(start, min(start + _BLOCK, n))


def _cropped(grey: Floats32, x: float, y: float) -> Floats32:
    px = grey.shape[-1]
    left, top = round(px * x), round(px * y)
    return grey[:, top : px - top, left : px - left]


def _unit(grey: NDArray[np.floating]) -> Floats32:
    """Shrink to thumbnails by averaging and bring them to mean 0 and length 1, shape (n, 64)."""
    small = _averaged(_averaged(np.asarray(grey, np.float32), 1), 2).reshape(len(grey), -1)
    flat = small - small.mean(axis=1, keepdims=True)
    unit: Floats32 = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return unit


def _averaged(pictures: Floats32, axis: int) -> Floats32:
    """Average over `SIDE` stretches of nearly equal length along one axis."""
    size = pictures.shape[axis]
    edges = np.round(np.linspace(0, size, SIDE + 1)).astype(int)
    sums = np.add.reduceat(pictures, edges[:-1], axis=axis)
    shape = [1, 1, 1]
    shape[axis] = SIDE
    averaged: Floats32 = sums / np.diff(edges).reshape(shape).astype(np.float32)
    return averaged
