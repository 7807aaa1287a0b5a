"""What was found in photographs is kept for their content, not for their names."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from melanoscope.benchmark.photo_checks import check_photos
from melanoscope.data.archive import ROW_SCHEMA
from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import PixelStore


@pytest.fixture
def usable() -> Catalog:
    rows = [
        {"image_id": name, "dataset": "a", "sex": "female", "site": "torso", "target": 0}
        for name in ("x", "y", "z")
    ]
    frame = pl.DataFrame(rows, schema=ROW_SCHEMA).with_columns(group_id="image_id")
    return Catalog(frame.with_columns(path=pl.lit("DSC_0000.jpg")))


def store(seed: int) -> PixelStore:
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 128, 128, 3), np.uint8)
    return PixelStore(pixels, {"x": 0, "y": 1, "z": 3}, {"broken": "torn"}, {}, 0)


def test_other_content_of_the_same_names_is_looked_at_anew(usable, tmp_path):
    asked = []

    def read() -> PixelStore:
        asked.append("asked")
        return store(len(asked))

    contents = {"x": "1", "y": "2", "z": "3"}
    first = check_photos(usable, contents, tmp_path, read)
    again = check_photos(usable, contents, tmp_path, read)
    assert asked == ["asked"]
    assert np.array_equal(first.skin, again.skin, equal_nan=True)
    check_photos(usable, contents | {"z": "4"}, tmp_path, read)
    assert len(asked) == 2


@pytest.mark.parametrize("name", ["skin.parquet", "near_duplicates.parquet", "files.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_what_was_kept_and_is_damaged_is_found_anew(usable, tmp_path, name, damage):
    asked = []

    def read() -> PixelStore:
        asked.append("asked")
        return store(1)

    contents = {"x": "1", "y": "2", "z": "3"}
    first = check_photos(usable, contents, tmp_path, read)
    (file,) = tmp_path.rglob(name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(content if damage == "flip" else content[:20])
    (file.parent / ".skin.parquet.1.partial").touch()  # as a kill leaves it
    again = check_photos(usable, contents, tmp_path, read)
    assert len(asked) == 2
    assert np.array_equal(first.skin, again.skin, equal_nan=True)
    check_photos(usable, contents, tmp_path, read)
    assert len(asked) == 2
    assert not list(tmp_path.rglob("*.partial"))
