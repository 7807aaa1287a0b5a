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
    matched = side[on].is_in(main[on].implode())
    if len(matched) and not matched.any():
        raise _no_partner(name, len(matched), _difference(main[on], side[on]))
    join = join_of(name, matched, without=int((~main[on].is_in(known.implode())).sum()))
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
        raise _no_partner(name, join.rows)
    return join


def _no_partner(name: str, rows: int, difference: str = "") -> DataError:
    return DataError(
        f"rows of '{name}' that belong to the archive's photographs",
        f"none of {rows}{difference}",
        "check that both tables are of one archive and write ids alike",
    )


def _difference(main: pl.Series, side: pl.Series) -> str:
    """Say how ids differ where none is in both tables: by case, or by what stands behind them."""
    first, second = main.drop_nulls(), side.drop_nulls()
    if first.is_empty() or second.is_empty():
        return ""
    example = f", such as '{second[0]}' and there '{first[0]}'"
    lower = first.str.to_lowercase().implode()
    if second.str.to_lowercase().is_in(lower).any():
        return f": they differ by upper and lower case{example}"
    cut = r"(?i)(_downsampled)?(\.[a-z]{3,4})?$"
    if second.str.replace(cut, "").is_in(first.str.replace(cut, "").implode()).any():
        return f": they differ by what stands behind the ids{example}"
    return example
