"""What every reader's rows must be, whatever the archive; a reader that forgets it is found out."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from melanoscope.data.archive import IMAGE_TYPES, SourceTable
from melanoscope.data.targets import contradicts_target
from melanoscope.data.vocabulary import DIAGNOSES, MALIGNANCIES
from melanoscope.errors import DataError
from melanoscope.patient import MAX_AGE, SEXES, SITES
from melanoscope.target import Target

_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sex", SEXES),
    ("site", SITES),
    ("diagnosis", DIAGNOSES),
)
_WORDS_OR_NULL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("malignancy", MALIGNANCIES),
    ("image_type", IMAGE_TYPES),
)


def validate_table(table: SourceTable, target: Target) -> None:
    """Refuse rows that are not what `ROW_SCHEMA` promises, or that contradict their own target.

    Args:
        table: Rows of one archive.
        target: The target that the rows' own `target` speaks of.

    Raises:
        DataError: The first kind of fault that is found, with the rows that have it.
    """
    rows, kind = table.rows, table.kind
    _check_ids(rows["image_id"], kind)
    for column, words in _WORDS:
        _check_words(rows, column, words, kind)
    for column, words in _WORDS_OR_NULL:
        _check_words(rows.drop_nulls(column), column, words, kind)
    ages = rows.filter(~pl.col("age").is_between(0, MAX_AGE) | pl.col("age").is_nan())
    if not ages.is_empty():
        raise DataError(
            f"ages of {kind} from 0 to {MAX_AGE:g} years or empty",
            f"{ages['age'][0]} for {ages['image_id'][0]}",
            "correct the table",
        )
    if not rows["target"].drop_nulls().is_in([0, 1]).all():
        raise DataError(f"target 0, 1 or empty in {kind}", "other values", "correct them")
    conflicting = contradicts_target(rows, target)
    if not conflicting.is_empty():
        raise DataError(
            f"diagnosis, malignancy and target of {kind} that agree for the target {target.name}",
            f"{conflicting.height} rows that do not ({_describe(conflicting)})",
            "correct the columns or ask for another --target",
        )


def _check_ids(ids: pl.Series, kind: str) -> None:
    if ids.is_empty():
        raise DataError(f"rows in the table of {kind}", "none", "check the table's file")
    unnamed = ids.null_count() + (ids == "").sum()
    if unnamed:
        raise DataError(f"an image id in every row of {kind}", f"{unnamed} without", "name them")
    repeated = ids.filter(ids.is_duplicated()).unique(maintain_order=True)
    if len(repeated):
        raise DataError(
            f"one row per image id in {kind}",
            f"{len(repeated)} ids in several rows ({abbreviate(repeated)})",
            "keep one row of each",
        )


def _check_words(rows: pl.DataFrame, column: str, words: tuple[str, ...], kind: str) -> None:
    unlisted = rows.filter(~pl.col(column).is_in(list(words)) | pl.col(column).is_null())
    if not unlisted.is_empty():
        found = abbreviate(unlisted[column].unique(maintain_order=True))
        raise DataError(f"{column} of {kind} among {', '.join(words)}", found, "correct them")


def _describe(rows: pl.DataFrame) -> str:
    """Say which rows contradict themselves, and how."""
    stated = ("diagnosis", "malignancy", "target")
    return abbreviate(
        f"{row['image_id']}: " + " and ".join(f"{c} {row[c]}" for c in stated if row[c] is not None)
        for row in rows.head(11).iter_rows(named=True)
    )


def abbreviate(values: Iterable[object], limit: int = 10) -> str:
    """Join the first `limit` values by commas, and say that there are more."""
    words = [str(value) for value in values]
    return ", ".join(words[:limit]) + (", ..." if len(words) > limit else "")
