"""How a network does in each subgroup, and whether subgroups differ more than chance allows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.stats.calibration.calibration_intervals import (
    calibration_line_intervals,
    observed_over_expected,
)
from melanoscope.stats.intervals.clustered import Clustered, ClusteredAuroc, ClusteredShare
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.mover import difference
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.metrics.operating_points import shares
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.validation import check_probability

# Fewest groups with positives, and with others, about which a number is given.
_FEWEST_GROUPS = 10
_TESTED_METRICS = ("auroc", "sensitivity")


@dataclass(frozen=True, kw_only=True)
class SubgroupLevel:
    """One level of a variable, women for example.

    Attributes:
        n: Number of photographs.
        positives: Number of photographs that are positive.
        groups: Number of patients (lesions, photographs where no patients are known).
        too_small: Why no number is given; empty where numbers are given.
        metrics: Metric -> interval. AUROC is that over the pairs within a fold; sensitivity and
            specificity are at the folds' thresholds; observed_expected is positives observed over
            expected (1 is right, above: probabilities too low).
        calibration_slope: Slope of the outcome's log-odds on the calibrated logit (1 is right,
            below: probabilities too extreme); None where none is finite.
    """

    name: str
    n: int
    positives: int
    groups: int
    too_small: str
    metrics: dict[str, Interval]
    calibration_slope: Interval | None = None


@dataclass(frozen=True, kw_only=True)
class SubgroupDifference:
    """One level against all others of its variable: one hypothesis.

    Attributes:
        variable: Name of the variable.
        level: The level.
        rest: What it is compared with: the other level of two, or "the other levels".
        metric: "auroc" or "sensitivity".
        difference: Metric of the level minus that of the others, with its interval.
        p_value: Two-sided p-value.
        p_holm: P-value adjusted over the whole family (`adjust_family`); NaN before that.
    """

    variable: str
    level: str
    rest: str
    metric: str
    difference: Interval
    p_value: float
    p_holm: float = float("nan")


@dataclass(frozen=True)
class SubgroupVariable:
    """A variable with all its levels, and their differences."""

    name: str
    levels: tuple[SubgroupLevel, ...]
    differences: tuple[SubgroupDifference, ...] = field(default=())


def adjust_family(variables: Sequence[SubgroupVariable]) -> list[SubgroupVariable]:
    """Adjust the differences of all `variables` and metrics after Holm, as one family."""
    p_values = holm([one.p_value for variable in variables for one in variable.differences])
    adjusted = iter(p_values.tolist())
    return [
        replace(
            variable,
            differences=tuple(replace(d, p_holm=next(adjusted)) for d in variable.differences),
        )
        for variable in variables
    ]


def compare_subgroups(
    predictions: Predictions,
    *,
    name: str,
    labels: NDArray[np.object_],
    order: Sequence[str],
    calibrated_probability: Floats,
    tested: Sequence[str] | None = None,
    classes: tuple[str, str] = ("positives", "negatives"),
    widening: float = UNTOUCHED,
) -> SubgroupVariable:
    """Evaluate a network in each level of a variable.

    A level is tested against the photographs of all other levels that are large enough and to be
    tested; of two levels only the first, since the other would be the same hypothesis. Intervals
    are those of `clustered` and, for differences, of `mover`, calibration's those of
    `calibration_intervals`.

    Args:
        predictions: Test predictions of one network.
        name: Name of the variable.
        labels: Level of each prediction, shape (n,).
        order: Levels to evaluate; photographs of other levels take no part.
        calibrated_probability: Probabilities after temperature scaling, 0..1, shape (n,).
        tested: Levels to be tested against the rest; None for all.
        classes: Words for positives and negatives, where a level is said to hold too few.
        widening: Factor on variances for cross-validation (`CrossValidation.factor`); 1 for
            photographs that no network was trained on.

    Returns:
        The levels that have photographs, and differences of those that are large enough, not
        adjusted: `adjust_family` does that for all variables together.

    Raises:
        StatisticsError: Labels or calibrated probabilities of another shape, or these not in 0..1.
    """
    labels = np.asarray(labels, object)
    for what, values in (("labels", labels), ("calibrated probabilities", calibrated_probability)):
        if np.shape(values) != predictions.target.shape:
            raise StatisticsError(
                f"{what} of shape {predictions.target.shape}",
                f"shape {np.shape(values)}",
                "pass one per prediction",
            )
    check_probability(calibrated_probability)
    levels: list[SubgroupLevel] = []
    to_test: dict[str, Booleans] = {}
    for label in order:
        inside = labels == label
        if not inside.any():
            continue
        level = _level(label, predictions, inside, calibrated_probability, classes, widening)
        levels.append(level)
        if not level.too_small and (tested is None or label in tested):
            to_test[label] = inside
    return SubgroupVariable(
        name, tuple(levels), tuple(_differences(name, predictions, to_test, widening))
    )


def _level(
    name: str,
    predictions: Predictions,
    inside: Booleans,
    calibrated_probability: Floats,
    classes: tuple[str, str],
    widening: float,
) -> SubgroupLevel:
    too_small = _too_small(predictions, inside, classes)
    metrics: dict[str, Interval] = {}
    slope = None
    group = predictions.group[inside]
    if not too_small:
        measured = _measure(predictions, inside, widening)
        metrics = {metric: found.interval for metric, found in measured.items()}
        sample = predictions.target[inside], calibrated_probability[inside], group
        with suppress(StatisticsError):  # nothing is expected: all probabilities are 0
            metrics["observed_expected"] = observed_over_expected(*sample, widening=widening)
        with suppress(StatisticsError):  # separated, or one probability for all
            slope = calibration_line_intervals(*sample, widening=widening)[0]
    positives = inside & (predictions.target == 1)
    return SubgroupLevel(
        name=name,
        n=np.unique(predictions.image_index[inside]).size,
        positives=np.unique(predictions.image_index[positives]).size,
        groups=np.unique(group).size,
        too_small=too_small,
        metrics=metrics,
        calibration_slope=slope,
    )


def _measure(
    predictions: Predictions, inside: Booleans, widening: float
) -> dict[str, ClusteredAuroc | ClusteredShare]:
    """Return AUROC, sensitivity and specificity of the photographs `inside`."""
    called = predictions.probability >= predictions.threshold
    sensitivity, specificity = shares(predictions, called, widening, inside)
    return {
        "auroc": pooled_auroc(predictions, inside, widening),
        "sensitivity": sensitivity,
        "specificity": specificity,
    }


def _too_small(predictions: Predictions, inside: Booleans, classes: tuple[str, str]) -> str:
    """Say why a level is too small for a number, or return an empty string."""
    for outcome, lesions in zip((1, 0), classes, strict=True):
        holders = np.unique(predictions.group[inside & (predictions.target == outcome)]).size
        if holders == 0:
            return f"no {lesions}"
        if holders < _FEWEST_GROUPS:
            groups = "1 group" if holders == 1 else f"{holders} groups"
            return f"too few: {groups} with {lesions}, at least {_FEWEST_GROUPS} needed"
    for fold in predictions.fold_ids:
        if np.unique(predictions.target[inside & (predictions.fold_id == fold)]).size == 2:
            return ""
    return f"no {classes[0]} and {classes[1]} in one fold"


def _differences(
    variable: str, predictions: Predictions, levels: dict[str, Booleans], widening: float
) -> list[SubgroupDifference]:
    if len(levels) < 2:
        return []
    everybody = np.logical_or.reduce(list(levels.values()))
    n = int(np.unique(predictions.group[everybody]).size)
    differences = []
    names = list(levels)
    # Of two levels each is the other's rest: one hypothesis.
    for level in names[:1] if len(names) == 2 else names:
        mine: dict[str, Clustered] = {**_measure(predictions, levels[level], widening)}
        others = _measure(predictions, everybody & ~levels[level], widening)
        for metric in _TESTED_METRICS:
            found, p_value = difference(mine[metric], others[metric], n=n)
            differences.append(
                SubgroupDifference(
                    variable=variable,
                    level=level,
                    rest=names[1] if len(names) == 2 else "the other levels",
                    metric=metric,
                    difference=found,
                    p_value=p_value,
                )
            )
    return differences
