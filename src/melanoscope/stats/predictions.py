"""The test predictions of one network, with what resampling has to know of them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Predictions:
    """Test predictions of one network (backbone and arm) over all its folds and repeats.

    Attributes:
        target: 0 or 1, shape (n,).
        probability: Of melanoma, shape (n,), 0..1.
        threshold: Decision threshold of its cell, chosen on validation photographs, shape (n,).
        part: Which cell (repeat and fold), shape (n,). Only within a part were the probabilities
            made by one network, so that only there their order means something.
        group: Unit of resampling (patient, lesion, near-duplicates), shape (n,); codes common to
            the whole run.
        photograph: Which photograph, shape (n,); codes common to the whole run.

    Raises:
        StatisticsError: Other shapes or types, values outside their range, NaN, or a photograph
            twice in a part, in two groups, or with two targets.
    """

    target: Codes
    probability: Floats
    threshold: Floats
    part: Codes
    group: Codes
    photograph: Codes

    def __post_init__(self) -> None:
        n = self.target.shape
        for field in fields(self):
            values = getattr(self, field.name)
            if values.ndim != 1 or values.shape != n or not values.size:
                raise StatisticsError(
                    "predictions of one shape (n,), n above 0",
                    f"{field.name} of shape {values.shape} beside target of shape {n}",
                    "pass one value of each per prediction",
                )
            # Probabilities of another type can only be hard labels; codes could hold NaN.
            real = field.name in ("probability", "threshold")
            if values.dtype.kind not in ("f" if real else "iu"):
                raise StatisticsError(
                    f"{field.name} as {'floating point' if real else 'integers'}",
                    str(values.dtype),
                    "pass probabilities before any threshold, and codes for names",
                )
        if not np.isin(self.target, (0, 1)).all():
            raise StatisticsError("targets that are 0 or 1", "other values", "check the targets")
        bad = ~((self.probability >= 0) & (self.probability <= 1))
        if bad.any():
            raise StatisticsError(
                "probabilities between 0 and 1",
                f"{int(bad.sum())} outside or NaN, the first {float(self.probability[bad][0])!r}",
                "check whether logits were passed, or whether training diverged",
            )
        if not np.isfinite(self.threshold).all():
            raise StatisticsError(
                "finite thresholds", "NaN or infinity", "choose them on validation"
            )
        self._check_photographs()

    def _check_photographs(self) -> None:
        if _distinct(self.part, self.photograph) != self.target.size:
            raise StatisticsError(
                "each photograph once in a part", "one twice", "predict it once in each cell"
            )
        if _distinct(self.photograph, self.group) != np.unique(self.photograph).size:
            raise StatisticsError(
                "each photograph in one group", "one in two", "check the groups of the run"
            )
        if _distinct(self.photograph, self.target) != np.unique(self.photograph).size:
            raise StatisticsError(
                "each photograph with one target", "one with two", "check the target column"
            )

    @property
    def parts(self) -> Codes:
        """The parts there are, ascending."""
        return np.unique(self.part)

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return int(np.unique(self.group).size)

    def where(self, mask: NDArray[np.bool_]) -> Predictions:
        """Keep the predictions that a mask of shape (n,) marks.

        Raises:
            StatisticsError: None is marked, or the mask is none.
        """
        if mask.dtype != bool or mask.shape != self.target.shape:
            raise StatisticsError(
                f"a mask of shape {self.target.shape}",
                f"{mask.dtype} of shape {mask.shape}",
                "pass one boolean per prediction",
            )
        return Predictions(*(getattr(self, field.name)[mask] for field in fields(self)))

    def with_probability(self, probability: Floats) -> Predictions:
        """Replace the probabilities, by calibrated ones for example; shape (n,)."""
        return Predictions(
            self.target, probability, self.threshold, self.part, self.group, self.photograph
        )


def _distinct(a: Codes, b: Codes) -> int:
    """Count distinct pairs."""
    _, first = np.unique(a, return_inverse=True)
    names, second = np.unique(b, return_inverse=True)
    return int(np.unique(first * names.size + second).size)
