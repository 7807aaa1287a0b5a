"""What one network says of each photograph, whichever tool wrote it down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import DataError, MelanoscopeError, StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.validation import check_no_hard_labels

POSITIVE = "positive"
"""Name of the class where a file has the probability of one class only, and does not name it."""

SUM_TOLERANCE = 1e-3
"""How far from 1 the probabilities of a photograph's classes may sum up."""


@dataclass(frozen=True, eq=False)
class ModelPredictions:
    """Predictions of one model for n photographs.

    Attributes:
        name: Name of the model.
        form: How the file was understood, in one line.
        image_id: Ids of the photographs, strings, shape (n,), in the file's order. An id stands
            several times only in runs that repeat the folds or the seeds; `fold` tells them apart.
        classes: The k classes as the file names them; ``("positive",)`` where it has the
            probability of one class only.
        probability: Probabilities, 0 to 1, shape (n, k).
        label: True class of each photograph in the file's words, strings or None, shape (n,); None
            where the file has no labels. Where k = 1, "1" or "0", or words.
        fold: Fold in which each row was tested, from 0, shape (n,); None where the file has none.
            Of a run's networks each repeat and each seed counts as folds of its own.
        notes: What a person should be told, one line each.
    """

    name: str
    form: str
    image_id: NDArray[Any]
    classes: tuple[str, ...]
    probability: Floats
    label: NDArray[Any] | None = None
    fold: Codes | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.image_id.size)

    @property
    def is_binary(self) -> bool:
        """Whether the file has the probability of one class only."""
        return len(self.classes) == 1


def check_probabilities(
    probability: Floats, where: str, lines: NDArray[Any], columns: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse what are no probabilities, and say what is unusual of those that are.

    Args:
        probability: Shape (n, k).
        where: The file, for errors.
        lines: Line or row of each row in the file, shape (n,).
        columns: Name of each of the k columns, for errors.

    Returns:
        Notes, one line each.

    Raises:
        DataError: NaN or infinity, a value outside 0..1, or only 0 and 1.

    >>> check_probabilities(np.array([[0.7, 0.7]]), "'x.csv'", np.array([2]), ("a", "b"))
    ('1 of 1 rows do not sum to 1: their classes are taken as one-vs-rest scores',)
    """
    for wrong, found, mend in (
        (~np.isfinite(probability), "that are NaN, infinite or blank", "check the tool's output"),
        ((probability < 0) | (probability > 1), "outside", "apply softmax or sigmoid first"),
    ):
        if wrong.any():
            row, column = (int(place) for place in np.argwhere(wrong)[0])
            raise DataError(
                f"probabilities between 0 and 1 in {where}",
                f"{int(wrong.any(axis=1).sum()):,} rows {found}, the first in line {lines[row]}: "
                f"{float(probability[row, column])!r} in column '{columns[column]}'",
                mend,
            )
    refuse_hard_labels(probability, where)
    apart = np.abs(probability.sum(axis=1) - 1) > SUM_TOLERANCE
    if probability.shape[1] == 1 or not apart.any():
        return ()
    said = f"{int(apart.sum()):,} of {apart.size:,} rows do not sum to 1"
    return (f"{said}: their classes are taken as one-vs-rest scores",)


def refuse_hard_labels(probability: Floats, where: str) -> None:
    """Refuse a file whose `probability`, of any shape, holds only 0 and 1."""
    try:
        check_no_hard_labels(probability.ravel())
    except StatisticsError as error:
        raise in_file(error, where) from None


def in_file(error: MelanoscopeError, where: str) -> DataError:
    """Return `error` with the name of the file in which it was found."""
    return DataError(f"{error.expected} in {where}", error.found, error.mend)
