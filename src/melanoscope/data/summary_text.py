"""A catalog's summary for people, in a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

_MOST = 10


def print_summary(summary: dict[str, Any]) -> None:
    """Print what `melanoscope.data.summary.summarise` counted."""
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
    for kind in ("dataset", "diagnosis", "sex", "site", "age"):
        _print_counts(console, kind, summary["all_rows"][kind], usable[kind])
    for one in summary["unreadable"]:
        console.print(f"unreadable: {one['image_id']} ({one['path']}): {one['reason']}")
    if summary["absent"]:
        ids = ", ".join(summary["absent_ids"][:_MOST])
        more = ", ..." if summary["absent"] > _MOST else ""
        console.print(f"absent ({summary['absent']:,}; all of them with --json): {ids}{more}")


def _print_counts(
    console: Console,
    kind: str,
    every: dict[str, dict[str, int]],
    usable: dict[str, dict[str, int]],
) -> None:
    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column(kind, min_width=26)
    for heading in ("rows", "melanomas", "usable", "of them melanomas"):
        table.add_column(heading, justify="right")
    nothing = {"photographs": 0, "melanomas": 0}
    for word, count in every.items():
        here = usable.get(word, nothing)
        values = (count["photographs"], count["melanomas"], here["photographs"], here["melanomas"])
        table.add_row(word, *(f"{value:,}" for value in values))
    console.print(table)
    console.print()
