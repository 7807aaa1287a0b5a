"""A pixel store in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melanoscope.data.pixel_store import PixelStore


def store_of(image_ids: Sequence[str], pixels: np.ndarray) -> PixelStore:
    """Hold the images in reverse, so that only their ids tell which is which."""
    row_of = {name: row for row, name in enumerate(reversed(image_ids))}
    return PixelStore(pixels=pixels[::-1], row_of=row_of, unreadable={}, n_decoded=0)
