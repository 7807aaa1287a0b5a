"""A table of predictions in CSV, a workbook or Parquet: its columns, then cells of some of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.data.sources.image_files.names import split_row_name
from melanoscope.data.sources.text_table import read_table
from melanoscope.errors import DataError
from melanoscope.file_kinds import HEAD, FileKind, detect_file_kind
from melanoscope.patient import is_missing
from melanoscope.stats.arrays import Floats
from melanoscope.tables.dialect import plain
from melanoscope.tables.formulas import is_formula
from melanoscope.tables.header import column_names, find_column
from melanoscope.tables.parquet_size import MAX_BYTES, refuse_large_parquet
from melanoscope.tables.table_file import open_table

_INDEX = "__index_level_"  # how pandas calls an index without a name in Parquet
# Torn Parquet makes polars panic, which is no `PolarsError` and no `Exception`.
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """A file of predictions whose columns are known; cells are read where they are asked for.

    Attributes:
        path: The file.
        columns: Names of the columns as written.
        is_parquet: Whether it is Parquet.
        notes: What a person should be told of how it was read.
    """

    path: Path
    columns: tuple[str, ...]
    is_parquet: bool
    notes: tuple[str, ...] = ()
    _frames: dict[tuple[str, ...], pl.DataFrame] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The file as errors name it."""
        return f"'{self.path}'"

    def find(self, names: str | Sequence[str]) -> str | None:
        """Return the first of `names` that is a column, in any case, as written; None if none."""
        place = find_column(self.columns, names)
        return None if place is None else self.columns[place]

    def read(self, columns: Collection[str]) -> Cells:
        """Read `columns`, each a name as written in `self.columns`."""
        wanted = tuple(dict.fromkeys(columns))
        if wanted not in self._frames:
            read = _read_parquet if self.is_parquet else _read_text
            self._frames[wanted] = read(self.path, wanted)
        return Cells(self, self._frames[wanted])


@dataclass(frozen=True, eq=False)
class Cells:
    """Some columns of a table of predictions.

    Attributes:
        table: The table.
        frame: The columns by their names as written: text of a CSV file, values of Parquet; and
            the line in which each row begins as the last one.
    """

    table: PredictionTable
    frame: pl.DataFrame

    @property
    def lines(self) -> NDArray[Any]:
        """Line of each row in the file (of Parquet the row, from 1), shape (n,)."""
        return self.frame.to_series(-1).to_numpy()

    def series(self, column: str) -> pl.Series:
        """Return a column as it was read."""
        return self.frame[column]

    def texts(self, column: str) -> list[str | None]:
        """Return a column as text; None where nothing is known."""
        series = self.frame[column]
        if series.dtype.is_float() and (series.drop_nulls() % 1 == 0).all():
            series = series.cast(pl.Int64, strict=False)
        words: list[str | None] = series.cast(pl.String).to_list()
        missing = {word for word in set(words) if word is None or is_missing(word)}
        return [None if word in missing else word for word in words]

    def numbers(self, column: str) -> Floats:
        """Return a column as numbers, NaN where blank; refuse what is none, with its line."""
        series = self.frame[column]
        if series.dtype == pl.String:
            numbers = series.cast(pl.Float64, strict=False)
            if numbers.null_count() > series.null_count():  # a decimal comma, perhaps
                numbers = series.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
        else:
            try:
                numbers = series.cast(pl.Float64, strict=False)
            except pl.exceptions.PolarsError:
                numbers = pl.repeat(None, series.len(), dtype=pl.Float64, eager=True)
        wrong = numbers.is_null() & series.is_not_null()
        if wrong.any():
            first = int(wrong.arg_true()[0])
            raise DataError(
                f"numbers in column '{column}' of {self.table.where}",
                f"{int(wrong.sum()):,} cells otherwise, the first in line {self.lines[first]}: "
                f"'{str(series[first])[:40]}'",
                "correct the column, or name another one with --columns",
            )
        return numbers.fill_null(np.nan).to_numpy().astype(np.float64)

    def image_ids(self, column: str) -> NDArray[Any]:
        """Return the photographs' ids, shape (n,): of a path or a file's name the stem."""
        ids = [None if text is None else _stem(text) for text in self.texts(column)]
        absent = [line for one, line in zip(ids, self.lines, strict=True) if not one]
        if absent:
            raise DataError(
                f"a photograph named in every row of {self.table.where}",
                f"{len(absent):,} without in column '{column}' (line {absent[0]} first)",
                "name it, or remove the row",
            )
        return np.array(ids, object)


def _stem(text: str) -> str:
    """Return the stem of a file's name, without the apostrophe that keeps it from being a formula.

    >>> _stem("images/ISIC_0000001.jpg"), _stem("'=1+1.png")
    ('ISIC_0000001', '=1+1')
    """
    bare = text[1:]
    return split_row_name(bare if text[:1] == "'" and is_formula(bare) else text).stem


def open_predictions(path: str | Path, known: Collection[str] = ()) -> PredictionTable:
    """Open a table of predictions.

    Args:
        path: CSV in any dialect, a workbook or Parquet; the content tells, not the name.
        known: Names of columns that are looked for; they help to tell the delimiter.

    Returns:
        The table; no cell has been read yet.

    Raises:
        DataError: No table, two columns of one name, or no rows.
    """
    path = Path(path)
    if not _is_parquet(path):
        table = open_table(path, known)
        columns = tuple(column for column in table.columns if column)
        return PredictionTable(path, columns, is_parquet=False, notes=table.notes)
    try:
        schema = pl.read_parquet_schema(path)
    except _UNREADABLE as error:
        raise _torn(path, error) from None
    names = [name for name in schema if not name.startswith(_INDEX)]
    column_names(names, f"'{path}'")
    # Names of Parquet are kept as they stand, since columns are asked for by them.
    return PredictionTable(path, tuple(name for name in names if plain(name)), is_parquet=True)


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return detect_file_kind(file.read(HEAD)) is FileKind.PARQUET
    except OSError:
        return False  # `open_table` says why


def _read_text(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    # Keys of our own: a column may be called "line", as the added one is.
    keys = {str(number): name for number, name in enumerate(columns)}
    frame = read_table(path, {}, keys).frame
    named = (pl.col(key).alias(name) for key, name in keys.items())
    return frame.select(*named, pl.col("line").alias(_line_name(columns)))


def _read_parquet(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    refuse_large_parquet(path, columns)
    try:
        frame = pl.read_parquet(path, columns=list(columns)).select(columns)
        for name in columns:
            if frame[name].dtype in (pl.Categorical, pl.Enum):
                frame = frame.with_columns(pl.col(name).cast(pl.String))
        # Many rows of one text hold it once, until somebody makes a list of them.
        texts = frame.select(pl.col(pl.String).str.len_bytes().cast(pl.UInt64).sum())
    except _UNREADABLE as error:
        raise _torn(path, error) from None
    if sum(texts.row(0)) > MAX_BYTES:
        raise DataError("texts of usual lengths", f"longer ones in '{path}'", "check its origin")
    if frame.is_empty():
        raise DataError(f"rows in '{path}'", "columns without rows", "add rows, or check the file")
    rows = pl.int_range(1, frame.height + 1, dtype=pl.UInt32, eager=True)
    return frame.with_columns(rows.alias(_line_name(columns)))


def _line_name(columns: Sequence[str]) -> str:
    name = "line"
    while name in columns:
        name += "_"
    return name


def _torn(path: Path, error: BaseException) -> DataError:
    return DataError("a whole Parquet file", f"'{path}' ({error})", "write it again")
