"""What a catalog holds, in numbers: the answer of ``melanoscope data summary``."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import Progress
from melanoscope.imaging.decode import why_unreadable

_AGE_EDGES = (20.0, 40.0, 60.0, 80.0)
_AGE_BANDS = ("under 20", "20-39", "40-59", "60-79", "80 and over")


def find_unreadable(catalog: Catalog, progress: Progress | None = None) -> dict[str, str]:
    """Decode every present photograph once, at the least cost, and say why some cannot be.

    Returns:
        Image id -> reason.
    """
    present = catalog.present.frame
    ids, paths = present["image_id"].to_list(), [Path(p) for p in present["path"]]
    unreadable: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (name, why) in enumerate(
            zip(ids, pool.map(why_unreadable, paths), strict=True), start=1
        ):
            if why:
                unreadable[name] = why
            if progress is not None and (done % 50 == 0 or done == len(ids)):
                progress(done, len(ids))
    return unreadable


def summarize(catalog: Catalog, unreadable: dict[str, str]) -> dict[str, Any]:
    """Count rows, files and what is known of them, over all rows and over the usable ones.

    Args:
        catalog: Every row of the tables.
        unreadable: Image id -> reason, as `find_unreadable` gives.
    """
    usable = catalog.present.without(unreadable)
    paths = dict(catalog.present.frame.select("image_id", "path").iter_rows())
    return {
        "rows": len(catalog),
        "melanomas": _melanomas(catalog.frame),
        "found": len(catalog.present),
        "absent": len(catalog.absent),
        "absent_ids": catalog.absent,
        "unreadable": [
            {"image_id": name, "path": paths[name], "reason": why}
            for name, why in sorted(unreadable.items())
        ],
        "listed_twice": len(catalog.listed_twice),
        "all_rows": _counts(catalog.frame),
        "usable": _counts(usable.frame),
    }


def _counts(frame: pl.DataFrame) -> dict[str, Any]:
    bands = [
        "unknown" if age is None else _AGE_BANDS[bisect_right(_AGE_EDGES, age)]
        for age in frame["age"]
    ]
    banded = frame.with_columns(age_band=pl.Series(bands, dtype=pl.String))
    ages = frame["age"].drop_nulls()
    return {
        "photographs": frame.height,
        "melanomas": _melanomas(frame),
        "patients": frame["patient_id"].drop_nulls().n_unique(),
        "lesions": frame["lesion_id"].drop_nulls().n_unique(),
        "groups": frame["group_id"].n_unique(),
        "dataset": _by(frame, "dataset"),
        "diagnosis": _by(frame, "diagnosis"),
        "sex": _by(frame, "sex"),
        "site": _by(frame, "site"),
        "age": _by(banded, "age_band", order=(*_AGE_BANDS, "unknown")),
        "median_age": None if ages.is_empty() else ages.median(),
    }


def _by(
    frame: pl.DataFrame, column: str, order: Sequence[str] | None = None
) -> dict[str, dict[str, int]]:
    table = frame.group_by(column).agg(
        photographs=pl.len(), melanomas=pl.col("target").cast(pl.Int64).sum()
    )
    table = table.sort(["photographs", column], descending=[True, False])
    counts = {
        str(name): {"photographs": n, "melanomas": m}
        for name, n, m in table.select(column, "photographs", "melanomas").iter_rows()
    }
    return counts if order is None else {word: counts[word] for word in order if word in counts}


def _melanomas(frame: pl.DataFrame) -> int:
    return int(frame["target"].cast(pl.Int64).sum())
