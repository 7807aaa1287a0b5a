"""Small photographs and tables, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from melanoscope.data import pixel_store
from melanoscope.data.archive import ROW_SCHEMA, SourceTable
from melanoscope.data.vocabulary import MALIGNANCY

from .pixel_archive import Archive

MakeTable = Callable[..., SourceTable]


@pytest.fixture(scope="session")
def make_table() -> MakeTable:
    """Give a function that makes a table of one archive from what matters of its rows."""

    def make(
        kind: str,
        rows: list[Mapping[str, Any]],
        same: tuple[tuple[str, str], ...] = (),
        shared: bool = True,
    ) -> SourceTable:
        usual = {"dataset": kind, "sex": "female", "site": "torso", "target": 0}
        full = []
        for row in rows:
            one = {**usual, **row}
            one.setdefault("diagnosis", "melanoma" if one["target"] == 1 else "nevus")
            one.setdefault("malignancy", MALIGNANCY.get(one["diagnosis"]))
            full.append({column: one.get(column) for column in ROW_SCHEMA})
        frame = pl.DataFrame(full, schema=ROW_SCHEMA)
        return SourceTable(kind, frame, same, id_space="isic" if shared else None)

    return make


@pytest.fixture(scope="session")
def draw() -> Callable[..., Path]:
    """Give a function that writes a small photograph of noise."""

    def write(path: Path, seed: int = 0, size: tuple[int, int] = (24, 20), **options: Any) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path, **options)
        return path

    return write


@pytest.fixture
def archive(tmp_path, make_table, draw) -> Archive:
    return Archive(tmp_path / "archive", make_table, draw)


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def decoded(monkeypatch) -> list[str]:
    """Names of the files decoded from now on."""
    names: list[str] = []

    decode = pixel_store._decode

    def read(path: Path, *rest) -> str | None:
        names.append(path.stem)
        return decode(path, *rest)

    monkeypatch.setattr(pixel_store, "_decode", read)
    return names
