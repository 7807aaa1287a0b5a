"""One archive of photographs: how it is read, and what its table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

ROW_SCHEMA: dict[str, type[pl.DataType]] = {
    "image_id": pl.String,
    "path": pl.String,  # null: the table lists the photograph, its file is absent
    "dataset": pl.String,
    "patient_id": pl.String,
    "lesion_id": pl.String,
    "sex": pl.String,
    "age": pl.Float64,
    "site": pl.String,
    "diagnosis": pl.String,
    "target": pl.Int8,  # 1: melanoma
}


@dataclass(frozen=True)
class SourceTable:
    """What one archive says of its photographs; `rows` have the columns of `ROW_SCHEMA`."""

    kind: str
    rows: pl.DataFrame
    duplicate_pairs: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Archive:
    """One archive of photographs, as an entry of `melanoscope.data.sources.ARCHIVES`.

    Attributes:
        kind: Name on the command line, as in ``--data KIND=PATH``.
        title: Name for people.
        license: Terms of the photographs, as reports and model cards print them.
        attribution: Whom to cite.
        read: Reads what stands behind ``KIND=``; files that it makes go into the second argument.
        table_names: Tables by which the archive is recognised in a folder; empty: never.
    """

    kind: str
    title: str
    license: str
    attribution: str
    read: Callable[[str, Path], SourceTable]
    table_names: tuple[str, ...] = ()
