"""Everything suspicious about photographs and their tables, in one document."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from melanoscope.audit.associations import Association, find_associations
from melanoscope.audit.measurements import measure_images
from melanoscope.audit.near_duplicates import find_near_duplicates
from melanoscope.audit.split_leakage import (
    DuplicatePair,
    SplitLeakage,
    describe_pairs,
    random_split_leakage,
    same_files,
    same_pixels,
)
from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import ProgressCallback, open_pixel_store
from melanoscope.data.sources import ARCHIVES
from melanoscope.errors import DataError
from melanoscope.stats.subgroups.source_balanced_auroc import archive_only_auroc
from melanoscope.target import Target

_IMAGE_SIZE = 128


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found."""

    rows: int  # of the archives' tables
    absent: int  # of them without a file
    photographs: int  # readable ones, which were looked at
    positives: int
    target: Target  # which of them count as positive
    unlabelled: dict[str, int]  # rows without a label, which were left out, by reason
    notes: tuple[str, ...]  # what the readers say of their tables
    never_read: dict[str, tuple[str, ...]]  # columns that give the diagnosis away, by archive
    archives: dict[str, tuple[int, int]]  # photographs and positives by archive
    licences: dict[str, list[str]]  # terms that the rows state, by archive
    unreadable: dict[str, str]  # why, by image id
    same_files: tuple[tuple[str, ...], ...]  # groups of ids whose files are equal byte for byte
    same_pixels: tuple[tuple[str, ...], ...]  # groups whose files differ, but not in a pixel
    copies: tuple[DuplicatePair, ...]  # near-duplicates, those with two labels first
    leaks: tuple[SplitLeakage, ...]
    archive_auroc: float | None  # of guessing by the archive's prevalence; None with one archive
    associations: tuple[Association, ...]  # the strongest first
    paths: dict[str, str]  # files of the near-duplicates, by image id


def run_audit(catalog: Catalog, cache: Path, progress: ProgressCallback | None = None) -> Audit:
    """Look at every photograph that has a file.

    Args:
        catalog: Photographs of the archives' tables.
        cache: Folder of decoded photographs.
        progress: Called with the number of decoded photographs and their total.

    Returns:
        Near-duplicates, leaks, shortcuts and associations of the readable photographs.

    Raises:
        DataError: No readable photograph.
    """
    store = open_pixel_store(catalog, _IMAGE_SIZE, cache, progress=progress)
    usable = catalog.with_files.without(store.unreadable)
    if not len(usable):
        raise DataError("readable photographs", "none", "see melanoscope data summary")
    frame = usable.frame
    ids = frame["image_id"].to_list()
    pairs = find_near_duplicates(store.pixels, ids, rows=store.rows(ids))
    equal_files = same_files(store)
    has_both_classes = frame["target"].n_unique() == 2
    by_archive = frame.group_by("dataset").agg(pl.len(), pl.col("target").sum()).sort("dataset")
    paired = {image_id for pair in pairs for image_id in (pair.a, pair.b)}
    paths = frame.filter(pl.col("image_id").is_in(paired)).sort("image_id")
    return Audit(
        rows=len(catalog),
        absent=len(catalog.ids_without_file),
        photographs=len(usable),
        positives=int(frame["target"].sum()),
        target=catalog.target,
        unlabelled=dict(catalog.unlabelled["unlabelled"].value_counts(sort=True).rows()),
        notes=(*catalog.notes, *(note for table in catalog.tables for note in table.notes)),
        never_read={
            table.kind: leaks
            for table in catalog.tables
            if table.kind in ARCHIVES and (leaks := ARCHIVES[table.kind].leaks)
        },
        archives={name: (n, positives) for name, n, positives in by_archive.iter_rows()},
        licences=dict(
            frame.drop_nulls("license")
            .group_by("dataset", maintain_order=True)
            .agg(pl.col("license").unique().sort())
            .rows()
        ),
        unreadable=store.unreadable,
        same_files=equal_files,
        same_pixels=same_pixels(frame, store, equal_files),
        copies=describe_pairs(frame, pairs),
        leaks=random_split_leakage(usable, [(pair.a, pair.b) for pair in pairs]),
        archive_auroc=(
            archive_only_auroc(frame["target"].to_numpy(), frame["dataset"].to_numpy())
            if has_both_classes and by_archive.height > 1
            else None
        ),
        associations=(
            find_associations(frame, measure_images(frame, store)) if has_both_classes else ()
        ),
        paths=dict(paths.select("image_id", "path").iter_rows()),
    )
