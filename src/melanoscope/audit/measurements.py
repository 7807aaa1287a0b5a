"""What can be measured of an image without looking at the lesion: geometry, colour, corners."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.data.pixel_store import PixelStore
from melanoscope.imaging.decode import image_dimensions
from melanoscope.threads import thread_pool

# Corners darker than this, of 255, are the dermoscope's.
_DARK = 40


def measure_images(catalog: pl.DataFrame, store: PixelStore) -> pl.DataFrame:
    """Measure the geometry and the colours of images, one row for each of `catalog`."""
    # Width and height are those of the upright image; file size is in bytes, brightness (largest
    # channel) and saturation 0 to 1, mean and spread of a channel 0 to 255. Dark corners: share of
    # the four that are dark. Vignette: how much darker it is outside the largest circle than
    # within, as part of the range.
    paths = [Path(p) for p in catalog["path"]]
    with thread_pool() as pool:
        sizes = list(pool.map(image_dimensions, paths))
    axis = np.linspace(-1, 1, store.image_size)
    outside = np.hypot(axis[:, None], axis) > 1
    rows = [
        {
            "image_id": image_id,
            "width": float(width),
            "height": float(height),
            "aspect": width / height,
            "file size": float(path.stat().st_size),
            **_measure_colors(store.pixels[store.row_of[image_id]], outside),
        }
        for image_id, path, (width, height) in zip(catalog["image_id"], paths, sizes, strict=True)
    ]
    return pl.DataFrame(rows)


def _measure_colors(image: NDArray[np.uint8], outside: NDArray[np.bool_]) -> dict[str, float]:
    size = max(image.shape[0] // 10, 1)
    corners = [
        image[y, x].mean()
        for y in (slice(size), slice(-size, None))
        for x in (slice(size), slice(-size, None))
    ]
    flat = image.reshape(-1, 3).astype(np.float32)
    top, low = flat.max(axis=1), flat.min(axis=1)
    saturation = np.divide(top - low, top, out=np.zeros_like(top), where=top > 0)
    channels, means, spreads = ("red", "green", "blue"), flat.mean(axis=0), flat.std(axis=0)
    return {
        "dark corners": float(np.mean(np.array(corners) < _DARK)),
        "vignette": float((image[~outside].mean() - image[outside].mean()) / 255),
        "brightness": float(top.mean() / 255),
        "saturation": float(saturation.mean()),
        **{f"mean {name}": float(m) for name, m in zip(channels, means, strict=True)},
        **{f"spread {name}": float(s) for name, s in zip(channels, spreads, strict=True)},
    }
