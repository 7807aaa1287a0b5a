"""Tables that mark one of several classes with 1 in each row, as the ISIC challenges do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from melanoscope.data.sources.text_table import read_table
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError


def read_one_hot(
    path: Path, id_column: str, classes: Sequence[str], optional: Sequence[str] = ()
) -> pl.DataFrame:
    """Read the class that each row marks.

    Args:
        path: The table.
        id_column: Its column of ids.
        classes: Its columns of classes.
        optional: Classes that some editions lack.

    Returns:
        Columns `id_column`, diagnosis (the name of the class) and line.

    Raises:
        DataError: A row that marks no class, several, or a probability; names the rows.
    """
    known = {name: name for name in optional}
    labels = read_table(path, {id_column: id_column, **{c: c for c in classes}}, known).frame
    names = [*classes, *optional]
    filled = labels.with_columns(pl.col(optional).fill_null("0")) if optional else labels
    marks = filled.select(pl.col(names).cast(pl.Float64, strict=False)).to_numpy()
    wrong = (marks.sum(axis=1) != 1) | ((marks != 0) & (marks != 1)).any(axis=1)
    if wrong.any():
        first = int(wrong.argmax())
        marked = _marked(filled.select(names).row(first, named=True))
        raise DataError(
            f"one class marked 1 and the others 0 in each row of '{path.name}'",
            f"{int(wrong.sum())} rows otherwise ({abbreviate(labels[id_column].filter(wrong))}; "
            f"line {labels['line'][first]}: {marked})",
            "correct the table",
        )
    diagnosis = pl.Series([names[i] for i in marks.argmax(axis=1)], dtype=pl.String)
    return labels.select(id_column, "line", diagnosis=diagnosis)


def _marked(cells: Mapping[str, str | None]) -> str:
    """Say what a row marks, without its zeros.

    >>> _marked({"MEL": "1.0", "NV": "0.0", "BCC": "1"})
    'MEL 1.0, BCC 1'
    """
    marked = [
        f"{name} {cell or 'blank'}" for name, cell in cells.items() if cell not in ("0", "0.0")
    ]
    return ", ".join(marked) or "no class"
