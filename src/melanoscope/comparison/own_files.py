"""Files that melanoscope itself writes: a run's predictions.parquet, and `predict --table`."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import polars as pl

from melanoscope.comparison.column_names import LABEL_NAMES
from melanoscope.comparison.layout import Layout, find_named, finish_layout
from melanoscope.comparison.model_predictions import (
    POSITIVE,
    ModelPredictions,
    check_probabilities,
)
from melanoscope.comparison.prediction_table import Cells, PredictionTable
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError
from melanoscope.transfers import TRANSFER_NAMES

_RUN = ("image_id", "target", "fold", "repeat", "backbone", "transfer", "seed_index", "probability")
_CELL = ("repeat", "fold", "seed_index")
_ANSWER = ("status", "concerns", "probability", "prevalence", "logit", "distance", "error")
_ADDED = re.compile(r"(?:melanoscope_)*")


def is_run_table(table: PredictionTable) -> bool:
    """Whether a table is the predictions.parquet of a run (or that as CSV)."""
    return set(_RUN) <= set(table.columns)


def read_run_table(table: PredictionTable, prefix: str) -> list[ModelPredictions]:
    """Read the networks of a run.

    Args:
        table: predictions.parquet of a run folder.
        prefix: What their names begin with; "" for nothing.

    Returns:
        One for each network and transfer, in the order of their first rows. Their folds have one
        number for each (repeat, fold, seed), the same for all.

    Raises:
        DataError: A number that is none, or probabilities that are none.
    """
    cells = table.read(_RUN)
    numbers = pl.DataFrame({name: cells.numbers(name) for name in _CELL})
    fold = pl.select(pl.struct(list(numbers)).rank("dense") - 1).to_series().to_numpy()
    networks = cells.frame.select("backbone", "transfer").cast(pl.String).fill_null("unknown")
    ids, labels = cells.image_ids("image_id"), np.array(cells.texts("target"), object)
    probability = cells.numbers("probability")[:, None]
    n_occasions = numbers.unique().height
    folds = numbers.unique("fold").height
    form = f"a run of melanoscope: {folds} folds, {n_occasions} trainings of each network"
    models = []
    for key in networks.unique(maintain_order=True).iter_rows():
        rows = ((networks["backbone"] == key[0]) & (networks["transfer"] == key[1])).to_numpy()
        notes = check_probabilities(
            probability[rows], table.where, cells.lines[rows], ("probability",)
        )
        name = f"{key[0]}, {TRANSFER_NAMES.get(key[1], key[1])}"
        models.append(
            ModelPredictions(
                name=f"{prefix}: {name}" if prefix else name,
                form=form,
                image_id=ids[rows],
                classes=(POSITIVE,),
                probability=probability[rows],
                label=labels[rows],
                fold=fold[rows].astype(np.int64),
                notes=(*table.notes, *notes),
            )
        )
    return models


def find_answers(table: PredictionTable, given: Mapping[str, str]) -> Layout | None:
    """Recognise the table that `melanoscope predict --table` writes.

    Args:
        table: The table.
        given: Our name of a column -> the table's, as ``--columns`` says.

    Returns:
        Its layout; None for another table.
    """
    # Names that the photographs' own table has already are written as melanoscope_NAME, so that
    # the longest is the one that was added.
    added: dict[str, str] = {}
    for column in sorted(table.columns, key=len):
        bare = _ADDED.sub("", column, count=1)
        if bare in _ANSWER:
            added[bare] = column
    if set(added) != set(_ANSWER):
        return None
    image_id = find_named(table, "image_id", given, tuple(added.values()))
    if image_id is None:
        return None
    form = "answers of melanoscope predict --table"
    layout = finish_layout(table, form, image_id, (added["probability"],), (POSITIVE,), given)
    label = find_named(table, "label", given, tuple(added.values()), LABEL_NAMES)
    return Layout(form, image_id, layout.probability, layout.classes, label, layout.fold)


def refuse_unanswered(cells: Cells, layout: Layout) -> None:
    """Refuse a table of answers in which photographs have none, and say why they have none.

    Args:
        cells: Cells of the table, its probabilities among them.
        layout: Layout as `find_answers` gives it.

    Raises:
        DataError: Rows without a probability: refused or unreadable photographs.
    """
    absent = np.isnan(cells.numbers(layout.probability[0]))
    if absent.any():
        ids = cells.image_ids(layout.image_id)[absent]
        raise DataError(
            f"a probability for each photograph in {cells.table.where}",
            f"{int(absent.sum()):,} without: refused or not read ({abbreviate(ids, 5)})",
            "predict with --force, mend those photographs, or leave them out of every file",
        )
