"""Ids of photographs, patients and lesions: what stands for none, and what holds where.

Names are local and ids are global: what a table calls "1" is another patient than another table's
"1", unless both tables belong to one id space, as the archives that ISIC serves do. Outside of such
a space a lesion's name holds within its patient, where one is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from melanoscope.data.archive import SourceTable
from melanoscope.errors import DataError
from melanoscope.patient import is_missing

_ZERO = ("0", "0.0")
# How many times more photographs than any other id a zero may stand for before it is taken as a
# mark for missing ids: a numbering from 0 gives patient 0 about as many as its neighbours.
_MOST_OF_A_ZERO = 2


def clean_ids(column: pl.Series, within: pl.Series | None = None) -> pl.Series:
    """Turn marks for missing ids into nulls, so that "nobody" is not one large patient.

    A zero is an id where ids are numbered from 0 on: 1 is an id too, and 0 stands for at most twice
    as many photographs as any other.

    Args:
        column: Ids as text.
        within: Ids of the patients in whom lesions are numbered.

    Returns:
        The ids without surrounding spaces; null where none is known.

    >>> clean_ids(pl.Series(["NA", "-1", "0", " P7 "])).to_list()
    [None, None, None, 'P7']
    >>> clean_ids(pl.Series(["0", "0", "1", "2"])).to_list()
    ['0', '0', '1', '2']
    """
    clean = column.cast(pl.String).str.strip_chars()
    marks = [mark for mark in clean.unique() if is_missing(mark)]
    clean = clean.replace(marks, [None] * len(marks))
    if _numbers_from_zero(clean, within):
        return clean
    return clean.set(clean.is_in(list(_ZERO)).fill_null(value=False), None)


def _numbers_from_zero(ids: pl.Series, within: pl.Series | None) -> bool:
    frame = pl.DataFrame({"id": ids, "within": within if within is not None else ids})
    counts = frame.drop_nulls("id").group_by("id", "within").len()
    zeros = counts.filter(pl.col("id").is_in(list(_ZERO)))["len"].to_list()
    others = counts.filter(~pl.col("id").is_in(list(_ZERO)))
    if not zeros or not others["id"].is_in(["1", "1.0"]).any():
        return False
    return bool(max(zeros) <= _MOST_OF_A_ZERO * max(others["len"].to_list()))


def lesions_within_patients(rows: pl.DataFrame, *, numbered: bool | None = None) -> pl.DataFrame:
    """Write each lesion's id as ``patient/lesion``, since its name holds within its patient.

    Args:
        rows: Columns patient_id and lesion_id.
        numbered: Whether the lesions of each patient are numbered anew, so that a name without a
            patient says nothing. Default: whether two patients have lesions of one name.

    Returns:
        The rows with other lesion ids. A lesion without a patient is the one that bears its name
        elsewhere, or keeps its name; where lesions are numbered, it is unknown.
    """
    named = rows.select("patient_id", "lesion_id").drop_nulls().unique()
    if numbered is None:
        numbered = bool(named["lesion_id"].is_duplicated().any())
    full = pl.concat_str("patient_id", pl.lit("/"), "lesion_id")
    if numbered:
        return rows.with_columns(lesion_id=full)
    owned = named.select("lesion_id", full=full)
    return rows.with_columns(
        rows.join(owned, on="lesion_id", how="left", maintain_order="left").select(
            lesion_id=pl.coalesce("full", "lesion_id")
        )
    )


def make_global(
    columns: Sequence[pl.Series], spaces: Sequence[str], prefixes: Sequence[str]
) -> list[pl.Series]:
    """Tell ids apart that several spaces use for other things.

    Args:
        columns: Ids of each table.
        spaces: Space of each table's ids.
        prefixes: What makes a table's ids its own; "" leaves them as they are.

    Returns:
        The ids of each table; those that another space uses too bear the table's prefix.

    >>> make_global([pl.Series(["a", "b"]), pl.Series(["b"])], ["1", "2"], ["", "y"])[1].to_list()
    ['y:b']
    """
    users = pl.concat(
        pl.DataFrame({"id": ids, "space": space})
        for ids, space in zip(columns, spaces, strict=True)
    )
    users = users.drop_nulls().unique()
    shared = users.filter(pl.col("id").is_duplicated())["id"].unique()
    return [
        pl.select(
            pl.when(ids.is_in(shared.implode()) & (prefix != ""))
            .then(f"{prefix}:" + ids)
            .otherwise(ids)
        ).to_series()
        for ids, prefix in zip(columns, prefixes, strict=True)
    ]


def name_apart(tables: Sequence[SourceTable]) -> list[SourceTable]:
    """Give tables of one name names of their own, and refuse a table that is named twice.

    Args:
        tables: Tables in the order in which they were named.

    Returns:
        The tables; where several bear one name in `dataset`, each bears its folder's too.

    Raises:
        DataError: Two tables are one file.
    """
    origins = [table.origin for table in tables if table.origin]
    twice = [origin for origin in dict.fromkeys(origins) if origins.count(origin) > 1]
    if twice:
        raise DataError("each table once", f"'{twice[0]}' twice", "leave one --data out")
    owners: dict[str, set[int]] = {}
    for number, table in enumerate(tables):
        if table.id_space is None:
            for name in table.rows["dataset"].unique():
                owners.setdefault(str(name), set()).add(number)
    renamed = list(tables)
    for name, numbers in owners.items():
        if len(numbers) < 2:
            continue
        places = [Path(tables[number].origin).parent.name for number in sorted(numbers)]
        for place, number in zip(places, sorted(numbers), strict=True):
            suffix = place if place and places.count(place) == 1 else str(number + 1)
            dataset = pl.col("dataset").replace(name, f"{name} ({suffix})")
            table = renamed[number]
            renamed[number] = replace(table, rows=table.rows.with_columns(dataset))
    return renamed


def with_global_ids(tables: Sequence[SourceTable]) -> tuple[list[SourceTable], tuple[str, ...]]:
    """Tell apart what tables of other id spaces call by one name.

    Args:
        tables: Tables whose names in `dataset` differ, as `name_apart` gives them.

    Returns:
        The tables with ids that mean one thing throughout, and sentences that say what was renamed.
    """
    spaces = [table.id_space or f"table {number}" for number, table in enumerate(tables)]
    prefixes = ["" if table.id_space else str(table.rows["dataset"][0]) for table in tables]
    new_columns: dict[str, list[pl.Series]] = {}
    for column in ("image_id", "patient_id", "lesion_id"):
        ids = [table.rows[column] for table in tables]
        new_columns[column] = make_global(ids, spaces, prefixes)
    notes, renamed = [], []
    for number, table in enumerate(tables):
        rows = table.rows.with_columns(ids[number].alias(c) for c, ids in new_columns.items())
        old, new = table.rows["image_id"], rows["image_id"]
        if n_renamed := int((old != new).sum()):
            notes.append(
                f"{n_renamed:,} photographs of {prefixes[number]} bear names that another table "
                f"uses too; they are taken as other photographs and called '{prefixes[number]}:...'"
            )
        names = dict(zip(old, new, strict=True))
        pairs = tuple((names.get(a, a), names.get(b, b)) for a, b in table.duplicate_pairs)
        renamed.append(replace(table, rows=rows, duplicate_pairs=pairs))
    return renamed, tuple(notes)
