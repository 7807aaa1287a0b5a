"""Everything suspicious about photographs and their tables, in one document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.audit.associations import Association, associations
from melanoscope.audit.measurements import measure_images
from melanoscope.audit.near_duplicates import find_near_duplicates
from melanoscope.audit.split_leakage import (
    Copies,
    SplitLeakage,
    describe_pairs,
    random_split_leakage,
    same_files,
    same_pixels,
)
from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.errors import DataError
from melanoscope.stats.subgroups.source_balanced_auroc import archive_only_auroc

PX = 128


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found.

    Attributes:
        rows: Of the archives' tables.
        absent: Without a file.
        photographs: Looked at.
        melanomas: Among them.
        archives: Name -> photographs and melanomas.
        unreadable: Image id -> reason.
        same_files: Ids of files equal byte for byte.
        same_pixels: Ids of files that differ, but not in a pixel.
        copies: Near-duplicates, conflicts first.
        leaks: Of a split by photograph.
        archive_auroc: AUROC of guessing by the archive's prevalence; None with one archive.
        associations: Of the outcome, strongest first.
        paths: Image id -> file, of the copies.
    """

    rows: int
    absent: int
    photographs: int
    melanomas: int
    archives: dict[str, tuple[int, int]]
    unreadable: dict[str, str]
    same_files: tuple[tuple[str, ...], ...]
    same_pixels: tuple[tuple[str, ...], ...]
    copies: tuple[Copies, ...]
    leaks: tuple[SplitLeakage, ...]
    archive_auroc: float | None
    associations: tuple[Association, ...]
    paths: dict[str, str]


def audit(
    catalog: Catalog, cache: Path, progress: Callable[[int, int], None] | None = None
) -> Audit:
    """Look at every photograph that has a file.

    Args:
        catalog: Of the archives' tables.
        cache: Folder of decoded photographs.
        progress: Told of decoded photographs.

    Raises:
        DataError: No readable photograph.
    """
    store = open_pixel_store(catalog, PX, cache, progress=progress)
    usable = catalog.with_files.without(store.unreadable)
    if not len(usable):
        raise DataError("readable photographs", "none", "see melanoscope data summary")
    frame = usable.frame
    ids = frame["image_id"].to_list()
    pixels = store.images(ids)
    pairs = find_near_duplicates(pixels, ids)
    copies = [(pair.a, pair.b) for pair in pairs]
    joined = usable.merge_groups(copies)
    equal = same_files(frame)
    target = frame["target"].to_numpy().astype(np.int64)
    both = np.unique(target).size == 2
    found = describe_pairs(frame, pairs)
    named = {name for pair in found for name in (pair.a, pair.b)}
    paths = dict(frame.select("image_id", "path").iter_rows())
    return Audit(
        len(catalog),
        len(catalog.ids_without_file),
        frame.height,
        int(target.sum()),
        _archives(frame),
        store.unreadable,
        equal,
        same_pixels(frame, pixels, equal),
        found,
        random_split_leakage(frame, joined.frame, copies=copies),
        _shortcut(frame, target) if both else None,
        associations(frame, measure_images(pixels, frame["path"].to_list())) if both else (),
        {name: paths[name] for name in sorted(named)},
    )


def _archives(frame: pl.DataFrame) -> dict[str, tuple[int, int]]:
    table = frame.group_by("dataset").agg(
        pl.len().alias("n"), pl.col("target").cast(pl.Int64).sum().alias("m")
    )
    return {str(name): (int(n), int(m)) for name, n, m in table.sort("dataset").iter_rows()}


def _shortcut(frame: pl.DataFrame, target: np.ndarray) -> float | None:
    if frame["dataset"].n_unique() < 2:
        return None
    return archive_only_auroc(target, frame["dataset"].to_numpy())
