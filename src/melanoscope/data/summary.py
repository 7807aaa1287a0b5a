"""What a catalog holds, in numbers: the answer of ``melanoscope data summary``."""

from __future__ import annotations

import os
from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import ProgressCallback
from melanoscope.imaging.decode import why_unreadable

_AGE_EDGES = (20.0, 40.0, 60.0, 80.0)
_AGE_BANDS = ("under 20", "20-39", "40-59", "60-79", "80 and over")


def find_unreadable(catalog: Catalog, progress: ProgressCallback | None = None) -> dict[str, str]:
    """Decode every photograph that has a file once, at the least cost, and see which cannot be.

    Args:
        catalog: Photographs to decode.
        progress: Called after every 50 photographs and at the end.

    Returns:
        Why each unreadable photograph cannot be decoded, by image id.
    """
    frame = catalog.with_files.frame
    ids, paths = frame["image_id"].to_list(), [Path(p) for p in frame["path"]]
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
        catalog: Every row of the archives' tables.
        unreadable: Why photographs cannot be decoded, by image id, as `find_unreadable` gives.

    Returns:
        The document that ``melanoscope data summary --json`` prints.
    """
    with_files, absent = catalog.with_files, catalog.ids_without_file
    paths = dict(with_files.frame.select("image_id", "path").iter_rows())
    return {
        "rows": len(catalog),
        "melanomas": int(catalog.frame["target"].sum()),
        "found": len(with_files),
        "absent": len(absent),
        "absent_ids": absent,
        "unreadable": [
            {"image_id": name, "path": paths[name], "reason": why}
            for name, why in sorted(unreadable.items())
        ],
        "listed_twice": len(catalog.listed_twice),
        "all_rows": _counts(catalog.frame),
        "usable": _counts(with_files.without(unreadable).frame),
    }


def _counts(frame: pl.DataFrame) -> dict[str, Any]:
    bands = [
        "unknown" if age is None else _AGE_BANDS[bisect_right(_AGE_EDGES, age)]
        for age in frame["age"]
    ]
    banded = frame.with_columns(age_band=pl.Series(bands, dtype=pl.String))
    by_age = _counts_by(banded, "age_band")
    return {
        "photographs": frame.height,
        "melanomas": int(frame["target"].sum()),
        "patients": frame["patient_id"].drop_nulls().n_unique(),
        "lesions": frame["lesion_id"].drop_nulls().n_unique(),
        "groups": frame["group_id"].n_unique(),
        "dataset": _counts_by(frame, "dataset"),
        "diagnosis": _counts_by(frame, "diagnosis"),
        "sex": _counts_by(frame, "sex"),
        "site": _counts_by(frame, "site"),
        "age": {band: by_age[band] for band in (*_AGE_BANDS, "unknown") if band in by_age},
        "median_age": frame["age"].median(),
    }


def _counts_by(frame: pl.DataFrame, column: str) -> dict[str, dict[str, int]]:
    """Count photographs and melanomas for each value of `column`, the commonest first."""
    table = frame.group_by(column).agg(photographs=pl.len(), melanomas=pl.col("target").sum())
    table = table.sort(["photographs", column], descending=[True, False])
    return {
        str(value): {"photographs": photographs, "melanomas": melanomas}
        for value, photographs, melanomas in table.iter_rows()
    }
