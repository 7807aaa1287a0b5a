"""Near-duplicates and skin tone: what is noticed of the photographs, and kept in the cache.

Looking takes minutes on a whole archive, and a run taken up again sees the same photographs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.audit import near_duplicates
from melanoscope.audit.near_duplicates import NearDuplicate, find_near_duplicates
from melanoscope.data.catalog import Catalog
from melanoscope.data.skin_tone import individual_typology_angle
from melanoscope.runs.run_folder import refuse_full_disk, write_frame

# Part of the name of what is kept: raise it when either of the two would find something else.
VERSION = 1
_PAIRS = {"a": pl.String, "b": pl.String, "likeness": pl.Float64, "relation": pl.String}


@dataclass(frozen=True)
class PhotoChecks:
    """What was noticed.

    Attributes:
        near_duplicates: Pairs of photographs that show the same picture.
        skin: Individual typology angle in degrees of each photograph, NaN where not estimable.
    """

    near_duplicates: tuple[NearDuplicate, ...]
    skin: NDArray[np.float64]

    def pairs(self) -> pl.DataFrame:
        """The near-duplicates, for near_duplicates.parquet."""
        rows = [(p.a, p.b, p.likeness, p.relation) for p in self.near_duplicates]
        return pl.DataFrame(rows, schema=_PAIRS, orient="row")


def check_photos(
    usable: Catalog, cache: Path, look: Callable[[], NDArray[np.uint8]]
) -> PhotoChecks:
    """Look at the photographs, or remember what was seen of them.

    Args:
        usable: The photographs.
        cache: Folder where it is kept, under the fingerprint of the photographs.
        look: Gives their pixels, row by row of the catalog; only called when nothing is kept.

    Raises:
        RunError: The disk is full.
    """
    ids = usable.frame["image_id"].to_list()
    said = f"{VERSION}\0{near_duplicates.THRESHOLD}\0{usable.fingerprint()}"
    place = cache / "noticed" / hashlib.sha256(said.encode()).hexdigest()[:16]
    kept = place / "near_duplicates.parquet", place / "skin.parquet"
    if all(file.is_file() for file in kept):
        pairs, skin = (pl.read_parquet(file) for file in kept)
        # The fingerprint does not depend on the order of rows.
        order = pl.DataFrame({"image_id": ids}).join(skin, on="image_id", maintain_order="left")
        return PhotoChecks(
            tuple(NearDuplicate(*row) for row in pairs.iter_rows()), order["ita"].to_numpy()
        )
    pixels = look()
    found = PhotoChecks(
        tuple(find_near_duplicates(pixels, ids)), individual_typology_angle(pixels).angle
    )
    with refuse_full_disk(cache):
        place.mkdir(parents=True, exist_ok=True)
        write_frame(kept[0], found.pairs())
        write_frame(kept[1], pl.DataFrame({"image_id": ids, "ita": found.skin}))
    return found
