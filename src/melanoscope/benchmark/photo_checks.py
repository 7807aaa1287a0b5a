"""Near-duplicates and skin tone of the photographs, found once and kept in the cache.

Finding them takes minutes on a whole archive, and a run taken up again sees the same photographs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.atomic import remove_partials
from melanoscope.audit import near_duplicates
from melanoscope.audit.near_duplicates import NearDuplicate, find_near_duplicates
from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import PixelStore
from melanoscope.data.skin_tone import individual_typology_angle
from melanoscope.errors import RunError
from melanoscope.locks import lock_file
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.runs.file_records import find_damage, record_files
from melanoscope.runs.files import PAIR_COLUMNS, read_json, write_json, write_table

# Part of the name of what is kept: raise it when either of the two would find something else.
_VERSION = 2
_CHUNK = 256
_PAIRS, _SKIN, _RECORDS = "near_duplicates.parquet", "skin.parquet", "files.json"


@dataclass(frozen=True, eq=False)
class PhotoChecks:
    """Near-duplicates of a catalog, and the skin's angle (ITA) in degrees, shape (n,), or NaN."""

    near_duplicates: tuple[NearDuplicate, ...]
    skin: NDArray[np.float64]

    def pairs(self) -> pl.DataFrame:
        """Return the near-duplicates as a table, for near_duplicates.parquet."""
        rows = [(p.a, p.b, p.likeness, p.relation) for p in self.near_duplicates]
        return pl.DataFrame(rows, schema=dict(PAIR_COLUMNS), orient="row")


def check_photos(
    usable: Catalog,
    contents: Mapping[str, str],
    cache: Path,
    open_store: Callable[[], PixelStore],
) -> PhotoChecks:
    """Find near-duplicates and skin tones, or read from the cache what was found before."""
    # What is kept belongs to the files' `contents` (hashes by image id), not to their names.
    image_ids = usable.frame["image_id"].to_list()
    identity = f"{_VERSION}\0{near_duplicates.THRESHOLD}\0{usable.fingerprint(contents)}"
    folder = cache / "photo_checks" / hashlib.sha256(identity.encode()).hexdigest()[:16]
    with explain_machine_faults(cache):
        folder.mkdir(parents=True, exist_ok=True)
    # A second process waits, and finds everything done.
    with lock_file(folder / ".lock", wait=True):
        remove_partials(folder)
        return _read(folder, usable) or _find(folder, image_ids, open_store)


def _read(folder: Path, usable: Catalog) -> PhotoChecks | None:
    """Read what was found before; None where nothing was, or its files are damaged."""
    try:
        records = read_json(folder / _RECORDS)
    except RunError:
        return None
    if find_damage(folder, records, (_PAIRS, _SKIN)):
        return None
    pairs, skin = pl.read_parquet(folder / _PAIRS), pl.read_parquet(folder / _SKIN)
    # By id: the fingerprint does not depend on the order of rows.
    rows = usable.frame.select("image_id").join(
        skin, on="image_id", how="left", maintain_order="left"
    )
    return PhotoChecks(
        near_duplicates=tuple(NearDuplicate(*row) for row in pairs.iter_rows()),
        skin=rows["ita"].to_numpy(),
    )


def _find(folder: Path, image_ids: list[str], open_store: Callable[[], PixelStore]) -> PhotoChecks:
    """Look at the photographs, and keep in `folder` what was found, with its checksums."""
    store = open_store()
    # Some at a time: a copy of a whole archive may not fit in memory.
    parts = [image_ids[start : start + _CHUNK] for start in range(0, len(image_ids), _CHUNK)]
    angles = [individual_typology_angle(store.images(part)).angle for part in parts]
    checks = PhotoChecks(
        near_duplicates=find_near_duplicates(store.pixels, image_ids, rows=store.rows(image_ids)),
        skin=np.concatenate(angles),
    )
    with explain_machine_faults(folder):
        write_table(folder / _PAIRS, checks.pairs())
        write_table(folder / _SKIN, pl.DataFrame({"image_id": image_ids, "ita": checks.skin}))
        write_json(folder / _RECORDS, record_files(folder, (_PAIRS, _SKIN)))
    return checks
