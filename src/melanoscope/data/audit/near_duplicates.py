"""Photographs that show the same picture: re-encoded, resized, cropped a little, turned, mirrored.

Two photographs of one lesion taken one after the other are not copies; where the archive does not
say that they belong together, they are only found when they are nearly the same picture.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.data.audit.alignment import SIDE, likeness
from melanoscope.data.audit.candidates import CROPS, find_candidates
from melanoscope.errors import DataError

Progress = Callable[[int, int], None]

# Chosen on one half of real photographs, measured on the other: benchmarks/near_duplicates.py.
THRESHOLD = 0.8
_TURNS = ("", "turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees")


@dataclass(frozen=True, order=True)
class NearPair:
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
) -> tuple[NearPair, ...]:
    """Find pairs of photographs that show the same picture.

    Args:
        pixels: Shape (n, px, px, 3), px at least 64.
        image_ids: Their ids, length n, each once.
        threshold: Least likeness.
        progress: Told of photographs done, and of all.

    Returns:
        Sorted pairs; the order of photographs does not matter.

    Raises:
        DataError: Photographs smaller than 64 px, or other numbers of ids.
    """
    if pixels.ndim != 4 or pixels.shape[1] < SIDE or len(image_ids) != len(pixels):
        raise DataError(
            f"photographs (n, px, px, 3) of at least {SIDE} px and as many ids",
            f"shape {pixels.shape} and {len(image_ids)} ids",
            "decode them larger",
        )
    if len(pixels) < 2:
        return ()
    order = np.argsort(np.asarray(image_ids))
    names = [image_ids[i] for i in order]
    grey = _small_grey(pixels, order)
    pairs = find_candidates(grey)
    alike = likeness(grey, pairs)
    if progress is not None:
        progress(len(pixels), len(pixels))
    found = []
    for i in np.flatnonzero(alike >= threshold):
        a, b = sorted((names[pairs.a[i]], names[pairs.b[i]]))
        found.append(NearPair(a, b, float(alike[i]), _words(pairs.orientation[i], pairs.crop[i])))
    return tuple(sorted(found))


def _small_grey(pixels: NDArray[np.uint8], order: NDArray[np.int64]) -> NDArray[np.float32]:
    """Grey pictures of `SIDE`, each pixel the mean of those it covers; shape (n, SIDE, SIDE)."""

    def shrink(row: int) -> NDArray[np.uint8]:
        grey = Image.fromarray(pixels[row]).convert("L")
        return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(shrink, order))).astype(np.float32)


def _words(orientation: int, crop: int) -> str:
    words = ["mirrored"] if orientation >= 4 else []
    turn = _TURNS[int(orientation) % 4]
    words += [turn] if turn else []
    if any(CROPS[int(crop)]):
        words.append("cropped")
    return ", ".join(words) or "same picture"
