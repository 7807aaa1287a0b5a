"""Which form a table of predictions has, by its header: ids, probabilities, labels, folds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from melanoscope.comparison.class_names import class_name, is_known_word
from melanoscope.comparison.column_names import (
    FOLD_NAMES,
    LABEL_NAMES,
    LOGIT_NAMES,
    OUT_OF_FOLD_NAMES,
    PREDICTED_NAMES,
    PREDICTION_COLUMNS,
    PROBABILITY_NAMES,
)
from melanoscope.comparison.model_predictions import POSITIVE
from melanoscope.comparison.prediction_table import PredictionTable
from melanoscope.data.validation import abbreviate
from melanoscope.errors import DataError
from melanoscope.tables.dialect import plain

FORMS: Mapping[str, str] = {
    "a run's predictions.parquet": "image_id, fold, repeat, backbone, transfer, seed_index",
    "melanoscope predict --table": "a path, status, probability, logit, distance",
    "numbered classes": "an id, probability_class_0, probability_class_1, ... (or prob_0, preds_0)",
    "one column a class": "an id, and columns named MEL, NV, BCC, ...",
    "timm's inference.py": "filename, label or index, prob",
    "id and probability": "an id, and probability, prob, score, pred or target",
}
"""The forms that are read, each with the columns it needs."""

_NUMBERED = re.compile(
    r"((?:y_|oof_|pred_)?(?:probability|probabilities|probas?|probs?|preds?|predictions?|scores?|"
    r"softmax|outputs?|p)(?:_?class)?)[_. -]?(\d{1,4})"
)
_WORDED = re.compile(
    r"(?:y_|oof_|pred_)?(?:probability|probabilities|probas?|probs?|preds?|predictions?|scores?|"
    r"softmax|outputs?|p)[_. :-](?:class[_. :-])?(.+)|(.+)[_. -](?:probability|prob|score)"
)


@dataclass(frozen=True)
class Layout:
    """Where a table of predictions has what.

    Attributes:
        form: The form, in one line.
        image_id: Column of ids.
        probability: Columns of probabilities, one for each of `classes`.
        classes: Names of the classes; ("positive",) for a single column.
        label: Column of the true classes, if there is one.
        fold: Column of folds, if there is one.
        notes: What a person should be told, one line each.
    """

    form: str
    image_id: str
    probability: tuple[str, ...]
    classes: tuple[str, ...]
    label: str | None = None
    fold: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        named = (self.image_id, *self.probability, self.label, self.fold)
        return tuple(column for column in named if column is not None)


def find_layout(table: PredictionTable, given: Mapping[str, str]) -> Layout:
    """Recognise numbered classes, one column a class, or an id beside one probability.

    Args:
        table: The table.
        given: Our name of a column -> the table's, as ``--columns`` says.

    Returns:
        The layout.

    Raises:
        DataError: The table has none of the forms; names its columns and what each form needs.
    """
    image_id = find_named(table, "image_id", given)
    if image_id is not None:
        recognisers: tuple[Callable[..., Layout | None], ...] = (_numbered, _worded, _single)
        if named_column(table, "probability", given):
            recognisers = (_single,)
        for recognise in recognisers:
            if layout := recognise(table, image_id, given):
                return layout
    raise unrecognised(table)


def unrecognised(table: PredictionTable) -> DataError:
    """Return the refusal of a table that has none of the forms."""
    if logit := table.find(LOGIT_NAMES):
        return DataError(
            f"probabilities in {table.where}",
            f"'{logit}', before softmax or sigmoid",
            "apply softmax or sigmoid first",
        )
    needs = "; ".join(f"{form}: {columns}" for form, columns in FORMS.items())
    return DataError(
        f"predictions in a known form in {table.where}",
        f"the columns {abbreviate((repr(column) for column in table.columns), 20)}",
        f"say --columns image_id=NAME,probability=NAME, or write one of the forms ({needs})",
    )


def named_column(table: PredictionTable, ours: str, given: Mapping[str, str]) -> str | None:
    """Return the table's column that ``--columns`` names `ours`, if the table has it."""
    return table.find(given[ours]) if ours in given else None


def find_named(
    table: PredictionTable,
    ours: str,
    given: Mapping[str, str],
    taken: Sequence[str] = (),
    names: Sequence[str] | None = None,
) -> str | None:
    """Return the column that is `ours`: the one that is given, else the first of common names.

    Args:
        table: The table.
        ours: Our name, of `PREDICTION_COLUMNS`.
        given: Our name -> the table's, as ``--columns`` says.
        taken: Columns that are something else already.
        names: Common names. Default: those of `PREDICTION_COLUMNS`.

    Returns:
        Its name as written, or None.
    """
    if column := named_column(table, ours, given):
        return column
    others = {plain(theirs) for name, theirs in given.items() if name != ours}
    others |= {plain(column) for column in taken}
    common = PREDICTION_COLUMNS[ours] if names is None else names
    return table.find([name for name in common if name not in others])


def finish_layout(
    table: PredictionTable,
    form: str,
    image_id: str,
    probability: tuple[str, ...],
    classes: tuple[str, ...],
    given: Mapping[str, str],
    notes: tuple[str, ...] = (),
) -> Layout:
    """Find labels and folds beside the probabilities, and say what is not read.

    Args:
        table: The table.
        form: The form, in one line.
        image_id: Column of ids.
        probability: Columns of probabilities.
        classes: Name of the class of each.
        given: Our name of a column -> the table's, as ``--columns`` says.
        notes: What a person should be told, one line each.

    Returns:
        The layout.
    """
    taken = (image_id, *probability)
    label = find_named(table, "label", given, taken)
    fold = find_named(table, "fold", given, taken)
    layout = Layout(form, image_id, probability, classes, label, fold)
    passed = {plain(name) for name in (*layout.columns, *PREDICTED_NAMES)}
    unread = [repr(column) for column in table.columns if plain(column) not in passed]
    if unread:
        notes = (*notes, f"not read: {abbreviate(unread, 20)}")
    lacking = [f"{ours}={theirs}" for ours, theirs in given.items() if not table.find(theirs)]
    if lacking:
        notes = (*notes, f"no such column for --columns {', '.join(lacking)}")
    return Layout(form, image_id, probability, classes, label, fold, notes)


def _numbered(table: PredictionTable, image_id: str, given: Mapping[str, str]) -> Layout | None:
    """Recognise one column for each number of a class: probability_class_0, prob_1, preds_2."""
    families: dict[str, dict[int, str]] = {}
    for column in table.columns:
        if (match := _NUMBERED.fullmatch(plain(column))) and column != image_id:
            family = families.setdefault(match[1], {})
            family.setdefault(int(match[2]), column)
    prefix = max(families, key=lambda name: len(families[name]), default="")
    if not prefix or len(families[prefix]) < 2:
        return None
    numbers = sorted(families[prefix])
    columns = tuple(families[prefix][number] for number in numbers)
    if numbers not in ([*range(len(numbers))], [*range(1, len(numbers) + 1)]):
        raise DataError(
            f"columns '{prefix}_0' to '{prefix}_{numbers[-1]}' in {table.where}, all of them",
            abbreviate((repr(column) for column in columns), 20),
            "write every class",
        )
    form = f"numbered classes ({columns[0]} to {columns[-1]})"
    return finish_layout(table, form, image_id, columns, tuple(map(str, numbers)), given)


def _worded(table: PredictionTable, image_id: str, given: Mapping[str, str]) -> Layout | None:
    """Recognise one column for each class by its name, as in the ISIC challenges."""
    special = {plain(image_id), *PREDICTED_NAMES}
    special |= {*LABEL_NAMES, *FOLD_NAMES, *map(plain, given.values())}
    free = [column for column in table.columns if plain(column) not in special]
    bare = {column: column for column in free if is_known_word(column)}
    dressed = {
        column: word
        for column in free
        if (match := _WORDED.fullmatch(plain(column)))
        and is_known_word(word := column[slice(*match.span(1 if match[1] else 2))])
    }
    words = bare if len(bare) >= len(dressed) else dressed
    # "malignant" or "melanoma" alone, beside an id, is one probability: see `_single`.
    if len({class_name(word) for word in words.values()}) < 2:
        return None
    form = f"one column a class ({abbreviate(words.values(), 12)})"
    return finish_layout(table, form, image_id, (*words,), (*words.values(),), given)


def _single(table: PredictionTable, image_id: str, given: Mapping[str, str]) -> Layout | None:
    """Recognise an id beside one probability: Kaggle's files, dumps of Lightning, own tables."""
    column = find_named(table, "probability", given, (image_id,))
    notes: tuple[str, ...] = ()
    if column is None and not table.find(LOGIT_NAMES):
        # A submission's only column: Kaggle calls it "target", others by the class.
        rest = [c for c in table.columns if c != image_id and plain(c) not in FOLD_NAMES]
        label = named_column(table, "label", given)
        rest = [c for c in rest if c != label]
        if len(rest) == 1 and (plain(rest[0]) in ("target", "label") or is_known_word(rest[0])):
            column = rest[0]
            notes = (f"column '{column}' is read as the probability",)
    if column is None:
        return None
    others = [c for c in table.columns if plain(c) in PROBABILITY_NAMES and c != column]
    if others and "probability" not in given:
        said = " and ".join(f"'{other}'" for other in others)
        notes = (*notes, f"'{column}' is read as the probability, not {said}")
    if plain(column) in OUT_OF_FOLD_NAMES or find_named(table, "fold", given, (image_id, column)):
        form = f"out-of-fold predictions (id, {column})"
    else:
        form = f"id and probability ({image_id}, {column})"
    return finish_layout(table, form, image_id, (column,), (POSITIVE,), given, notes)
