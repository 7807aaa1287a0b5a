"""An archive's table as text, and its folder as names of photographs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from melanoscope.errors import DataError, nearest
from melanoscope.imaging.decode import SUFFIXES


def find_table(folder: str | Path, names: Sequence[str], kind: str) -> Path:
    """Return the first of the tables `names` that the `folder` of the archive `kind` holds."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"the folder of {kind}", f"no folder at '{folder}'", "check the path")
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"{' or '.join(names)} in '{folder}'",
        "neither" if len(names) > 1 else "no such file",
        f"put the table of {kind} beside its photographs",
    )


def read_table(
    path: Path, columns: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Read a CSV as text; `columns` and `optional`, which may lack, map our names to the file's."""
    try:
        frame = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"a CSV table at '{path}'", reason, "check the file") from None
    for name in columns.values():
        if name not in frame.columns:
            raise DataError(
                f"a column '{name}' in '{path}'",
                f"none so named ({nearest(name, frame.columns)})",
                "rename or add it",
            )
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None, pl.String)).alias(ours)
        for ours, name in {**columns, **(optional or {})}.items()
    )


def index_images(folder: Path) -> dict[str, str]:
    """Map the stem of each photograph below `folder` to its path."""
    found: dict[str, Path] = {}
    for path in sorted(_files_below(folder)):
        if path.suffix.lower() not in SUFFIXES:
            continue
        other = found.setdefault(path.stem, path)
        # Copies of one size are taken as one: some downloads of HAM10000 hold every folder twice.
        if other is not path and other.stat().st_size != path.stat().st_size:
            raise DataError(
                f"one photograph named '{path.stem}'",
                f"'{other}' and '{path}'",
                "remove one of them",
            )
    return {stem: str(path) for stem, path in found.items()}


def _files_below(folder: Path) -> Iterator[Path]:
    """Walk through linked folders too: large archives are often kept elsewhere and linked to."""
    visited: set[str] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(here)
        if real in visited:
            folders.clear()
            continue
        visited.add(real)
        folders.sort()
        yield from (Path(here, name) for name in names)
