"""From archives to what the cells need: photographs, folds, and what was noticed on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.photo_checks import PhotoChecks, check_photos
from melanoscope.benchmark.splits import divide
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.pixel_store import open_pixel_store
from melanoscope.data.sources import read_sources
from melanoscope.errors import DataError
from melanoscope.training.batches import LesionArrays, arrays_of

# Near-duplicates and skin are judged at one size, whatever the networks see.
AUDIT_PX = 128


class Decoding(Protocol):
    """Told of photographs being decoded."""

    def decoding(self, done: int, total: int) -> None:
        """So many photographs of those not yet in the store are decoded."""


@dataclass(frozen=True)
class Dataset:
    """Data, folds and pixels of a plan.

    Attributes:
        catalog: Every row of the archives' tables.
        usable: Those whose photograph can be decoded, in the order of `arrays` and `folds`.
        unreadable: Image id -> reason.
        arrays: What a network sees.
        folds: Per repeat, each photograph's fold.
        noticed: Near-duplicates and skin tone.
    """

    catalog: Catalog
    usable: Catalog
    unreadable: dict[str, str]
    arrays: LesionArrays
    folds: list[NDArray[np.int64]]
    noticed: PhotoChecks

    def table(self) -> pl.DataFrame:
        """The usable photographs with their folds and skin tone, for catalog.parquet."""
        columns = [pl.Series(f"fold_r{r}", f) for r, f in enumerate(self.folds)]
        skin = pl.Series("ita", self.noticed.skin).fill_nan(None)
        return self.usable.frame.with_columns(*columns, skin)


def prepare_dataset(plan: BenchmarkConfig, cache: Path, display: Decoding) -> Dataset:
    """Read the archives, decode the photographs, find near-duplicates, divide into folds.

    Raises:
        DataError: The archives, photographs or folds are not what the plan needs.
    """
    catalog = build_catalog(read_sources(plan.data, cache))
    store = open_pixel_store(catalog, plan.size, cache, progress=display.decoding)
    usable = catalog.with_files.without(store.unreadable)
    if not len(usable):
        raise DataError("readable photographs", "none", "see melanoscope data summary")
    ids = usable.frame["image_id"].to_list()

    def look() -> NDArray[np.uint8]:
        judged = store
        if plan.size != AUDIT_PX:
            judged = open_pixel_store(catalog, AUDIT_PX, cache, progress=display.decoding)
        return judged.images(ids)

    noticed = check_photos(usable, cache, look)
    if plan.near_duplicates:
        usable = usable.merge_groups([(pair.a, pair.b) for pair in noticed.near_duplicates])
    frame = usable.frame
    groups, targets = frame["group_id"].to_list(), frame["target"].to_numpy()
    folds = [
        divide(plan.protocol, groups, targets, plan.folds, plan.seed + repeat)
        for repeat in range(plan.repeats)
    ]
    return Dataset(catalog, usable, store.unreadable, arrays_of(frame, store), folds, noticed)
