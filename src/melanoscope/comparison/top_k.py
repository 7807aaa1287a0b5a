"""The likeliest k classes of each photograph, as timm's inference.py writes them.

One column a rank (``label_0, label_1, ..., prob_0, prob_1, ...`` with --results-separate-col), or
one cell for all of them, as NumPy prints an array (``['mel' 'nv']``, ``[0.9 0.1]``; lists in
Parquet). With --topk 1, its default, ``filename,label,prob``. Only where every class, or the one
that is asked for, is among them can photographs be ranked.

Source: pytorch-image-models, inference.py (versions 0.8 to 1.0).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.comparison.class_names import class_name
from melanoscope.comparison.layout import find_named, named_column
from melanoscope.comparison.model_predictions import POSITIVE
from melanoscope.comparison.prediction_table import Cells, PredictionTable
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError
from melanoscope.stats.arrays import Floats
from melanoscope.tables.dialect import plain

_RANKED = re.compile(r"(index|label|prob|logit)_(\d{1,4})")
_WORDS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s,\[\]]+")
_MEND = "write all classes: --topk with their number, or --topk 0"


def ranked_columns(
    table: PredictionTable, given: Mapping[str, str]
) -> tuple[str, list[str], list[str]] | None:
    """Find columns of ranked classes and of their probabilities.

    Args:
        table: The table.
        given: Our name of a column -> the table's, as ``--columns`` says.

    Returns:
        The column of ids, the columns of classes (names before numbers) and those of probabilities;
        None where the table is of another form.

    Raises:
        DataError: Logits instead of probabilities.
    """
    image_id = find_named(table, "image_id", given)
    if image_id is None or named_column(table, "probability", given):
        return None
    ranks: dict[str, dict[int, str]] = {"index": {}, "label": {}, "prob": {}, "logit": {}}
    for column in table.columns:
        if match := _RANKED.fullmatch(plain(column)):
            ranks[match[1]][int(match[2])] = column
        elif plain(column) in ranks:
            ranks[plain(column)].setdefault(0, column)
    kinds = [kind for kind in ("label", "index") if ranks[kind]]
    if not kinds or not (ranks["prob"] or ranks["logit"]):
        return None
    if "label" in given and kinds == ["label"] and len(ranks["label"]) == 1:
        return None  # the user says that it is the truth
    if not ranks["prob"]:
        raise DataError(
            f"probabilities in {table.where}",
            f"'{next(iter(ranks['logit'].values()))}', before softmax",
            "apply softmax first (--output-type prob)",
        )
    classes, probability = ranks[kinds[0]], ranks["prob"]
    if sorted(classes) != sorted(probability):
        return None
    order = sorted(classes)
    return image_id, [classes[rank] for rank in order], [probability[rank] for rank in order]


def read_ranked(
    cells: Cells,
    class_columns: Sequence[str],
    probability_columns: Sequence[str],
    names: Mapping[str, str],
    positive: Sequence[str],
) -> tuple[tuple[str, ...], Floats] | None:
    """Read ranked classes as one column a class.

    Args:
        cells: The columns of `ranked_columns`.
        class_columns: Columns of classes, the likeliest first.
        probability_columns: Columns of their probabilities.
        names: Number of a class -> its name.
        positive: The classes that are asked for, in any words.

    Returns:
        Names of k classes and their probabilities, shape (n, k), or ("positive",) and the sum of
        the classes that are asked for; None where one label, 0 or 1, stands beside each
        probability: those are true labels, not predictions.

    Raises:
        DataError: A photograph lacks a class that is needed.
    """
    words = _by_rank([list_cells(cells.series(column)) for column in class_columns])
    values = _by_rank([list_cells(cells.series(column)) for column in probability_columns])
    single = len(class_columns) == 1 and all(len(row) == 1 for row in words)
    first = {str(row[0]).removesuffix(".0") for row in words if row}
    try:
        scores = [[float(value) for value in row] for row in values]
    except ValueError as error:
        raise DataError(
            f"lists of numbers in {cells.table.where}", str(error), "check the tool's output"
        ) from None
    if single and plain(class_columns[0]) == "label" and first <= {"0", "1"}:
        # Of two classes the likelier has at least one half: the label is then what was predicted.
        if min(value for row in scores for value in row) < 0.5:
            return None
        raise _too_few(cells, [["0"], ["1"]], 1, positive)
    told = [[names.get(str(word), str(word)) for word in row] for row in words]
    return _spread(cells, told, scores, positive, set(names.values()))


def list_cells(series: pl.Series) -> list[list[Any]]:
    r"""Return the cells of a column as lists: of Parquet as they are, of text as NumPy prints them.

    >>> list_cells(pl.Series(["['mel' 'bowen\\'s']", "[0.9, 1e-3]", "mel"]))
    [['mel', "bowen's"], ['0.9', '1e-3'], ['mel']]
    """
    if series.dtype in (pl.List, pl.Array):
        return [[] if row is None else list(row) for row in series.to_list()]
    return [_split(cell) for cell in series.cast(pl.String).fill_null("").to_list()]


def _split(cell: str) -> list[str]:
    if not (cell.startswith("[") and cell.endswith("]")):
        return [cell]
    found = _WORDS.findall(cell[1:-1])
    try:
        return [str(ast.literal_eval(word)) if word[0] in "'\"" else word for word in found]
    except (ValueError, SyntaxError):
        return found


def _by_rank(columns: Sequence[list[list[Any]]]) -> list[list[Any]]:
    """Return one list a row from one column of lists, or from several of single cells."""
    if len(columns) == 1:
        return columns[0]
    return [[cell for part in parts for cell in part] for parts in zip(*columns, strict=True)]


def _spread(
    cells: Cells,
    told: list[list[str]],
    scores: list[list[float]],
    positive: Sequence[str],
    known: Collection[str],
) -> tuple[tuple[str, ...], Floats]:
    # A class that is never among the likeliest lacks all the same.
    classes = tuple(sorted({word for row in told for word in row} | set(known)))
    place = {word: number for number, word in enumerate(classes)}
    # Once there are fewer ranks than classes, this is at most as wide as what was read is long.
    most = max(map(len, told), default=0)
    wanted = {class_name(word) for word in positive}
    is_partial = most < len(classes) and bool(wanted)
    if is_partial:
        asked = [word for word in classes if class_name(word) in wanted]
        place = {word: number for number, word in enumerate(asked)}
    if most < len(place) or not place or most < 2:
        raise _too_few(cells, told, most, positive)
    probability = np.full((len(told), len(place)), np.nan)
    for row, (words, values) in enumerate(zip(told, scores, strict=True)):
        if len(words) != len(values) or len(set(words)) != len(words):
            raise DataError(
                f"as many classes as probabilities, each class once, in {cells.table.where}",
                f"{len(words)} and {len(values)} in line {cells.lines[row]}",
                "check the tool's output",
            )
        for word, value in zip(words, values, strict=True):
            if word in place:
                probability[row, place[word]] = value
            if not 0 <= value <= 1:
                raise DataError(
                    f"probabilities between 0 and 1 in {cells.table.where}",
                    f"{value!r} in line {cells.lines[row]}",
                    "apply softmax or sigmoid first",
                )
    absent = np.isnan(probability).any(axis=1)
    if absent.any():
        raise _too_few(cells, told, most, positive, absent)
    if is_partial:
        return (POSITIVE,), probability.sum(axis=1, keepdims=True).clip(max=1.0)
    return classes, probability


def _too_few(
    cells: Cells,
    told: list[list[str]],
    most: int,
    positive: Sequence[str],
    absent: NDArray[np.bool_] | None = None,
) -> DataError:
    n_classes = len({word for row in told for word in row})
    lines = cells.lines if absent is None else cells.lines[absent]
    what = f"the probability of {' and '.join(positive)}" if positive else "that of every class"
    return DataError(
        f"{what} for each photograph in {cells.table.where}",
        f"only the likeliest {most} of at least {n_classes} classes; {len(lines):,} rows lack one "
        f"(lines {abbreviate(lines[:5])})",
        _MEND + "; if the column 'label' is the truth, say --columns label=label",
    )


def refuse_sorted(probability: Floats, where: str) -> tuple[str, ...]:
    """Refuse probabilities that fall from the first column to the last in every row.

    Such columns are ranks and no classes: timm writes them so where labels and indices are off.

    Args:
        probability: Shape (n, k).
        where: The file, for errors.

    Returns:
        A note where two columns leave it open.

    Raises:
        DataError: Three columns or more that fall in all of at least 10 rows.
    """
    n, k = probability.shape
    falls = bool((np.diff(probability, axis=1) <= 0).all())
    if not falls or n < 10:
        return ()
    if k == 2:
        return (
            "the first class is the likelier one in every row; if that is a rank, write labels",
        )
    raise DataError(
        f"one column for each class in {where}",
        "probabilities that fall from the first column to the last in every row: ranks, no classes",
        "write labels or indices beside them (--include-index), or --topk 0",
    )
