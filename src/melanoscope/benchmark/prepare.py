"""From archives to what the cells need: photographs, folds, and what was noticed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.benchmark.plan import Plan
from melanoscope.benchmark.protocol import divide
from melanoscope.data.audit.near_duplicates import NearPair, find_near_duplicates
from melanoscope.data.catalog import Catalog, build_catalog
from melanoscope.data.pixels import PixelStore, open_store
from melanoscope.data.skin_tone import individual_typology_angle
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
class Prepared:
    """Data, folds and pixels of a plan.

    Attributes:
        catalog: Every row of the archives' tables.
        usable: Those whose photograph can be decoded, in the order of `arrays` and `folds`.
        unreadable: Image id -> reason.
        arrays: What a network sees.
        folds: Per repeat, each photograph's fold.
        near_duplicates: Pairs of photographs that show the same picture.
        skin: Individual typology angle in degrees of each photograph, NaN where not estimable.
    """

    catalog: Catalog
    usable: Catalog
    unreadable: dict[str, str]
    arrays: LesionArrays
    folds: list[NDArray[np.int64]]
    near_duplicates: tuple[NearPair, ...]
    skin: NDArray[np.float64]

    def table(self) -> pl.DataFrame:
        """The usable photographs with their folds and skin tone, for catalog.parquet."""
        columns = [pl.Series(f"fold_r{r}", f) for r, f in enumerate(self.folds)]
        skin = pl.Series("ita", self.skin).fill_nan(None)
        return self.usable.frame.with_columns(*columns, skin)

    def pairs(self) -> pl.DataFrame:
        """The near-duplicates, for near_duplicates.parquet."""
        schema = {"a": pl.String, "b": pl.String, "likeness": pl.Float64, "relation": pl.String}
        rows = [(p.a, p.b, p.likeness, p.relation) for p in self.near_duplicates]
        return pl.DataFrame(rows, schema=schema, orient="row")


def prepare(plan: Plan, cache: Path, display: Decoding) -> Prepared:
    """Read the archives, decode the photographs, find near-duplicates, divide into folds.

    Raises:
        DataError: The archives, photographs or folds are not what the plan needs.
    """
    catalog = build_catalog(read_sources(plan.data, cache))
    store = open_store(catalog, plan.size, cache, progress=display.decoding)
    usable = catalog.present.without(store.unreadable)
    if not len(usable):
        raise DataError("readable photographs", "none", "see melanoscope data summary")
    ids = usable.frame["image_id"].to_list()
    seen = _judged(catalog, store, plan.size, cache, display, ids)
    pairs = find_near_duplicates(seen, ids)
    if plan.near_duplicates:
        usable = usable.joined([(pair.a, pair.b) for pair in pairs])
    frame = usable.frame
    groups, targets = frame["group_id"].to_list(), frame["target"].to_numpy()
    folds = [
        divide(plan.protocol, groups, targets, plan.folds, plan.seed + repeat)
        for repeat in range(plan.repeats)
    ]
    return Prepared(
        catalog,
        usable,
        store.unreadable,
        arrays_of(frame, store),
        folds,
        tuple(pairs),
        individual_typology_angle(seen).angle,
    )


def _judged(
    catalog: Catalog,
    store: PixelStore,
    size: int,
    cache: Path,
    display: Decoding,
    ids: Sequence[str],
) -> NDArray[np.uint8]:
    if size != AUDIT_PX:
        store = open_store(catalog, AUDIT_PX, cache, progress=display.decoding)
    return store.pixels[store.rows(ids)]
