"""What a catalog holds, in numbers and in a terminal: ``melanoscope data summary``."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from melanoscope.data.catalog import Catalog
from melanoscope.data.pixel_store import ProgressCallback
from melanoscope.errors import DataError, one_line
from melanoscope.imaging.decode import why_unreadable
from melanoscope.threads import thread_pool

_AGE_EDGES = (20.0, 40.0, 60.0, 80.0)
_AGE_BANDS = ("under 20", "20-39", "40-59", "60-79", "80 and over")
_MAX_IDS = 10
# Shown where any row has a value; most archives do not say it.
_OPTIONAL = ("center", "image_type", "license")
_COLUMNS = ("dataset", "diagnosis", "malignancy", "sex", "site", *_OPTIONAL)


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
    with thread_pool() as pool:
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
    with_files = catalog.with_files
    paths = dict(with_files.frame.select("image_id", "path").iter_rows())
    left_out = catalog.unlabelled
    everything = pl.concat([catalog.frame, left_out], how="diagonal")
    absent = everything.filter(pl.col("path").is_null())["image_id"].to_list()
    return {
        "target": catalog.target.to_dict(),
        "rows": everything.height,
        "positives": int(catalog.frame["target"].sum()),
        "melanomas": int((everything["diagnosis"] == "melanoma").sum()),
        "malignant": int((everything["malignancy"] == "malignant").sum()),
        "indeterminate": int((everything["malignancy"] == "indeterminate").sum()),
        "unlabelled": [
            {"image_id": name, "dataset": dataset, "reason": why}
            for name, dataset, why in left_out.select(
                "image_id", "dataset", "unlabelled"
            ).iter_rows()
        ],
        "found": everything["path"].count(),
        "absent": len(absent),
        "absent_ids": absent,
        "unreadable": [
            {"image_id": name, "path": paths[name], "reason": why}
            for name, why in sorted(unreadable.items())
        ],
        "listed_twice": len(catalog.listed_twice),
        "tables": [
            asdict(table)
            | {"joins": [asdict(join) for join in table.joins], "notes": list(table.notes)}
            for table in catalog.tables
        ],
        "notes": list(catalog.notes),
        "all_rows": _counts(everything),
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
        "positives": int(frame["target"].sum()),
        "patients": frame["patient_id"].drop_nulls().n_unique(),
        "lesions": frame["lesion_id"].drop_nulls().n_unique(),
        "groups": frame["group_id"].n_unique(),
        **{name: _counts_by(frame, name) for name in _COLUMNS},
        "age": {band: by_age[band] for band in (*_AGE_BANDS, "unknown") if band in by_age},
        "median_age": frame["age"].median(),
    }


def _counts_by(frame: pl.DataFrame, column: str) -> dict[str, dict[str, int]]:
    """Count photographs and positive ones for each value of `column`, the commonest first."""
    table = frame.with_columns(pl.col(column).fill_null("unknown")).group_by(column)
    counts = table.agg(photographs=pl.len(), positives=pl.col("target").sum())
    counts = counts.sort(["photographs", column], descending=[True, False])
    return {
        str(value): {"photographs": photographs, "positives": positives}
        for value, photographs, positives in counts.iter_rows()
    }


def refuse_unusable(summary: dict[str, Any]) -> None:
    """Raise a `DataError` if no photograph of a `summary` can be decoded and has a label."""
    if summary["usable"]["photographs"]:
        return
    first = next(iter(summary["unreadable"]), None)
    why = f"; '{first['path']}' is {first['reason']}" if first else ""
    raise DataError(
        f"readable photographs with a label for the target {summary['target']['name']}",
        f"none of {summary['found']:,}{why}",
        "see above which rows lack what",
    )


def print_summary(summary: dict[str, Any]) -> None:
    """Print a `summary`, as `summarize` returns it, to the terminal."""
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    usable, plural = summary["usable"], one_line(summary["target"]["plural"])
    console.print(
        f"{summary['rows']:,} rows, {summary['positives']:,} of them {plural}; files: "
        f"{summary['found']:,} found, {summary['absent']:,} absent, "
        f"{len(summary['unreadable']):,} unreadable; "
        f"ids listed by two archives: {summary['listed_twice']:,}"
    )
    console.print(
        f"usable: {usable['photographs']:,} photographs, {usable['positives']:,} of {plural}, "
        f"{usable['patients']:,} named patients, {usable['lesions']:,} named lesions, "
        f"{usable['groups']:,} groups"
    )
    _print_left_out(console, summary["unlabelled"])
    for table in summary["tables"]:
        _print_table(console, table)
    for note in summary["notes"]:
        console.print(one_line(f"note: {note}"))
    for column in (*_COLUMNS, "age"):
        levels = summary["all_rows"][column]
        if column not in _OPTIONAL or set(levels) - {"unknown"}:
            _print_counts(console, column, levels, usable[column], plural)
    for image in summary["unreadable"]:
        line = f"unreadable: {image['image_id']} ({image['path']}): {image['reason']}"
        console.print(one_line(line))
    if summary["absent"]:
        ids = _some(summary["absent_ids"])
        console.print(one_line(f"absent ({summary['absent']:,}; all of them with --json): {ids}"))


def _print_left_out(console: Console, unlabelled: list[dict[str, str]]) -> None:
    for reason, n in Counter(row["reason"] for row in unlabelled).most_common():
        ids = _some([row["image_id"] for row in unlabelled if row["reason"] == reason])
        console.print(one_line(f"left out, {reason} ({n:,}; all of them with --json): {ids}"))


def _print_table(console: Console, table: dict[str, Any]) -> None:
    """Print what became of one archive's table: what is missing, its side tables, its notes."""
    missing = ", ".join(f"{name} {n:,}" for name, n in table["missing"].items() if n) or "nothing"
    console.print(one_line(f"{table['dataset']}: {table['rows']:,} rows; missing: {missing}"))
    for join in table["joins"]:
        lacking = f"; {join['without']:,} photographs without one" if join["without"] else ""
        line = f"{join['table']}: {join['matched']:,} of {join['rows']:,} rows found their "
        console.print(one_line(f"  {line}photograph{lacking}"))
    for note in table["notes"]:
        console.print(one_line(f"  note: {note}"))


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:_MAX_IDS]) + (", ..." if len(values) > _MAX_IDS else "")


def _print_counts(
    console: Console,
    column: str,
    all_rows: dict[str, dict[str, int]],
    usable: dict[str, dict[str, int]],
    plural: str,
) -> None:
    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column(column, min_width=26)
    for heading in ("rows", plural, "usable", f"of them {plural}"):
        table.add_column(heading, justify="right")
    for value, counts in all_rows.items():
        usable_counts = usable.get(value, dict.fromkeys(counts, 0))
        cells = (*counts.values(), *usable_counts.values())
        table.add_row(one_line(value), *(f"{cell:,}" for cell in cells))
    console.print(table)
    console.print()
