"""How many of the changed copies are found, in the half of photographs that is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagehash
import numpy as np
from PIL import Image
from scipy.stats import binomtest

from melanoscope.audit.near_duplicates import THRESHOLD
from melanoscope.imaging.decode import read_image
from near_duplicates_parts.changed_copies import (
    IMAGE_SIZE,
)


def proportion(hits: int, n: int) -> dict[str, Any]:
    """Return a share with its Clopper-Pearson interval."""
    if not n:
        return {"hits": 0, "n": 0, "share": None, "low": 0.0, "high": 1.0}
    interval = binomtest(hits, n).proportion_ci(method="exact")
    return {
        "hits": hits,
        "n": n,
        "share": round(hits / n, 4),
        "low": round(float(interval.low), 4),
        "high": round(float(interval.high), 4),
    }


def side(copy: str) -> int:
    """Return the half of the photographs that a copy belongs to, by its name."""
    return int(copy.split("-")[1])


def recall(
    alike: dict[frozenset[str], float], truth: dict[str, tuple[str, str]], kind: str
) -> tuple[int, int]:
    """Of copies of one kind in the half that is measured."""
    mine = [c for c, (_, k) in truth.items() if k == kind and side(c) == 1]
    hits = [alike.get(frozenset((c, truth[c][0])), 0.0) >= THRESHOLD for c in mine]
    return sum(hits), len(hits)


def hash_recall(
    made: list[tuple[str, np.ndarray]],
    truth: dict[str, tuple[str, str]],
    paths: dict[str, str],
    kind: str,
) -> tuple[int, int]:
    """Of the same copies, those whose pHash is within 8 bits of their original's."""
    found = []
    for copy, pixels in made:
        name, its = truth[copy]
        if its == kind and side(copy) == 1:
            original = Image.fromarray(read_image(Path(paths[name]), IMAGE_SIZE))
            found.append(imagehash.phash(original) - imagehash.phash(Image.fromarray(pixels)) <= 8)
    return int(sum(found)), len(found)
