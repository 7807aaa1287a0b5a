"""Photographs that show the same picture: re-encoded, resized, cropped a little, turned, mirrored.

A second photograph of one lesion is no copy, but a fifth of those in HAM10000 are alike enough to
be found as well; they belong in one group all the same. Where an archive does not say that two
photographs belong together, they are only found when they are nearly the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from melanoscope.audit.alignment import IMAGE_SIZE, align
from melanoscope.audit.hash_candidates import (
    Floats32,
    GrayImages,
    Indices,
    find_candidates,
)
from melanoscope.data.pixel_store import ProgressCallback
from melanoscope.errors import DataError
from melanoscope.threads import thread_pool

# Chosen on one half of real photographs, measured on the other: benchmarks/near_duplicates.py.
THRESHOLD = 0.6
_TURNS = ("", "turned by 90 degrees", "turned by 180 degrees", "turned by 270 degrees")
# Parts of the side by which a fitted width or height may miss 1, and each other, unsaid.
_MAX_UNCROPPED, _MAX_UNSQUASHED = 0.03, 0.08
_SHRUNK = 64  # images that a thread shrinks before it asks for more


@dataclass(frozen=True, order=True)
class NearDuplicate:
    """Two photographs that show the same picture; `a` is the smaller of their ids."""

    a: str
    b: str
    likeness: float  # correlation of their fine structures once aligned, at most 1
    relation: str  # what was done to one of them, in words


def find_near_duplicates(
    pixels: NDArray[np.uint8],
    image_ids: Sequence[str],
    *,
    rows: Indices | None = None,
    threshold: float = THRESHOLD,
    progress: ProgressCallback | None = None,
) -> tuple[NearDuplicate, ...]:
    """Find pairs of photographs that show the same picture.

    Args:
        pixels: RGB squares of 64 pixels or more, shape (n, image_size, image_size, 3), uint8; a
            mapped file is read row by row, and beyond some 9 KB an image memory does not grow.
        image_ids: Id of each image, length n, each once.
        rows: Row in `pixels` of each id, shape (n,), where some rows are to be passed over or the
            order is another. Default: all, as they come.
        threshold: Least likeness of a pair, -1 to 1.
        progress: Called with the number of images compared with all others, and their total.

    Returns:
        The pairs, sorted by id; the order of the images does not matter.

    Raises:
        DataError: Images smaller than 64 pixels, another number of ids, or an id twice.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
        >>> pixels = np.concatenate([noise, np.rot90(noise[:1], axes=(1, 2))])
        >>> [(pair.a, pair.b) for pair in find_near_duplicates(pixels, ["a", "b", "c", "d"])]
        [('a', 'd')]
    """
    rows = np.arange(len(pixels)) if rows is None else rows
    is_square = pixels.ndim == 4 and IMAGE_SIZE <= pixels.shape[1] == pixels.shape[2]
    if not is_square or not len(set(image_ids)) == len(image_ids) == len(rows):
        raise DataError(
            f"photographs (n, px, px, 3) of at least {IMAGE_SIZE} px and as many different ids",
            f"shape {pixels.shape} and {len(set(image_ids))} ids",
            "decode them larger",
        )
    if len(rows) < 2:
        return ()
    order = np.argsort(np.asarray(image_ids))
    names = [image_ids[i] for i in order]
    gray = _to_gray(pixels, rows[order])
    pairs = find_candidates(gray, progress)
    likeness, scale = align(gray, pairs)
    found = []
    for i in np.flatnonzero(likeness >= threshold):
        a, b = sorted((names[pairs.a[i]], names[pairs.b[i]]))
        relation = _describe(int(pairs.orientation[i]), scale[i])
        found.append(NearDuplicate(a, b, float(likeness[i]), relation))
    return tuple(sorted(found))


def _to_gray(pixels: NDArray[np.uint8], order: Indices) -> GrayImages:
    """Average `pixels`, taken in `order`, to gray images of side `IMAGE_SIZE`."""
    gray = np.empty((len(order), IMAGE_SIZE, IMAGE_SIZE), np.uint8)

    def shrink(start: int) -> None:
        for row in range(start, min(start + _SHRUNK, len(order))):
            image = Image.fromarray(pixels[order[row]]).convert("L")
            small = image.resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BOX)
            gray[row] = np.asarray(small)

    with thread_pool() as pool:
        for _ in pool.map(shrink, range(0, len(order), _SHRUNK)):
            pass
    return gray


def _describe(orientation: int, scale: Floats32) -> str:
    """Say what was done to an image, by its `orientation` and its fitted width and height."""
    changes = ["mirrored"] if orientation >= 4 else []
    turn = _TURNS[orientation % 4]
    changes += [turn] if turn else []
    width, height = (float(side) for side in scale)
    if abs(width / height - 1) > _MAX_UNSQUASHED:
        changes.append("squashed")
    elif max(abs(width - 1), abs(height - 1)) > _MAX_UNCROPPED:
        changes.append("cropped")
    return ", ".join(changes) or "same picture"
