"""The predictions of one trained network, and of all networks of one row together."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Codes, Floats
from melanoscope.stats.validation import check_probability


@dataclass(frozen=True, eq=False, kw_only=True)
class CellPredictions:
    """Test predictions of one trained network.

    Attributes:
        transfer: How the network was begun and trained, one of `transfers.TRANSFERS`.
        repeat: Number of the division into folds.
        fold: Number of the fold that the network was tested on.
        seed_index: Number of the training of this network on this fold.
        image_id: Names of the tested photographs, strings, shape (n_test,); in the same order for
            all networks of one (repeat, fold).
        target: 1 for positives, 0 for negatives, shape (n_test,).
        probability: Predicted probability of the positive class, 0..1, shape (n_test,).
        threshold: Decision threshold, chosen on validation photographs.
        n_train: Number of photographs trained on.
    """

    backbone: str
    transfer: str
    repeat: int
    fold: int
    image_id: NDArray[Any]
    target: Codes
    probability: Floats
    threshold: float
    n_train: int
    seed_index: int = 0

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Repeat, fold and seed_index."""
        return self.repeat, self.fold, self.seed_index


@dataclass(frozen=True, eq=False, kw_only=True)
class Predictions:
    """Test predictions of one network (backbone and transfer) over its folds, repeats and seeds.

    Attributes:
        target: 1 for positives, 0 for negatives, shape (n,).
        probability: Predicted probability of the positive class, 0..1, shape (n,).
        threshold: Decision threshold of the prediction's fold, chosen on validation photographs,
            shape (n,).
        fold_id: Fold of a repeat and seed that the prediction was made in, counted through over all
            folds, repeats and seeds, shape (n,). The probabilities of one fold_id come from one
            trained network; only there does their order mean something. Those of several seeds
            have the same photographs.
        group: Code of the unit of resampling (patient, lesion, near-duplicates), common to the
            whole run, shape (n,).
        image_index: Code of the photograph, common to the whole run, shape (n,).

    Raises:
        StatisticsError: Other shapes or types, values outside their range, NaN, or a photograph
            twice in a fold, in two groups, or with two targets.
    """

    target: Codes
    probability: Floats
    threshold: Floats
    fold_id: Codes
    group: Codes
    image_index: Codes

    def __post_init__(self) -> None:
        self._check_arrays()
        if not np.isin(self.target, (0, 1)).all():
            raise StatisticsError("targets that are 0 or 1", "other values", "check the targets")
        check_probability(self.probability)
        if not np.isfinite(self.threshold).all():
            raise StatisticsError(
                "finite thresholds", "NaN or infinity", "choose them on validation"
            )
        check_images(self)

    def _check_arrays(self) -> None:
        n = self.target.shape
        for field in fields(self):
            # Probabilities of another type can only be hard labels; codes could hold NaN.
            real = field.name in ("probability", "threshold")
            check_codes(field.name, getattr(self, field.name), n, kind="f" if real else "iu")

    @property
    def fold_ids(self) -> Codes:
        """The folds that occur, ascending."""
        return np.unique(self.fold_id)

    @property
    def n_groups(self) -> int:
        """Number of groups that occur."""
        return int(np.unique(self.group).size)

    def where(self, mask: Booleans) -> Predictions:
        """Keep the predictions that `mask` marks, booleans of shape (n,), at least one."""
        if mask.dtype != bool or mask.shape != self.target.shape:
            raise StatisticsError(
                f"a mask of shape {self.target.shape}",
                f"{mask.dtype} of shape {mask.shape}",
                "pass one boolean per prediction",
            )
        return Predictions(
            **{field.name: getattr(self, field.name)[mask] for field in fields(self)}
        )

    def with_probability(self, probability: Floats) -> Predictions:
        """Replace the probabilities, by calibrated ones of shape (n,) for example."""
        return replace(self, probability=probability)


def same_photographs(a: _Tested, b: _Tested) -> bool:
    """Return whether two networks were tested on the same photographs, folds, in the same order."""
    return type(a) is type(b) and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("image_index", "target", "fold_id", "group")
    )


def check_codes(
    name: str, values: NDArray[Any], shape: tuple[int, ...], *, kind: str = "iu"
) -> None:
    """Refuse `values` that are not of the one `shape` (n,), or of another `kind` of numbers."""
    if values.ndim != 1 or values.shape != shape or not values.size:
        raise StatisticsError(
            "predictions of one shape (n,), n above 0",
            f"{name} of shape {values.shape} beside target of shape {shape}",
            "pass one value of each per prediction",
        )
    if values.dtype.kind not in kind:
        raise StatisticsError(
            f"{name} as {'floating point' if kind == 'f' else 'integers'}",
            str(values.dtype),
            "pass probabilities before any threshold, and codes for names",
        )


class _Tested(Protocol):
    """What `check_images` reads."""

    @property
    def target(self) -> Codes: ...
    @property
    def fold_id(self) -> Codes: ...
    @property
    def image_index(self) -> Codes: ...
    @property
    def group(self) -> Codes: ...


def check_images(predictions: _Tested) -> None:
    """Refuse a photograph twice in a fold, in two groups, or with two targets."""
    image = predictions.image_index
    images = np.unique(image).size
    for what, a, b, pairs in (
        ("once in a fold", predictions.fold_id, image, image.size),
        ("in one group", image, predictions.group, images),
        ("with one target", image, predictions.target, images),
    ):
        if len(set(zip(a.tolist(), b.tolist(), strict=True))) != pairs:
            raise StatisticsError(
                f"each photograph {what}", "one that is not", "check the run's cells and catalog"
            )
