"""What can be measured of a photograph without looking at the lesion: geometry, colour, corners."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from melanoscope.imaging.decode import image_dimensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Corners darker than this, of 255, are the dermoscope's.
_DARK = 40


def measure_images(pixels: NDArray[np.uint8], paths: Sequence[str]) -> pl.DataFrame:
    """Measure photographs.

    Args:
        pixels: Decoded squares, shape (n, px, px, 3).
        paths: Their files, length n.

    Returns:
        One row per photograph: width and height in pixels (EXIF orientation applied), aspect,
        file size in bytes, dark corners (share of the four corners that are dark), vignette (how
        much darker it is outside the largest circle than within, as part of the range, below 0
        where it is brighter), brightness (largest channel, 0..1), saturation (0..1), and mean and
        standard deviation of each channel (0..255).
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sizes = list(pool.map(image_dimensions, map(Path, paths)))
    axis = np.linspace(-1, 1, pixels.shape[1])
    outside = np.hypot(axis[:, None], axis) > 1
    colours = [_colours(one, outside) for one in pixels]
    frame = pl.DataFrame(
        {
            "width": [float(w) for w, _ in sizes],
            "height": [float(h) for _, h in sizes],
            "aspect": [w / h for w, h in sizes],
            "file size": [float(Path(p).stat().st_size) for p in paths],
        }
    )
    return frame.hstack(pl.DataFrame(colours))


def _colours(one: NDArray[np.uint8], outside: NDArray[np.bool_]) -> dict[str, float]:
    part = max(one.shape[0] // 10, 1)
    corners = [
        one[y, x].mean()
        for y in (slice(part), slice(-part, None))
        for x in (slice(part), slice(-part, None))
    ]
    flat = one.reshape(-1, 3).astype(np.float32)
    top, low = flat.max(axis=1), flat.min(axis=1)
    saturation = np.divide(top - low, top, out=np.zeros_like(top), where=top > 0)
    means, spreads = flat.mean(axis=0), flat.std(axis=0)
    return {
        "dark corners": float(np.mean(np.array(corners) < _DARK)),
        "vignette": float((one[~outside].mean() - one[outside].mean()) / 255),
        "brightness": float(top.mean() / 255),
        "saturation": float(saturation.mean()),
        **{f"mean {c}": float(m) for c, m in zip(("red", "green", "blue"), means, strict=True)},
        **{f"spread {c}": float(s) for c, s in zip(("red", "green", "blue"), spreads, strict=True)},
    }
