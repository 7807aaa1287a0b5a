"""Everything that a comparison says, as small values: for the page, the document and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from melanoscope.comparison.results import ComparisonResults
from melanoscope.data.subgroup_variables import AGE_BANDS, UNKNOWN
from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import ALPHA, Interval
from melanoscope.stats.metrics.operating_points import OperatingPoint, operating_point
from melanoscope.stats.pairwise import PairwiseComparison
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.compare_subgroups import (
    SubgroupDifference,
    SubgroupVariable,
    adjust_family,
    compare_subgroups,
)

_FEW = 50


@dataclass(frozen=True, kw_only=True)
class ModelEvidence:
    """What is known of one model.

    Attributes:
        label: Its name.
        form: How its file was read.
        primary: The primary metric with its interval.
        metrics: Metric -> interval; None where there is none.
        distance: Primary metric minus the best of the others, simultaneously; None of one model.
        may_be_best: Whether it cannot be told from the best.
        non_inferior: Whether it is shown to be within the margin of the best.
        point: What the threshold does; None where several classes are told apart.
        subgroups: Its results by sex, age, site and center, as far as they are known.
    """

    label: str
    form: str
    primary: Interval
    metrics: dict[str, Interval | None]
    distance: Interval | None
    may_be_best: bool
    non_inferior: bool
    point: OperatingPoint | None
    subgroups: tuple[SubgroupVariable, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparisonEvidence:
    """What a comparison says.

    Attributes:
        models: The models, the best first.
        pairs: Metric -> every two models, the primary metric first; the better model comes first.
        delong: P-values of DeLong's test, by pair.
        flattery: By how much picking the best flatters it; None of one model.
        missing: Why numbers are missing, each reason once.
        significant: Subgroup differences that are significant, with the model's name.
        subgroup_tests: Number of subgroup hypotheses, all in one family.
    """

    models: tuple[ModelEvidence, ...]
    pairs: dict[str, tuple[PairwiseComparison, ...]]
    delong: dict[tuple[str, str], float]
    flattery: float | None
    missing: tuple[str, ...]
    significant: tuple[tuple[str, SubgroupDifference], ...]
    subgroup_tests: int


def collect_evidence(results: ComparisonResults) -> ComparisonEvidence:
    """Compute everything that a comparison says.

    Args:
        results: The joined predictions and what to compute.

    Returns:
        The evidence.

    Raises:
        StatisticsError: The predictions allow no honest number, as where a class has fewer than 10
            groups.
    """
    subgroups = _subgroups(results)
    tested = [(n, d) for n, listed in subgroups.items() for v in listed for d in v.differences]
    reasons = [
        f"{name}: no interval of {metric.replace('_', ' ')}: {found}"
        for name, one in results.intervals.items()
        for metric, found in one.items()
        if isinstance(found, str)
    ]
    return ComparisonEvidence(
        models=tuple(_model(results, name, subgroups.get(name, ())) for name in results.names),
        pairs=results.pairs,
        delong=results.delong,
        flattery=results.flattery,
        missing=tuple(dict.fromkeys(reasons)),
        significant=tuple((name, one) for name, one in tested if one.p_holm < ALPHA),
        subgroup_tests=len(tested),
    )


def _model(
    results: ComparisonResults, name: str, subgroups: tuple[SubgroupVariable, ...]
) -> ModelEvidence:
    found = results.intervals[name]
    primary = found[results.primary]
    if isinstance(primary, str):
        raise StatisticsError(f"predictions of '{name}' with an interval", primary, "add patients")
    distance = results.distances.get(name)
    return ModelEvidence(
        label=name,
        form=results.forms.get(name, ""),
        primary=primary,
        metrics={m: one if isinstance(one, Interval) else None for m, one in found.items()},
        distance=None if distance is None else distance.interval,
        may_be_best=distance is None or distance.may_be_best,
        non_inferior=distance is None or distance.non_inferior,
        point=_point(results, name),
        subgroups=subgroups,
    )


def _point(results: ComparisonResults, name: str) -> OperatingPoint | None:
    one = results.predictions[name]
    if not isinstance(one, Predictions):
        return None
    return operating_point(
        one,
        name=f"{results.settings.threshold:g}",
        threshold=one.threshold,
        prevalence=results.prevalence,
        widening=results.design.factor,
    )


def _subgroups(results: ComparisonResults) -> dict[str, tuple[SubgroupVariable, ...]]:
    """Return each model's subgroups, all differences of all models adjusted as one family."""
    found: list[tuple[str, SubgroupVariable]] = []
    for name, one in results.predictions.items():
        if not isinstance(one, Predictions):
            return {}
        for variable, labels in results.variables.items():
            levels = _ordered(set(labels.tolist()))
            if len(levels) > 1:
                compared = compare_subgroups(
                    one,
                    name=variable,
                    labels=labels,
                    order=levels,
                    calibrated_probability=one.probability,
                    tested=[level for level in levels if level != UNKNOWN],
                    classes=("positives", "others"),
                    widening=results.design.factor,
                )
                found.append((name, compared))
    adjusted = adjust_family([variable for _, variable in found])
    by_model: dict[str, tuple[SubgroupVariable, ...]] = {}
    for (name, _), one_variable in zip(found, adjusted, strict=True):
        by_model[name] = (*by_model.get(name, ()), one_variable)
    return by_model


def _ordered(levels: set[str]) -> list[str]:
    """Order levels as readers expect: bands of age by age, what is unknown last."""
    known = [*AGE_BANDS, *sorted(levels - {*AGE_BANDS, UNKNOWN}), UNKNOWN]
    return [level for level in known if level in levels]


def warnings_of(results: ComparisonResults) -> list[str]:
    """Say what makes a comparison less worth than it looks."""
    joined, found = results.joined, []
    if joined.group_unit == "photographs":
        found.append(
            "No patients or lesions are known: photographs of one person count as independent, so "
            "that intervals are too narrow."
        )
    fewest = int(np.bincount(joined.target).min())
    if fewest < _FEW:
        found.append(f"The rarest class has {fewest} photographs.")
    if results.folds > 1:
        found.append(
            "Out-of-fold predictions: chance in training beyond what patients explain is counted "
            "for the primary metric alone."
        )
    return found


def as_matrix(pairs: tuple[PairwiseComparison, ...]) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return each ordered pair's difference, first minus second, and Holm's p-value."""
    matrix: dict[tuple[str, str], dict[str, Any]] = {}
    for pair in pairs:
        both = ((pair.a, pair.b), 1), ((pair.b, pair.a), -1)
        for key, sign in both:
            estimate = sign * pair.difference.estimate
            matrix[key] = {"estimate": float(np.round(estimate, 12)), "p_holm": pair.p_holm}
    return matrix
