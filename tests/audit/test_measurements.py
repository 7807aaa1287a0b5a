"""Measurements of images whose values are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from melanoscope.audit.measurements import measure_images
from melanoscope.imaging.decode import write_image

from .examples import store_of


def test_measurements_of_known_pictures(tmp_path: Path) -> None:
    red = np.zeros((40, 60, 3), np.uint8)
    red[..., 0] = 200
    write_image(tmp_path / "red.jpg", red, quality=95)
    dark = np.full((64, 64, 3), 180, np.uint8)
    dark[:8, :8] = 0
    square = np.zeros((64, 64, 3), np.uint8)
    square[..., 0] = 200
    frame = pl.DataFrame({"image_id": ["red", "dark"], "path": [str(tmp_path / "red.jpg")] * 2})
    found = measure_images(frame, store_of(["red", "dark"], np.stack([square, dark])))
    assert found["width"].to_list() == [60, 60]
    assert found["aspect"][0] == 1.5
    assert found["saturation"][0] == 1
    assert found["mean red"][0] == 200
    assert found["spread green"][0] == 0
    assert found["dark corners"].to_list() == [0.0, 0.25]
    assert found["brightness"][0] == pytest.approx(200 / 255)


def test_vignette(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "white").save(tmp_path / "one.png")
    axis = np.linspace(-1, 1, 64)
    round_view = np.where(np.hypot(axis[:, None], axis) > 1, 0, 204).astype(np.uint8)
    even = np.full((64, 64), 204, np.uint8)
    pixels = np.repeat(np.stack([round_view, even])[..., None], 3, axis=-1)
    frame = pl.DataFrame({"image_id": ["round", "even"], "path": [str(tmp_path / "one.png")] * 2})
    found = measure_images(frame, store_of(["round", "even"], pixels))
    assert found["image_id"].to_list() == ["round", "even"]
    assert found["vignette"].to_list() == pytest.approx([0.8, 0.0])
