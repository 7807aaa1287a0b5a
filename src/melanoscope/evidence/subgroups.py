"""How a network does in each subgroup, and whether subgroups differ more than chance allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import EvidenceError
from melanoscope.evidence.bootstrap import METHOD
from melanoscope.evidence.holm import holm
from melanoscope.evidence.interval import Interval
from melanoscope.evidence.pairs import pair_weighted_auroc, percentile_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from melanoscope.evidence.draws import Draws
    from melanoscope.evidence.predictions import Floats, Predictions

LEAST = 10
"""Fewest groups with melanomas, and with others, about which a number is given."""

_MOST_EMPTY = 0.05
METRICS = ("auroc", "sensitivity", "specificity", "observed_expected")


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
    """

    name: str
    n: int
    melanomas: int
    groups: int
    too_small: str
    metrics: dict[str, Interval]


@dataclass(frozen=True)
class Difference:
    """One level against all others.

    Attributes:
        level: Its name.
        metric: "auroc" or "sensitivity".
        difference: Level minus the rest.
        p_value: Two-sided, from the replicates.
        p_holm: Adjusted over the levels of the variable.
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
    draws: Draws,
    *,
    name: str,
    labels: NDArray[np.object_],
    order: Sequence[str],
    calibrated: Floats,
    compared: Sequence[str] | None = None,
) -> Variable:
    """Measure a network in each level of a variable.

    Args:
        predictions: Of one network.
        draws: Of its groups; shared by all levels, since patients may be in several.
        name: Of the variable.
        labels: Level of each prediction, shape (n,).
        order: Levels to show, in order; those without photographs are left out.
        calibrated: Probabilities after temperature scaling, shape (n,).
        compared: Levels to be tested against the rest; None for all. "unknown" is no group of
            people.

    Returns:
        Levels too small for a number say so and are not tested.
    """
    levels, drawn = [], {}
    for level in order:
        mine = labels == level
        if not mine.any():
            continue
        why = _too_small(predictions, mine)
        found: dict[str, tuple[float, Floats]] = {}
        if not why:
            found = _measure(predictions, draws, mine, calibrated)
            if any(np.isnan(values).mean() > _MOST_EMPTY for _, values in found.values()):
                why, found = "too few: some replicates have no pair to compare", {}
            else:
                drawn[level] = found
        levels.append(_level(level, predictions, mine, why, found))
    chosen = [one for one in drawn if compared is None or one in compared]
    differences: list[Difference] = []
    if len(chosen) > 1:
        for metric in ("auroc", "sensitivity"):
            differences += _differences(
                metric, chosen, drawn, predictions, draws, labels, calibrated
            )
    return Variable(name, tuple(levels), tuple(differences))


def _too_small(one: Predictions, mine: NDArray[np.bool_]) -> str:
    for side, what in ((1, "melanomas"), (0, "other lesions")):
        holders = np.unique(one.group[mine & (one.target == side)]).size
        if holders == 0:
            return f"no {what}"
        if holders < LEAST:
            return f"too few: {holders} with {what}, at least {LEAST} needed"
    try:
        _bounds_exist(one, mine)
    except EvidenceError:
        return "no melanoma and other lesion in one fold"
    return ""


def _bounds_exist(one: Predictions, mine: NDArray[np.bool_]) -> None:
    parts = [one.target[mine & (one.part == part)] for part in one.parts]
    if not any(np.unique(part).size == 2 for part in parts):
        raise EvidenceError("a part with both classes", "none", "leave this level out")


def _measure(
    one: Predictions, draws: Draws, mine: NDArray[np.bool_], calibrated: Floats
) -> dict[str, tuple[float, Floats]]:
    """Estimate and replicates of each metric."""
    chosen = one.where(mine)
    row, groups = draws.rows(chosen.group), draws.groups.size
    hit, called = chosen.target == 1, chosen.probability >= chosen.threshold
    columns = (hit & called, hit, ~hit & ~called, ~hit, hit, calibrated[mine])
    sums = np.stack([np.bincount(row, c, groups) for c in columns], axis=1)
    whole = sums.sum(axis=0)
    drawn = (sums.T.astype(np.float32) @ draws.weights).T.astype(np.float64)
    found = {"auroc": pair_weighted_auroc(chosen, draws)}
    for metric, top in (("sensitivity", 0), ("specificity", 2), ("observed_expected", 4)):
        values = np.divide(
            drawn[:, top],
            drawn[:, top + 1],
            out=np.full(len(drawn), np.nan),
            where=drawn[:, top + 1] > 0,
        )
        found[metric] = (float(whole[top] / whole[top + 1]), values)
    return found


def _level(
    name: str,
    one: Predictions,
    mine: NDArray[np.bool_],
    why: str,
    found: dict[str, tuple[float, Floats]],
) -> Level:
    groups = int(np.unique(one.group[mine]).size)
    photographs = np.unique(one.photograph[mine])
    hits = np.unique(one.photograph[mine & (one.target == 1)])
    metrics = {
        metric: _interval(estimate, values, groups) for metric, (estimate, values) in found.items()
    }
    return Level(name, photographs.size, hits.size, groups, why, metrics)


def _differences(
    metric: str,
    chosen: list[str],
    drawn: dict[str, dict[str, tuple[float, Floats]]],
    one: Predictions,
    draws: Draws,
    labels: NDArray[np.object_],
    calibrated: Floats,
) -> list[Difference]:
    among = np.isin(labels, chosen)
    found = []
    for level in chosen:
        rest = _measure(one, draws, among & (labels != level), calibrated)[metric]
        mine = drawn[level][metric]
        values = mine[1] - rest[1]
        known = values[np.isfinite(values)]
        below, above = int((known <= 0).sum()), int((known >= 0).sum())
        p = min(2 * (1 + min(below, above)) / (1 + known.size), 1.0)
        groups = int(np.unique(one.group[among]).size)
        found.append((level, _interval(mine[0] - rest[0], values, groups), p))
    adjusted = holm([p for _, _, p in found])
    return [
        Difference(level, metric, interval, p, float(q))
        for (level, interval, p), q in zip(found, adjusted, strict=True)
    ]


def _interval(estimate: float, values: Floats, groups: int) -> Interval:
    low, high, error = percentile_bounds(values)
    return Interval(estimate, low, high, error, groups, METHOD, "groups")
