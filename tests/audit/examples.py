"""A catalog and a pixel store in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from melanoscope.data.pixel_store import PixelStore


def example_catalog(n: int = 300, seed: int = 0) -> pl.DataFrame:
    """Draw photographs of n / 3 patients, among whom age foretells the outcome in part."""
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.4).astype(np.int8)
    patient = rng.integers(0, n // 3, n)
    age = np.where(rng.random(n) < 0.1, np.nan, rng.normal(50 + 8 * target, 15).clip(1, 99))
    return pl.DataFrame(
        {
            "image_id": [f"I{i:04d}" for i in range(n)],
            "path": [f"I{i:04d}.jpg" for i in range(n)],
            "dataset": np.where(rng.random(n) < 0.5, "a", "b"),
            "center": np.where(patient % 2, "rosendahl", "vidir"),
            "patient_id": [f"P{p}" if p % 7 else None for p in patient],
            "lesion_id": [f"L{i}" for i in range(n)],
            "group_id": [f"P{p}" if p % 7 else f"I{i:04d}" for i, p in enumerate(patient)],
            "sex": np.where(rng.random(n) < 0.5, "male", "female"),
            "age": pl.Series(age).fill_nan(None),
            "site": rng.choice(["torso", "head/neck", "unknown"], n),
            "diagnosis": np.where(target == 1, "melanoma", "nevus"),
            "target": target,
            "image_type": pl.Series([None] * n, dtype=pl.String),
        }
    )


def store_of(
    image_ids: Sequence[str], pixels: np.ndarray, contents: dict[str, str] | None = None
) -> PixelStore:
    """Hold the images in reverse, so that only their ids tell which is which."""
    row_of = {name: row for row, name in enumerate(reversed(image_ids))}
    # Every file is another one, unless a test says so.
    contents = {name: name for name in image_ids} | (contents or {})
    return PixelStore(pixels[::-1], row_of, unreadable={}, contents=contents, n_decoded=0)
