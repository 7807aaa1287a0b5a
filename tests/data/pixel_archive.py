"""Photographs on disk whose pixels a store must hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.pixel_store import PixelStore
from melanoscope.imaging.decode import read_image

PX = 16
KINDS = ("png", "jpg", "webp", "bmp", "tif")


class Archive:
    """Files on disk and their catalog."""

    def __init__(self, folder: Path, make_table, draw, count: int = 12) -> None:
        self.names = [f"i{n:03d}" for n in range(count)]
        self.paths = {
            name: draw(folder / f"{name}.{KINDS[n % len(KINDS)]}", n)
            for n, name in enumerate(self.names)
        }
        self.draw, self.make_table = draw, make_table

    @property
    def catalog(self) -> Catalog:
        rows = [{"image_id": name, "path": str(path)} for name, path in self.paths.items()]
        return build_catalog([self.make_table("a", [{"image_id": "absent"}, *rows])])


def check(
    store: PixelStore, archive: Archive, *unreadable: str, absent: Sequence[str] = ()
) -> None:
    """Every pixel is what reading the file gives; nothing else is offered."""
    names = [name for name in archive.names if name not in {*unreadable, *absent}]
    assert set(store.row_of) == set(names)
    assert set(store.unreadable) == set(unreadable)
    assert set(store.contents) == set(names)
    assert store.image_size == PX
    expected = np.stack([read_image(archive.paths[name], PX) for name in names])
    assert (store.pixels[store.rows(names)] == expected).all()
