"""How a network does in each subgroup, and whether subgroups differ more than chance allows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.calibration.calibration_intervals import (
    calibration_line_intervals,
    observed_over_expected,
)
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.subgroup_sums import SubgroupSums, difference_of
from melanoscope.stats.validation import check_probability

# Fewest groups with positives, and with others, about which a number is given.
_FEWEST_GROUPS = 10
_METRICS = ("auroc", "sensitivity", "specificity")
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
    """One level against all others.

    Attributes:
        metric: "auroc" or "sensitivity".
        difference: Metric of the level minus that of the others, with its interval.
        p_value: Two-sided p-value.
        p_holm: P-value adjusted over the levels of the variable; two levels are one test.
    """

    level: str
    metric: str
    difference: Interval
    p_value: float
    p_holm: float


@dataclass(frozen=True)
class SubgroupVariable:
    """A variable with all its levels, and their differences."""

    name: str
    levels: tuple[SubgroupLevel, ...]
    differences: tuple[SubgroupDifference, ...]


def compare_subgroups(
    predictions: Predictions,
    weights: BootstrapWeights,
    *,
    name: str,
    labels: NDArray[np.object_],
    order: Sequence[str],
    calibrated_probability: Floats,
    tested: Sequence[str] | None = None,
    classes: tuple[str, str] = ("positives", "negatives"),
) -> SubgroupVariable:
    """Evaluate a network in each level of a variable.

    A level is tested against the photographs of all other levels that are large enough and to be
    tested. AUROC, sensitivity and specificity have the interval of the group bootstrap, or exact
    bounds where that is blind (`subgroup_sums`), calibration that of `calibration_intervals`.

    Args:
        predictions: Test predictions of one network.
        weights: Bootstrap weights of their groups.
        name: Name of the variable.
        labels: Level of each prediction, shape (n,).
        order: Levels to evaluate; photographs of other levels take no part.
        calibrated_probability: Probabilities after temperature scaling, 0..1, shape (n,).
        tested: Levels to be tested against the rest; None for all.
        classes: Words for positives and negatives, where a level is said to hold too few.

    Returns:
        The levels that have photographs, and differences of those that are large enough.

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
    code = np.full(labels.size, -1)
    for number, label in enumerate(order):
        code[labels == label] = number
    sums = SubgroupSums.of(predictions, weights, code, len(order))
    levels, to_test = [], []
    for number, label in enumerate(order):
        inside = code == number
        if not inside.any():
            continue
        level = _level(label, number, predictions, inside, calibrated_probability, sums, classes)
        levels.append(level)
        if not level.too_small and (tested is None or label in tested):
            to_test.append(number)
    differences: list[SubgroupDifference] = []
    if len(to_test) > 1:
        for metric in _TESTED_METRICS:
            differences += _differences(metric, to_test, order, sums)
    return SubgroupVariable(name, tuple(levels), tuple(differences))


def _level(
    name: str,
    number: int,
    predictions: Predictions,
    inside: Booleans,
    calibrated_probability: Floats,
    sums: SubgroupSums,
    classes: tuple[str, str],
) -> SubgroupLevel:
    too_small = _too_small(predictions, inside, classes)
    metrics: dict[str, Interval] = {}
    slope = None
    try:
        for metric in () if too_small else _METRICS:
            metrics[metric] = sums.resampled(metric, [number]).interval
    except StatisticsError:
        too_small, metrics = "too few: some replicates have no pair to compare", {}
    group = predictions.group[inside]
    if not too_small:
        sample = predictions.target[inside], calibrated_probability[inside], group
        with suppress(StatisticsError):  # nothing is expected: all probabilities are 0
            metrics["observed_expected"] = observed_over_expected(*sample)
        with suppress(StatisticsError):  # separated, or one probability for all
            slope = calibration_line_intervals(*sample)[0]
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
    metric: str, numbers: list[int], order: Sequence[str], sums: SubgroupSums
) -> list[SubgroupDifference]:
    differences = []
    for number in numbers:
        rest = [other for other in numbers if other != number]
        mine, others = sums.resampled(metric, [number]), sums.resampled(metric, rest)
        differences.append(difference_of(mine, others, sums.n_groups(numbers)))
    p_values = [p_value for _, p_value in differences]
    # Of two levels each is the other's rest: one hypothesis, seen from both sides.
    adjusted = p_values if len(numbers) == 2 else holm(p_values).tolist()
    return [
        SubgroupDifference(
            level=order[number],
            metric=metric,
            difference=difference,
            p_value=p_value,
            p_holm=p_holm,
        )
        for number, (difference, p_value), p_holm in zip(
            numbers, differences, adjusted, strict=True
        )
    ]
