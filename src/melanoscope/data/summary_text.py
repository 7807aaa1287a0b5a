"""A catalog's summary for people, in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

_MAX_ABSENT_IDS = 10


def print_summary(summary: dict[str, Any]) -> None:
    """Print a `summary`, as `melanoscope.data.summary.summarize` returns it, to the terminal."""
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
