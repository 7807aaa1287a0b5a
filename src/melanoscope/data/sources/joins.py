"""Side tables of an archive: each says how many of its rows found their partner."""

from __future__ import annotations

import polars as pl

from melanoscope.data.archive import Join
from melanoscope.errors import DataError


def join_table(
    main: pl.DataFrame, side: pl.DataFrame, name: str, on: str = "image_id"
) -> tuple[pl.DataFrame, Join]:
    """Join a side table to the rows of an archive's main table.

    Args:
        main: Rows of the archive.
        side: Rows of the side table, at most one for each value of `on`.
        name: Name of the side table's file, for errors and for the summary.
        on: Column that both share.

    Returns:
        The main table's rows in their order with the side table's columns, and how many met.

    Raises:
        DataError: No row meets another, or the side table has several rows for one of the main's.
    """
    known = side[on].drop_nulls()
    twice = known.filter(known.is_duplicated()).unique(maintain_order=True)
    if len(twice):
        raise DataError(
            f"one row per {on.replace('_', ' ')} in '{name}'",
            f"{len(twice)} in several rows (first: {twice[0]})",
            "keep one row of each",
        )
    join = join_of(
        name,
        side[on].is_in(main[on].implode()),
        without=int((~main[on].is_in(known.implode())).sum()),
    )
    return main.join(side, on=on, how="left", maintain_order="left"), join


def join_of(name: str, matched: pl.Series, without: int) -> Join:
    """Count the rows of a side table that found their partner; none is an error.

    Args:
        name: Name of the side table's file.
        matched: Whether each of its rows found one.
        without: Number of the main table's rows that have none there.

    Returns:
        The counts.

    Raises:
        DataError: The side table has rows, and none of them found a partner.
    """
    join = Join(name, len(matched), int(matched.sum()), without)
    if join.rows and not join.matched:
        raise DataError(
            f"rows of '{name}' that belong to the archive's photographs",
            f"none of {join.rows}",
            "check that both tables are of one archive and write ids alike",
        )
    return join
