"""Which images might show the same picture: perceptual hashes, then small thumbnails.

An image in each of its eight orientations is compared with each other one and some of its crops, by
ImageHash's pHash (64 bits). Round dark lesions on plain skin are so alike that the hash alone would
have to keep thousands of pairs; of those it lets through, the most alike as thumbnails of 8 x 8 are
kept. What either loses is measured in benchmarks/near_duplicates.py.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.data.pixel_store import ProgressCallback
from melanoscope.threads import thread_pool

Floats32 = NDArray[np.float32]
Indices = NDArray[np.int64]
GrayImages = NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

NEIGHBORS = 8
"""How many candidates are kept for each image."""
_MAX_HASH_DISTANCE = 16  # bits of 64 that may differ
_MIN_CORRELATION = 0.7  # of thumbnails; below it nothing has been found worth aligning
# Margins cut from the left, top, right and bottom of the other image, as parts of its width and
# height: from all sides, from two, and from left and right alone. The last are the square in the
# middle of a 4:3 or 3:2 photograph, seen in that photograph squashed to a square: archives do the
# one or the other with the same pictures.
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
_WHOLE = 0  # of `CROPS`: nothing is cut off

_THUMBNAIL_SIZE, _HASHED_SIZE = 8, 32
_ORIENTATIONS = 8
# Images indexed together, images compared with all others together, columns of that table, and
# pairs scored together: memory beyond the index is bounded by these, not by the archive.
_INDEXED, _CHUNK, _COLUMNS, _SCORED = 128, 64, 4096, 32_768


@dataclass(frozen=True, eq=False)
class Candidates:
    """Pairs of images worth a closer look; each field has shape (pairs,)."""

    a: Indices  # row of the image that is turned
    b: Indices  # row of the image that is cropped
    orientation: Indices  # how a is turned, as `orient` takes it
    crop: Indices  # how b is cropped, an index into `CROPS`

    def __len__(self) -> int:
        return len(self.a)

    def take(self, rows: Indices | slice) -> Candidates:
        """Return the pairs in `rows`."""
        return Candidates(self.a[rows], self.b[rows], self.orientation[rows], self.crop[rows])


def orient(images: NDArray[Scalar], orientation: int) -> NDArray[Scalar]:
    """Turn `images`, (..., h, h): `orientation` 0 to 3 quarter turns, 4 to 7 mirrored before."""
    if orientation >= 4:
        images = images[..., ::-1]
    return np.rot90(images, orientation % 4, axes=(-2, -1))


def block_mean(images: NDArray[np.generic], size: int) -> Floats32:
    """Shrink square `images`, shape (n, h, h), to `size` a side, a divisor of h, by averaging."""
    step = images.shape[1] // size
    blocks = images.reshape(-1, size, step, size, step)
    mean: Floats32 = blocks.mean(axis=(2, 4), dtype=np.float32)
    return mean


def find_candidates(gray: GrayImages, progress: ProgressCallback | None = None) -> Candidates:
    """Find at most `NEIGHBORS` pairs per image of `gray`, (n, h, h) uint8, in any turn and crop."""
    # Each unordered pair comes once, in its best variant.
    chunks = []
    with thread_pool() as pool:
        index = _Index.build(gray, pool)
        for chunk in pool.map(index.nearest, range(0, len(gray), _CHUNK)):
            chunks.append(chunk)
            if progress is not None:
                progress(min(len(chunks) * _CHUNK, len(gray)), len(gray))
    a, b, variant, score = (np.concatenate(columns) for columns in zip(*chunks, strict=True))
    # Of (a, b) and (b, a) the better stays.
    key = np.minimum(a, b) * len(gray) + np.maximum(a, b)
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
    def build(gray: GrayImages, pool: ThreadPoolExecutor) -> _Index:
        n, turns, crops, size = len(gray), _ORIENTATIONS, len(CROPS), _THUMBNAIL_SIZE**2
        index = _Index(
            turned=np.empty((turns, n), np.uint64),
            cropped=np.empty((crops, n), np.uint64),
            turned_thumbnails=np.empty((turns, n, size), np.float32),
            cropped_thumbnails=np.empty((crops, n, size), np.float32),
        )
        # Of some images at a time: their crops and turns would take forty times the index's room.
        for _ in pool.map(partial(index._add, gray), range(0, n, _INDEXED)):
            pass
        return index

    def _add(self, gray: GrayImages, start: int) -> None:
        rows = slice(start, start + _INDEXED)
        for number, margins in enumerate(CROPS):
            images = np.stack([_crop(image, margins) for image in gray[rows]])
            self.cropped[number, rows] = _hashes(images)
            self.cropped_thumbnails[number, rows] = _thumbnails(images)
            for turn in range(_ORIENTATIONS) if number == _WHOLE else ():
                turned = orient(images, turn)
                self.turned[turn, rows] = _hashes(turned)
                self.turned_thumbnails[turn, rows] = _thumbnails(turned)

    def nearest(self, start: int) -> tuple[Indices, Indices, Indices, Floats32]:
        """Return the neighbours of a chunk: row, neighbour, variant, correlation; (pairs,) each."""
        n = self.turned.shape[1]
        rows = np.arange(start, min(start + _CHUNK, n))
        row, b = np.nonzero(self._are_alike(rows))
        a = rows[row]
        score = np.empty(len(a), np.float32)
        for first in range(0, len(a), _SCORED):
            some = slice(first, first + _SCORED)
            score[some] = self._score(a[some], b[some])
        kept = np.flatnonzero(score >= _MIN_CORRELATION)
        kept = kept[np.lexsort((b[kept], -score[kept], a[kept]))]
        rank = np.arange(len(kept)) - np.searchsorted(a[kept], a[kept])
        kept = kept[rank < NEIGHBORS]
        a, b = a[kept], b[kept]
        return a, b, *self._thumbnail_variant(a, b)

    def _are_alike(self, rows: Indices) -> NDArray[np.bool_]:
        """Say which images' hashes are near those of `rows`, in any variant; shape (rows, n)."""
        n = self.turned.shape[1]
        alike = np.empty((len(rows), n), np.bool_)
        for start in range(0, n, _COLUMNS):
            columns = slice(start, min(start + _COLUMNS, n))
            best = np.full((len(rows), columns.stop - start), 64, np.uint8)
            differing, bits = np.empty(best.shape, np.uint64), np.empty_like(best)
            for query in self.turned[:, rows]:
                for other in self.cropped[:, columns]:
                    np.bitwise_xor(query[:, None], other, out=differing)
                    np.bitwise_count(differing, out=bits)
                    np.minimum(best, bits, out=best)
            alike[:, columns] = best <= _MAX_HASH_DISTANCE
        alike[np.arange(len(rows)), rows] = False
        return alike

    def _score(self, a: Indices, b: Indices) -> Floats32:
        """Correlate the thumbnails of pairs, in the variant whose hashes differ least."""
        orientation, crop = np.divmod(self._hash_variant(a, b), len(CROPS))
        score: Floats32 = np.einsum(
            "pi,pi->p", self.turned_thumbnails[orientation, a], self.cropped_thumbnails[crop, b]
        )
        return score

    def _thumbnail_variant(self, a: Indices, b: Indices) -> tuple[Indices, Floats32]:
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

    def _hash_variant(self, a: Indices, b: Indices) -> Indices:
        """Find in which orientation and crop the hashes of each pair differ least."""
        bits = [np.bitwise_count(q[a] ^ o[b]) for q in self.turned for o in self.cropped]
        least: Indices = np.argmin(bits, axis=0)
        return least


def _crop(image: GrayImages, margins: tuple[float, float, float, float]) -> GrayImages:
    """Cut off `margins` and resize the rest to the size that is hashed."""
    picture = Image.fromarray(image)
    width, height = picture.size
    left, top, right, bottom = margins
    box = (width * left, height * top, width * (1 - right), height * (1 - bottom))
    size = (_HASHED_SIZE, _HASHED_SIZE)
    return np.asarray(picture.resize(size, Image.Resampling.LANCZOS, box=box))


def _hashes(images: GrayImages) -> NDArray[np.uint64]:
    pictures = (Image.fromarray(np.ascontiguousarray(image)) for image in images)
    bits = np.stack([imagehash.phash(picture).hash.ravel() for picture in pictures])
    return np.packbits(bits, axis=1).view(np.uint64).ravel()


def _thumbnails(images: GrayImages) -> Floats32:
    """Shrink `images`, flatten them and bring them to mean 0 and length 1; shape (n, 64)."""
    small = block_mean(images, _THUMBNAIL_SIZE).reshape(len(images), -1)
    flat = small - small.mean(axis=1, keepdims=True)
    unit: Floats32 = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return unit
