"""Reading a file of predictions, whichever tool wrote it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.comparison.class_names import whole_number
from melanoscope.comparison.column_names import KNOWN_NAMES, ColumnPairs
from melanoscope.comparison.layout import Layout, find_layout, find_named
from melanoscope.comparison.model_predictions import (
    POSITIVE,
    ModelPredictions,
    check_probabilities,
)
from melanoscope.comparison.own_files import (
    find_answers,
    is_run_table,
    read_run_table,
    refuse_unanswered,
)
from melanoscope.comparison.prediction_table import Cells, PredictionTable, open_predictions
from melanoscope.comparison.top_k import list_cells, ranked_columns, read_ranked, refuse_sorted
from melanoscope.errors import DataError, one_line
from melanoscope.stats.arrays import Codes, Floats

_TABLE_SUFFIXES = (
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".gz",
    ".parquet",
    ".pq",
    ".xlsx",
    ".xls",
    ".ods",
)


def read_predictions(
    path: str | Path,
    *,
    name: str | None = None,
    columns: ColumnPairs = (),
    class_names: Mapping[str, str] | None = None,
    positive: Sequence[str] = (),
) -> list[ModelPredictions]:
    r"""Read the predictions of a file.

    Args:
        path: CSV in any dialect, a workbook or Parquet, in one of `layout.FORMS`.
        name: Name of the model. Default: the file's. Of a run, which holds several networks, what
            their names begin with.
        columns: Pairs of image_id, probability, label or fold and the table's name of it, as
            `column_names.parse_columns` gives them; others are passed over.
        class_names: Number of a class -> its name, as `class_names.read_class_table` gives it.
        positive: The classes that are asked for; files of the likeliest classes alone need it.

    Returns:
        One for each model, its rows in the file's order.

    Raises:
        DataError: No such file, a table of none of the forms (names its columns and what each form
            needs), or values that are no probabilities (names the line).

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "resnet.csv"
    >>> _ = file.write_text("image_name,target\nISIC_1.jpg,0.25\nISIC_2.jpg,0.75\n")
    >>> [model] = read_predictions(file)
    >>> model.name, model.image_id.tolist(), model.probability[:, 0].tolist()
    ('resnet', ['ISIC_1', 'ISIC_2'], [0.25, 0.75])
    """
    path, given = Path(path), dict(columns)
    names = dict(class_names or {})
    table = open_predictions(
        path, {*KNOWN_NAMES, *(theirs.casefold() for theirs in given.values())}
    )
    if is_run_table(table):
        return read_run_table(table, one_line(name or ""))
    own_name = one_line(name or _file_name(path))
    if layout := find_answers(table, given):
        cells = table.read(layout.columns)
        refuse_unanswered(cells, layout)
        return [_read_layout(own_name, cells, layout, names)]
    if ranked := ranked_columns(table, given):
        model = _read_ranked(own_name, table, ranked, given, names, positive)
        if model is not None:
            return [model]
    layout = find_layout(table, given)
    return [_read_layout(own_name, table.read(layout.columns), layout, names)]


def _file_name(path: Path) -> str:
    """Return a file's name without the suffixes of tables; dots of versions stay.

    >>> _file_name(Path("x/resnet_v1.5.csv.gz"))
    'resnet_v1.5'
    """
    name = path.name
    while Path(name).suffix.lower() in _TABLE_SUFFIXES and Path(name).stem:
        name = Path(name).stem
    return name


def _read_layout(
    name: str, cells: Cells, layout: Layout, names: Mapping[str, str]
) -> ModelPredictions:
    where, notes = cells.table.where, (*cells.table.notes, *layout.notes)
    classes, columns = layout.classes, layout.probability
    if len(columns) == 1 and (lists := _lists(cells, columns[0])) is not None:
        probability = lists
        classes = tuple(str(number) for number in range(probability.shape[1]))
        columns = (columns[0],) * len(classes)
        classes = classes if len(classes) > 1 else (POSITIVE,)
    else:
        probability = np.column_stack([cells.numbers(column) for column in columns])
    if len(classes) > 1 and all(one.isdigit() for one in classes):
        notes = (*notes, *refuse_sorted(probability, where))
        classes = _named(classes, names, where)
    found = check_probabilities(probability, where, cells.lines, columns)
    # Beside one probability "1" says that a photograph is positive, whatever class has number 1.
    names = names if len(classes) > 1 else {}
    return ModelPredictions(
        name=name,
        form=layout.form,
        image_id=cells.image_ids(layout.image_id),
        classes=classes,
        probability=probability,
        label=None if layout.label is None else _labels(cells, layout.label, names),
        fold=None if layout.fold is None else _folds(cells, layout.fold),
        notes=(*notes, *found),
    )


def _read_ranked(
    name: str,
    table: PredictionTable,
    ranked: tuple[str, list[str], list[str]],
    given: Mapping[str, str],
    names: Mapping[str, str],
    positive: Sequence[str],
) -> ModelPredictions | None:
    """Read the likeliest classes of each photograph; None where they are true labels."""
    image_id, class_columns, probability_columns = ranked
    taken = (image_id, *class_columns, *probability_columns)
    label = find_named(table, "label", given, taken)
    fold = find_named(table, "fold", given, taken)
    cells = table.read([*taken, *(column for column in (label, fold) if column)])
    read = read_ranked(cells, class_columns, probability_columns, names, positive)
    if read is None:
        return None
    classes, probability = read
    columns = (probability_columns[0],) * len(classes)
    notes = check_probabilities(probability, table.where, cells.lines, columns)
    return ModelPredictions(
        name=name,
        form=f"timm's inference.py ({class_columns[0]}, {probability_columns[0]})",
        image_id=cells.image_ids(image_id),
        classes=classes,
        probability=probability,
        label=None if label is None else _labels(cells, label, names),
        fold=None if fold is None else _folds(cells, fold),
        notes=(*table.notes, *notes),
    )


def _lists(cells: Cells, column: str) -> Floats | None:
    """Return a column of lists, one probability for each class, as (n, k); None for numbers."""
    series = cells.series(column)
    of_text = series.dtype == pl.String and series.str.starts_with("[").any()
    if series.dtype not in (pl.List, pl.Array) and not of_text:
        return None
    rows = list_cells(series)
    widths = np.array([len(row) for row in rows])
    try:
        values = [[float(value) for value in row] for row in rows]
    except (TypeError, ValueError) as error:
        raise _uneven(cells, column, str(error)) from None
    if (widths != widths[0]).any() or not widths[0]:
        wrong = int((widths != widths[0]).argmax())
        found = f"{widths[0]} in the first row and {widths[wrong]} in line {cells.lines[wrong]}"
        raise _uneven(cells, column, found)
    return np.array(values, np.float64)


def _uneven(cells: Cells, column: str, found: str) -> DataError:
    return DataError(
        f"lists of one number for each class in column '{column}' of {cells.table.where}",
        found,
        "check the tool's output",
    )


def _named(classes: tuple[str, ...], names: Mapping[str, str], where: str) -> tuple[str, ...]:
    """Return the names of numbered classes, where a table gives them."""
    lacking = [one for one in classes if one not in names]
    if names and lacking:
        raise DataError(
            f"a name of every class of {where} in the table of classes",
            f"none of {', '.join(lacking)}",
            "complete the table",
        )
    return tuple(names.get(one, one) for one in classes)


def _labels(cells: Cells, column: str, names: Mapping[str, str]) -> NDArray[Any]:
    """Return true labels, shape (n,), with the classes' names for their numbers."""
    texts = cells.texts(column)
    meaning = {
        text: names.get(number, number) if (number := whole_number(text)) is not None else text
        for text in set(texts)
    }
    meaning |= {"True": "1", "False": "0", "true": "1", "false": "0"}
    return np.array([None if text is None else meaning[text] for text in texts], object)


def _folds(cells: Cells, column: str) -> Codes:
    """Number the folds of a column from 0, in the order of their names, shape (n,)."""
    texts = cells.texts(column)
    if None in texts:
        raise DataError(
            f"a fold in every row of column '{column}' of {cells.table.where}",
            f"none in line {cells.lines[texts.index(None)]}",
            "fill it in, or remove the column",
        )
    numbers = [whole_number(text) for text in texts]
    keys: list[Any] = texts if None in numbers else [int(number or 0) for number in numbers]
    place = {key: code for code, key in enumerate(sorted(set(keys)))}
    return np.array([place[key] for key in keys], np.int64)
