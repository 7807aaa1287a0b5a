"""The predictions of one network that tells several classes apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.predictions import Predictions, check_codes, check_images
from melanoscope.stats.validation import check_probability


@dataclass(frozen=True, eq=False, kw_only=True)
class MulticlassPredictions:
    """Test predictions of one network for k classes, over its folds.

    Attributes:
        target: Class of each photograph, 0 to k - 1, each of them occurring, shape (n,).
        probability: Predicted probability of each class, 0..1, shape (n, k), k at least 2. Rows are
            not asked to add up to 1, since rounded ones do not; only their order counts.
        group: Code of the unit of resampling (patient, lesion, near-duplicates), shape (n,).
        image_index: Code of the photograph, shape (n,).
        fold_id: Fold that the prediction was made in, as in `Predictions`, shape (n,).

    Raises:
        StatisticsError: Other shapes or types, values outside their range, NaN, a class without a
            photograph in one of the folds, or a photograph twice in a fold, in two groups, or with
            two targets.
    """

    target: Codes
    probability: Floats
    group: Codes
    image_index: Codes
    fold_id: Codes

    def __post_init__(self) -> None:
        n, shape = self.target.shape, self.probability.shape
        for name in ("target", "group", "image_index", "fold_id"):
            check_codes(name, getattr(self, name), n)
        if len(shape) != 2 or shape[0] != n[0] or shape[1] < 2:
            raise StatisticsError(
                f"probabilities of shape ({n[0]}, k), k at least 2",
                f"shape {shape}",
                "pass one probability per photograph and class",
            )
        if self.probability.dtype.kind != "f":
            raise StatisticsError(
                "probability as floating point",
                str(self.probability.dtype),
                "pass probabilities before any decision",
            )
        check_probability(self.probability)
        expected = np.arange(shape[1])
        for fold in self.fold_ids:
            held = np.unique(self.target[self.fold_id == fold])
            if not np.array_equal(held, expected):
                raise StatisticsError(
                    f"all classes 0 to {shape[1] - 1} in every fold",
                    f"only {', '.join(map(str, held.tolist()))} in one",
                    "leave out classes without photographs, or use fewer folds",
                )
        check_images(self)

    @property
    def fold_ids(self) -> Codes:
        """The folds that occur, ascending."""
        return np.unique(self.fold_id)

    @property
    def n_groups(self) -> int:
        """Number of groups that occur."""
        return int(np.unique(self.group).size)

    @property
    def n_classes(self) -> int:
        """Number of classes, k."""
        return int(self.probability.shape[1])

    @property
    def correct(self) -> Booleans:
        """Whether the most probable class (of several the first) is the target, shape (n,)."""
        return np.asarray(self.probability.argmax(axis=1) == self.target)


AnyPredictions = Predictions | MulticlassPredictions
"""Predictions of one network, of one class against the others or of several."""


def fewest_groups(predictions: AnyPredictions) -> int:
    """Return how many groups hold the class that the fewest hold."""
    pairs = np.unique(np.stack([predictions.target, predictions.group]), axis=1)[0]
    return int(np.unique(pairs, return_counts=True)[1].min())
