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
    "center": pl.String,  # hospital or collection within an archive; null where none is named
    "patient_id": pl.String,
    "lesion_id": pl.String,
    "sex": pl.String,
    "age": pl.Float64,
    "site": pl.String,
    "diagnosis": pl.String,
    "malignancy": pl.String,  # benign, malignant, indeterminate; null: unknown
    "target": pl.Int8,  # what a table states of the target itself; null: it follows from the rest
    "unlabelled": pl.String,  # why nobody can label the row; null: it follows from the rest
    "image_type": pl.String,
    "license": pl.String,  # of this photograph, where an archive holds several
}

IMAGE_TYPES = ("dermoscopic", "clinical", "TBP tile", "RCM")
"""How a photograph was taken: through a dermatoscope, without one, cut from a picture of the whole
body, by confocal microscope; null where an archive does not say."""


@dataclass(frozen=True)
class Join:
    """How many rows of an archive's side table found their partner in its main table.

    Attributes:
        table: Name of the side table's file.
        rows: Number of its rows.
        matched: How many of them belong to a row of the main table.
        without: How many rows of the main table have no row there.
    """

    table: str
    rows: int
    matched: int
    without: int


@dataclass(frozen=True)
class SourceTable:
    """What one archive says of its photographs.

    Attributes:
        kind: Name of the archive.
        rows: One row per photograph, with the columns of `ROW_SCHEMA`.
        duplicate_pairs: Pairs of image ids that the archive itself lists as duplicates.
        id_space: Name of the space that the ids of photographs, patients and lesions belong to:
            within it an id means the same in every table ("isic"). None: ids hold in this table.
        origin: Where the table lies, to tell tables of one name apart.
        joins: What became of the archive's side tables.
        notes: Sentences that the user must read, one line each.
    """

    kind: str
    rows: pl.DataFrame
    duplicate_pairs: tuple[tuple[str, str], ...] = ()
    id_space: str | None = None
    origin: str = ""
    joins: tuple[Join, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadOptions:
    """What the user says of all tables.

    Attributes:
        cache: Folder in which simulated photographs are drawn.
        columns: Our name of a column -> its name in own tables, for ``--columns``.
        image_types: Words of `IMAGE_TYPES`: photographs known to be of another type are left out.
            Empty: all are read.
    """

    cache: Path
    columns: tuple[tuple[str, str], ...] = ()
    image_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Archive:
    """One archive of photographs, as an entry of `melanoscope.data.sources.ARCHIVES`.

    Attributes:
        kind: Name on the command line, as in ``--data KIND=PATH``.
        title: Name for people.
        license: Terms of the photographs, as reports and model cards print them.
        attribution: Whom to cite.
        read: Reads what stands behind ``KIND=``, given that and the `ReadOptions`: its rows, each
            with its photograph's file where there is one. A missing folder, table or column, and
            words that nobody knows, are a `DataError`.
        table_names: Tables by which the archive is recognised in a folder; empty: never.
        header: Columns by which such a table is told from another archive's of the same name.
        layout: Its files for people, as ``melanoscope data kinds`` prints them.
        columns: Columns of its tables that are read.
        leaks: Columns that give the diagnosis away or follow from it: never read as an input.
    """

    kind: str
    title: str
    license: str
    attribution: str
    read: Callable[[str, ReadOptions], SourceTable]
    table_names: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    layout: str = ""
    columns: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
