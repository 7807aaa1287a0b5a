"""How a network does in each subgroup, and whether subgroups differ more than chance allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_intervals import (
    calibration_line_intervals,
    observed_over_expected,
)
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.subgroups.subgroup_sums import SubgroupSums, difference_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
    from melanoscope.stats.predictions import Floats, Predictions

LEAST = 10
"""Fewest groups with melanomas, and with others, about which a number is given."""

METRICS = ("auroc", "sensitivity", "specificity", "observed_expected")
COMPARED = ("auroc", "sensitivity")
"""Metrics whose differences are tested."""


@dataclass(frozen=True)
class Level:
    """One level of a variable, women for example.

    Attributes:
        name: Of the level.
        n: Photographs.
        melanomas: Of them.
        groups: Patients (lesions, photographs where none are known).
        too_small: Why no number is given, or nothing.
        metrics: Of `METRICS`: AUROC over the pairs within a part; sensitivity and specificity at
            the cells' thresholds; melanomas observed over expected (1 is right, above: too low).
        calibration_slope: Of the outcome's log-odds on the calibrated logit (1 is right, below:
            too extreme); None where none is finite.
    """

    name: str
    n: int
    melanomas: int
    groups: int
    too_small: str
    metrics: dict[str, Interval]
    calibration_slope: Interval | None = None


@dataclass(frozen=True)
class Difference:
    """One level against all others.

    Attributes:
        level: Its name.
        metric: Of `COMPARED`.
        difference: Level minus the rest.
        p_value: Two-sided.
        p_holm: Adjusted over the levels of the variable; two levels are one test.
    """

    level: str
    metric: str
    difference: Interval
    p_value: float
    p_holm: float


@dataclass(frozen=True)
class Variable:
    """All levels of a variable, and their differences."""

    name: str
    levels: tuple[Level, ...]
    differences: tuple[Difference, ...]


def compare_subgroups(
    predictions: Predictions,
    draws: BootstrapWeights,
    *,
    name: str,
    labels: NDArray[np.object_],
    order: Sequence[str],
    calibrated: Floats,
    compared: Sequence[str] | None = None,
) -> Variable:
    """Measure a network in each level of a variable.

    A level is tested against the photographs of all other levels that are large enough and to be
    compared. AUROC, sensitivity and specificity have the interval of the group bootstrap, or exact
    bounds where that is blind (`level_sums`), calibration that of `calibration_intervals`.

    Args:
        predictions: Of one network.
        draws: Of its groups; shared by all levels, since patients may be in several.
        name: Of the variable.
        labels: Level of each prediction, shape (n,).
        order: Levels to show, in order; those without photographs are left out. Photographs of
            other levels take no part.
        calibrated: Probabilities after temperature scaling, shape (n,).
        compared: Levels to be tested against the rest; None for all. "unknown" is no group of
            people.

    Returns:
        Levels too small for a number say so and are not tested.

    Raises:
        StatisticsError: Labels or calibrated probabilities of another shape, or these not in 0..1.
    """
    names = np.asarray(labels, object)
    _check(predictions, names, calibrated)
    level = np.full(names.size, -1)
    for code, one in enumerate(order):
        level[names == one] = code
    sums = SubgroupSums.of(predictions, draws, level, len(order))
    levels, able = [], []
    for code, one in enumerate(order):
        mine = level == code
        if not mine.any():
            continue
        found = _level(one, code, predictions, mine, calibrated, sums)
        levels.append(found)
        if not found.too_small and (compared is None or one in compared):
            able.append(code)
    differences: list[Difference] = []
    if len(able) > 1:
        for metric in COMPARED:
            differences += _differences(metric, able, order, sums)
    return Variable(name, tuple(levels), tuple(differences))


def _check(one: Predictions, labels: NDArray[np.object_], calibrated: Floats) -> None:
    for what, values in (("labels", labels), ("calibrated probabilities", calibrated)):
        if np.shape(values) != one.target.shape:
            raise StatisticsError(
                f"{what} of shape {one.target.shape}",
                f"shape {np.shape(values)}",
                "pass one per prediction",
            )
    if not ((calibrated >= 0) & (calibrated <= 1)).all():
        raise StatisticsError(
            "calibrated probabilities between 0 and 1", "others", "check the temperature"
        )


def _level(
    name: str,
    code: int,
    one: Predictions,
    mine: NDArray[np.bool_],
    calibrated: Floats,
    sums: SubgroupSums,
) -> Level:
    hit = one.target == 1
    counted = (
        np.unique(one.photograph[mine]).size,
        np.unique(one.photograph[mine & hit]).size,
        np.unique(one.group[mine]).size,
    )
    why = _too_small(one, mine)
    metrics: dict[str, Interval] = {}
    try:
        for metric in () if why else METRICS[:3]:
            metrics[metric] = sums.measure(metric, [code])[0]
    except StatisticsError:
        why, metrics = "too few: some replicates have no pair to compare", {}
    if why:
        return Level(name, *counted, why, metrics)
    told = one.target[mine], calibrated[mine], one.group[mine]
    metrics[METRICS[3]] = observed_over_expected(*told)
    try:
        slope = calibration_line_intervals(*told)[0]
    except StatisticsError:  # separated, or one probability for all
        slope = None
    return Level(name, *counted, why, metrics, slope)


def _too_small(one: Predictions, mine: NDArray[np.bool_]) -> str:
    for side, what in ((1, "melanomas"), (0, "other lesions")):
        holders = np.unique(one.group[mine & (one.target == side)]).size
        if holders == 0:
            return f"no {what}"
        if holders < LEAST:
            return f"too few: {holders} groups with {what}, at least {LEAST} needed"
    parts = [one.target[mine & (one.part == part)] for part in one.parts]
    if not any(np.unique(part).size == 2 for part in parts):
        return "no melanoma and other lesion in one fold"
    return ""


def _differences(
    metric: str, able: list[int], order: Sequence[str], sums: SubgroupSums
) -> list[Difference]:
    found = []
    for code in able:
        rest = [other for other in able if other != code]
        mine, others = sums.measure(metric, [code]), sums.measure(metric, rest)
        found.append(difference_of(mine, others, sums.groups(able)))
    p_values = [p for _, p in found]
    # Of two levels each is the other's rest: one hypothesis, seen from both sides.
    adjusted = p_values if len(able) == 2 else holm(p_values).tolist()
    return [
        Difference(order[code], metric, interval, p, q)
        for code, (interval, p), q in zip(able, found, adjusted, strict=True)
    ]
