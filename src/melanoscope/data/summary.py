"""What a catalog holds, in numbers and in a terminal: ``melanoscope data summary``."""

from __future__ import annotations

from bisect import bisect_right
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import ProgressCallback
from melanoscope.hardware import available_cores
from melanoscope.imaging.decode import why_unreadable

_AGE_EDGES = (20.0, 40.0, 60.0, 80.0)
_AGE_BANDS = ("under 20", "20-39", "40-59", "60-79", "80 and over")
_MAX_ABSENT_IDS = 10


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
    with ThreadPoolExecutor(available_cores()) as pool:
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
    by_age = _counts_by(frame.with_columns(pl.Series("age_band", bands, pl.String)), "age_band")
    return {
        "photographs": frame.height,
        "melanomas": int(frame["target"].sum()),
        "patients": frame["patient_id"].drop_nulls().n_unique(),
        "lesions": frame["lesion_id"].drop_nulls().n_unique(),
        "groups": frame["group_id"].n_unique(),
        **{name: _counts_by(frame, name) for name in ("dataset", "diagnosis", "sex", "site")},
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


def print_summary(summary: dict[str, Any]) -> None:
    """Print a `summary`, as `summarize` returns it, to the terminal."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    usable = summary["usable"]
    console.print(
        f"{summary['rows']:,} rows, {summary['melanomas']:,} melanomas; files: "
        f"{summary['found']:,} found, {summary['absent']:,} absent, "
        f"{len(summary['unreadable']):,} unreadable; "
        f"{summary['listed_twice']:,} ids listed by two archives"
    )
    console.print(
        f"usable: {usable['photographs']:,} photographs, {usable['melanomas']:,} melanomas, "
        f"{usable['patients']:,} named patients, {usable['lesions']:,} named lesions, "
        f"{usable['groups']:,} groups"
    )
    for column in ("dataset", "diagnosis", "sex", "site", "age"):
        _print_counts(console, column, summary["all_rows"][column], usable[column])
    for image in summary["unreadable"]:
        console.print(f"unreadable: {image['image_id']} ({image['path']}): {image['reason']}")
    if summary["absent"]:
        ids = ", ".join(summary["absent_ids"][:_MAX_ABSENT_IDS])
        more = ", ..." if summary["absent"] > _MAX_ABSENT_IDS else ""
        console.print(f"absent ({summary['absent']:,}; all of them with --json): {ids}{more}")


def _print_counts(
    console: Console,
    column: str,
    all_rows: dict[str, dict[str, int]],
    usable: dict[str, dict[str, int]],
) -> None:
    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column(column, min_width=26)
    for heading in ("rows", "melanomas", "usable", "of them melanomas"):
        table.add_column(heading, justify="right")
    for value, counts in all_rows.items():
        usable_counts = usable.get(value, dict.fromkeys(counts, 0))
        cells = (*counts.values(), *usable_counts.values())
        table.add_row(value, *(f"{cell:,}" for cell in cells))
    console.print(table)
    console.print()
