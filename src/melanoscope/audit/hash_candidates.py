"""Which photographs might show the same picture: perceptual hashes, then small thumbnails.

A photograph in each of its eight orientations is compared with each other one and some of its
crops, by ImageHash's pHash (64 bits). Round dark lesions on plain skin are so alike that the hash
alone would have to keep thousands of pairs; of those it lets through, the most alike as thumbnails
of 8 x 8 are kept. What either loses is measured in benchmarks/near_duplicates.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats32 = NDArray[np.float32]
Grey = NDArray[np.uint8]

# Bits of 64 that may differ, and neighbours kept of each photograph.
FARTHEST = 16
NEIGHBOURS = 8
# Correlation of thumbnails below which nothing has been found worth aligning.
LEAST = 0.7
# Margins cut from the left, top, right and bottom of the other photograph, as parts of its width
# and height: from all sides, from two, and from left and right alone. The last are the square in
# the middle of a 4:3 or 3:2 photograph, seen in that photograph squashed to a square: archives do
# the one or the other with the same pictures.
CROPS = (
    (0.0, 0.0, 0.0, 0.0),
    (0.04, 0.04, 0.04, 0.04),
    (0.07, 0.07, 0.07, 0.07),
    (0.11, 0.11, 0.0, 0.0),
    (0.0, 0.11, 0.11, 0.0),
    (0.11, 0.0, 0.0, 0.11),
    (0.0, 0.0, 0.11, 0.11),
    (0.125, 0.0, 0.125, 0.0),
    (1 / 6, 0.0, 1 / 6, 0.0),
)

_THUMBNAIL, _HASHED, _BLOCK = 8, 32, 64
_ORIENTATIONS = 8


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


def oriented(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Turn pictures of shape (..., h, h): 0 to 3 quarter turns, from 4 on mirrored before."""
    if orientation >= 4:
        pixels = pixels[..., ::-1]
    return np.rot90(pixels, orientation % 4, axes=(-2, -1))


def find_candidates(grey: Grey, progress: Callable[[int, int], None] | None = None) -> Candidates:
    """Find each photograph's nearest neighbours in any orientation and crop.

    Args:
        grey: Shape (n, px, px), uint8.
        progress: Told of photographs compared with all others, and of all.

    Returns:
        At most `NEIGHBOURS` per photograph, each unordered pair once, in its best variant.
    """
    index = _Index.of(grey)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = []
        for found in pool.map(index.nearest, range(0, len(grey), _BLOCK)):
            parts.append(found)
            if progress is not None:
                progress(min(len(parts) * _BLOCK, len(grey)), len(grey))
    a, b, variant, score = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    # Of (a, b) and (b, a) the better stays.
    key = np.minimum(a, b) * len(grey) + np.maximum(a, b)
    order = np.lexsort((a, -score, key))
    first = order[np.unique(key[order], return_index=True)[1]]
    orientation, crop = np.divmod(variant[first], len(CROPS))
    return Candidates(a[first], b[first], orientation, crop)


@dataclass(frozen=True, eq=False)
class _Index:
    """Hashes and thumbnails: turned ones of shape (8, n, ...), cropped ones (crops, n, ...)."""

    turned: NDArray[np.uint64]
    cropped: NDArray[np.uint64]
    turned_thumbnails: Floats32
    cropped_thumbnails: Floats32

    @staticmethod
    def of(grey: Grey) -> _Index:
        crops = [[_cut(Image.fromarray(one), crop) for one in grey] for crop in CROPS]
        whole = np.stack([np.asarray(one) for one in crops[0]])
        turns = [oriented(whole, one) for one in range(_ORIENTATIONS)]
        return _Index(
            np.stack(
                [_hashes([Image.fromarray(np.ascontiguousarray(p)) for p in t]) for t in turns]
            ),
            np.stack([_hashes(one) for one in crops]),
            np.stack([_thumbnails(one) for one in turns]),
            np.stack([_thumbnails(np.stack([np.asarray(p) for p in one])) for one in crops]),
        )

    def nearest(
        self, start: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Floats32]:
        """Return neighbours of a block of photographs: row, neighbour, variant, correlation."""
        n = self.turned.shape[1]
        rows = np.arange(start, min(start + _BLOCK, n))
        best = np.full((len(rows), n), 64, np.uint8)
        differing, bits = np.empty(best.shape, np.uint64), np.empty_like(best)
        for query in self.turned[:, rows]:
            for other in self.cropped:
                np.bitwise_xor(query[:, None], other, out=differing)
                np.bitwise_count(differing, out=bits)
                np.minimum(best, bits, out=best)
        best[np.arange(len(rows)), rows] = 64
        line, b = np.nonzero(best <= FARTHEST)
        a = rows[line]
        variant = self._variant(a, b)
        orientation, crop = np.divmod(variant, len(CROPS))
        score = np.einsum(
            "pi,pi->p", self.turned_thumbnails[orientation, a], self.cropped_thumbnails[crop, b]
        )
        kept = np.flatnonzero(score >= LEAST)
        kept = kept[np.lexsort((b[kept], -score[kept], a[kept]))]
        place = np.arange(len(kept)) - np.searchsorted(a[kept], a[kept])
        kept = kept[place < NEIGHBOURS]
        a, b = a[kept], b[kept]
        return a, b, *self._best_variant(a, b)

    def _best_variant(
        self, a: NDArray[np.int64], b: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], Floats32]:
        """Find in which orientation and crop the thumbnails of each pair agree best."""
        scores = np.stack(
            [
                np.einsum("pi,pi->p", turned[a], cropped[b])
                for turned in self.turned_thumbnails
                for cropped in self.cropped_thumbnails
            ]
        )
        best = np.argmax(scores, axis=0)
        return best, scores[best, np.arange(len(a))]

    def _variant(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find in which orientation and crop the hashes of each pair differ least."""
        bits = [np.bitwise_count(q[a] ^ o[b]) for q in self.turned for o in self.cropped]
        least: NDArray[np.int64] = np.argmin(bits, axis=0)
        return least


def _cut(picture: Image.Image, margins: tuple[float, float, float, float]) -> Image.Image:
    width, height = picture.size
    left, top, right, bottom = margins
    box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
    return picture.resize((_HASHED, _HASHED), Image.Resampling.LANCZOS, box=box)


def _hashes(pictures: list[Image.Image]) -> NDArray[np.uint64]:
    bits = np.stack([imagehash.phash(one).hash.ravel() for one in pictures])
    packed: NDArray[np.uint64] = np.packbits(bits, axis=1).view(np.uint64).ravel()
    return packed


def _thumbnails(pictures: NDArray[np.generic]) -> Floats32:
    """Shrink by averaging and bring to mean 0 and length 1, shape (n, 64)."""
    n, step = len(pictures), _HASHED // _THUMBNAIL
    blocks = pictures.reshape(n, _THUMBNAIL, step, _THUMBNAIL, step)
    small = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(n, -1)
    flat = small - small.mean(axis=1, keepdims=True)
    unit: Floats32 = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return unit
