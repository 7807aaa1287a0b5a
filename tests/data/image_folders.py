"""Folders of drawn photographs, and what the scan finds in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from melanoscope.data.sources.image_files import find_image_files


def find(folder: Path, *names: str | None) -> list[str | None]:
    """Find files; return them as paths from `folder`."""
    paths = find_image_files(folder, pl.Series(names, dtype=pl.String)).paths
    return [path and str(Path(path).relative_to(folder)) for path in paths]


def notes(folder: Path, *names: str) -> str:
    return "\n".join(find_image_files(folder, pl.Series(names)).notes)


def lay(folder: Path, *files: str) -> Path:
    """Put files there, each of its own content."""
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.encode())
    return folder


def paint(path: Path, seed: int = 0) -> Image.Image:
    """Draw something with large forms, of which resized copies are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    forms = np.random.default_rng(seed).integers(80, 180, (4, 5, 3), dtype=np.uint8)
    picture = Image.fromarray(forms).resize((160, 120), Image.Resampling.BICUBIC)
    picture.save(path)
    return picture


def mask(path: Path, size: tuple[int, int] = (160, 120), mode: str = "L") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.new(mode, size)
    picture.paste("white", (40, 30, 110, 90))
    picture.save(path)
