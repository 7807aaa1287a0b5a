"""From archives to what the cells need: photographs, folds, and what was found in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.photo_checks import PhotoChecks, check_photos
from melanoscope.benchmark.splits import Split, assign_protocol_folds, split_catalog, take_share
from melanoscope.data.archive import ReadOptions
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.pixel_store import PixelStore, open_pixel_store
from melanoscope.data.sources import read_sources
from melanoscope.data.sources.image_files import refuse_without_files
from melanoscope.errors import DataError
from melanoscope.progress import RunProgress
from melanoscope.runs.files import fold_column
from melanoscope.seeds import Purpose, derive_seed
from melanoscope.training.batches import LesionArrays, arrays_of

# Near-duplicates and skin are judged at one size, whatever the networks see.
_CHECK_SIZE = 128


@dataclass(frozen=True, eq=False)
class Dataset:
    """Photographs, folds and pixels of a run.

    Attributes:
        config: Configuration of the run.
        catalog: Every row of the archives' tables.
        usable: The rows whose photograph can be decoded.
        unreadable: Image id -> why its file cannot be decoded.
        contents: Image id -> hash of the file that was decoded.
        arrays: What a network sees of the usable photographs, row by row.
        folds: For each repeat, the fold of each usable photograph, shape (n,).
        checks: Near-duplicates and skin tone of the usable photographs.
    """

    config: BenchmarkConfig
    catalog: Catalog
    usable: Catalog
    unreadable: dict[str, str]
    contents: dict[str, str]
    arrays: LesionArrays
    folds: list[NDArray[np.int64]]
    checks: PhotoChecks

    def table(self) -> pl.DataFrame:
        """Return the usable photographs with content, folds and skin tone, for catalog.parquet."""
        folds = [pl.Series(fold_column(repeat), f) for repeat, f in enumerate(self.folds)]
        skin = pl.Series("ita", self.checks.skin).fill_nan(None)
        ids = self.usable.frame["image_id"]
        content = pl.Series("content", [self.contents[name] for name in ids], pl.String)
        return self.usable.frame.with_columns(content, *folds, skin)

    def split(self, repeat: int, fold: int, draw: int = 0) -> Split:
        """Divide the usable photographs for a `fold` of a `repeat`, the same for every network.

        Args:
            repeat: Division into folds, from 0.
            fold: Fold of that division, from 0.
            draw: Which draw of the training groups, from 0: the cell's seed_index. Without effect
                where all of them take part.

        Returns:
            The parts; that for testing is whole at any share.
        """
        seed = self.config.seed
        whole = split_catalog(
            self.config.protocol,
            self.usable.frame,
            self.folds[repeat],
            fold,
            self.config.train.validation_fraction,
            derive_seed(seed, Purpose.VALIDATION, repeat=repeat, fold=fold),
        )
        if self.config.share == 1:
            return whole
        order = derive_seed(seed, Purpose.SHARE, repeat=repeat, fold=fold, seed_index=draw)
        return take_share(whole, self.usable.frame, self.config.share, order)


def prepare_dataset(config: BenchmarkConfig, cache: Path, progress: RunProgress) -> Dataset:
    """Read the archives, decode the photographs, find near-duplicates, divide into folds.

    Args:
        config: Configuration of the run.
        cache: Folder of decoded photographs and of what was found in them.
        progress: Shows how many photographs are decoded.

    Returns:
        Everything that the cells need.

    Raises:
        DataError: The archives, photographs or folds are not what the configuration needs.
    """
    tables = read_sources(config.data, ReadOptions(cache, config.columns, config.image_types))
    refuse_without_files(tables)
    catalog = build_catalog(tables, config.target)
    store = open_pixel_store(catalog, config.image_size, cache, progress=progress.decoding)
    usable = readable = catalog.with_files.without(store.unreadable)
    if not len(usable):
        raise DataError("readable photographs", "none", "see melanoscope data summary")

    def judged() -> PixelStore:
        if config.image_size == _CHECK_SIZE:
            return store
        return open_pixel_store(
            readable, _CHECK_SIZE, cache, progress=progress.decoding, contents=store.contents
        )

    checks = check_photos(usable, store.contents, cache, judged)
    if config.near_duplicates:
        usable = usable.merge_groups([(pair.a, pair.b) for pair in checks.near_duplicates])
    frame = usable.frame
    groups, targets = frame["group_id"].to_list(), frame["target"].to_numpy()
    folds = [
        assign_protocol_folds(
            config.protocol, groups, targets, config.folds, seed=config.seed, repeat=repeat
        )
        for repeat in range(config.repeats)
    ]
    return Dataset(
        config=config,
        catalog=catalog,
        usable=usable,
        unreadable=store.unreadable,
        contents=store.contents,
        arrays=arrays_of(frame, store),
        folds=folds,
        checks=checks,
    )
