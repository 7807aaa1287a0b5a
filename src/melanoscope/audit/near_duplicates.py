"""Photographs that show the same picture: re-encoded, resized, cropped a little, turned, mirrored.

A second photograph of one lesion is no copy, but a fifth of those in HAM10000 are alike enough to
be found as well; they belong in one group all the same. Where an archive does not say that two
photographs belong together, they are only found when they are nearly the same picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.audit.alignment import SIDE, align
from melanoscope.audit.hash_candidates import Floats32, find_candidates
from melanoscope.errors import DataError

Progress = Callable[[int, int], None]

# Chosen on one half of real photographs, measured on the other: benchmarks/near_duplicates.py.
THRESHOLD = 0.6
_TURNS = ("", "turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees")
# Parts of the side by which a fitted width or height may miss 1, and each other, unsaid.
_UNCROPPED, _UNSQUASHED = 0.03, 0.08


@dataclass(frozen=True, order=True)
class NearDuplicate:
    """Two photographs that show the same picture.

    Attributes:
        a: The smaller id.
        b: The other.
        likeness: Correlation of their fine structures once aligned, `THRESHOLD` to 1.
        relation: What was done to one of them, in words.
    """

    a: str
    b: str
    likeness: float
    relation: str


def find_near_duplicates(
    pixels: NDArray[np.uint8],
    image_ids: Sequence[str],
    *,
    threshold: float = THRESHOLD,
    progress: Progress | None = None,
) -> tuple[NearDuplicate, ...]:
    """Find pairs of photographs that show the same picture.

    Args:
        pixels: Shape (n, px, px, 3), px at least 64; a mapped file is read row by row.
        image_ids: Their ids, length n, each once.
        threshold: Least likeness.
        progress: Told of photographs compared, and of all.

    Returns:
        Sorted pairs; the order of photographs does not matter.

    Raises:
        DataError: Photographs smaller than 64 px, other numbers of ids, or an id twice.
    """
    small = pixels.ndim != 4 or pixels.shape[1] < SIDE or pixels.shape[1] != pixels.shape[2]
    if small or len(image_ids) != len(pixels) or len(set(image_ids)) != len(image_ids):
        raise DataError(
            f"photographs (n, px, px, 3) of at least {SIDE} px and as many different ids",
            f"shape {pixels.shape} and {len(set(image_ids))} ids",
            "decode them larger",
        )
    if len(pixels) < 2:
        return ()
    order = np.argsort(np.asarray(image_ids))
    names = [image_ids[i] for i in order]
    grey = _small_grey(pixels, order)
    pairs = find_candidates(grey, progress)
    fitted = align(grey, pairs)
    found = []
    for i in np.flatnonzero(fitted.likeness >= threshold):
        a, b = sorted((names[pairs.a[i]], names[pairs.b[i]]))
        relation = _words(int(pairs.orientation[i]), fitted.scale[i])
        found.append(NearDuplicate(a, b, float(fitted.likeness[i]), relation))
    return tuple(sorted(found))


def _small_grey(pixels: NDArray[np.uint8], order: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Grey pictures of `SIDE`, each pixel the mean of those it covers; shape (n, SIDE, SIDE)."""

    def shrink(row: int) -> NDArray[np.uint8]:
        grey = Image.fromarray(pixels[row]).convert("L")
        return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(shrink, order)))


def _words(orientation: int, scale: Floats32) -> str:
    """Say what was done, from orientation and fitted width and height.

    >>> _words(5, np.array([0.9, 0.9], np.float32))
    'mirrored, turned by 90 degrees, cropped'
    """
    words = ["mirrored"] if orientation >= 4 else []
    turn = _TURNS[orientation % 4]
    words += [turn] if turn else []
    width, height = (float(side) for side in scale)
    if abs(width / height - 1) > _UNSQUASHED:
        words.append("squashed")
    elif max(abs(width - 1), abs(height - 1)) > _UNCROPPED:
        words.append("cropped")
    return ", ".join(words) or "same picture"
