"""How the photographs of an archive differ from those that a network was tested on before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit

from melanoscope.data.subgroup_variables import subgroup_variables
from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.auroc_interval import auroc_influence
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import (
    clustered_error,
    effective_degrees_of_freedom,
    wald_interval,
)
from melanoscope.stats.metrics.expected_auroc import expected_auroc

METHOD = "influence of each photograph on both, by group"
_VARIABLES = ("Sex", "Age", "Body site")
_DIAGNOSIS = "Diagnosis"


@dataclass(frozen=True, kw_only=True)
class LevelShare:
    """How common one level of a variable is; None where nobody says it."""

    variable: str
    level: str
    internal: float | None
    external: float


@dataclass(frozen=True, kw_only=True)
class LogitSpread:
    """Mean and standard deviation of the logits of one class, of the network's own test and here.

    Attributes:
        internal: Mean and standard deviation among the network's own test photographs, by their
            quantiles.
        external: Those of this archive.
    """

    internal: tuple[float, float]
    external: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class CaseMix:
    """What differs between the photographs of both tests.

    Attributes:
        prevalence: Share of positives in the network's own test, and here.
        levels: How common each level of a variable is in both.
        spread: "positives" and "others" -> how far their logits spread.
        expected: AUROC that the network's probabilities promise on these photographs
            (`expected_auroc`), at this archive's prevalence.
        shortfall: AUROC found here minus `expected`; below 0 the network ranks worse than its
            probabilities say, which no case mix explains.
    """

    prevalence: tuple[float, float]
    levels: tuple[LevelShare, ...]
    spread: dict[str, LogitSpread]
    expected: float
    shortfall: Interval


def describe_case_mix(sample: EvaluationSample) -> CaseMix:
    """Compare the photographs of a sample with those that its bundle was tested on."""
    heldout = sample.manifest.heldout
    return CaseMix(
        prevalence=(heldout.positives / max(heldout.photographs, 1), sample.prevalence),
        levels=(*_patients(sample), *_diagnoses(sample)),
        spread={
            name: LogitSpread(
                internal=_moments(_from_quantiles(quantiles)),
                external=_moments(sample.logit[sample.target == outcome]),
            )
            for name, outcome, quantiles in (
                ("positives", 1, heldout.positive_logits),
                ("others", 0, heldout.other_logits),
            )
        },
        expected=expected_auroc(_true_if_calibrated(sample)).estimate,
        shortfall=_shortfall(sample),
    )


def _shortfall(sample: EvaluationSample) -> Interval:
    """Return the AUROC minus what the probabilities promise, by the same photographs."""
    probability = _true_if_calibrated(sample)
    promised = expected_auroc(probability)
    one_fold = np.zeros(probability.size, np.int64)
    areas, influence = auroc_influence(sample.target, probability, one_fold)
    difference = influence - promised.influence
    member = np.unique(sample.group, return_inverse=True)[1].astype(np.int64)
    return wald_interval(
        float(np.mean(areas)) - promised.estimate,
        clustered_error(difference, member),
        n=int(member.max()) + 1,
        method=METHOD,
        degrees_of_freedom=effective_degrees_of_freedom(difference, member),
    )


def _true_if_calibrated(sample: EvaluationSample) -> Floats:
    probability: Floats = expit(sample.calibrated_logit(sample.prevalence))
    return probability


def _patients(sample: EvaluationSample) -> Iterable[LevelShare]:
    """Compare sex, age and site; those of the bundle's test photographs stand in its subgroups."""
    internal = {one.name: one.levels for one in sample.manifest.subgroups}
    frame = sample.readable.with_columns(ita=pl.lit(None, pl.Float64))
    for variable in subgroup_variables(frame):
        if variable.name not in _VARIABLES:
            continue
        known = {level.level: level.n for level in internal.get(variable.name, ())}
        total = sum(known.values())
        for level in variable.levels:
            external = float(np.mean(variable.level == level))
            there = known.get(level, 0) / total if total else None
            if external or there:
                yield LevelShare(
                    variable=variable.name, level=level, internal=there, external=external
                )


def _diagnoses(sample: EvaluationSample) -> Iterable[LevelShare]:
    """Compare diagnoses; those of all photographs of the development stand in the bundle."""
    known = {one.diagnosis or "unknown": one.photographs for one in sample.manifest.data.diagnoses}
    total = sum(known.values())
    here = dict(sample.readable["diagnosis"].value_counts(sort=True).iter_rows())
    for level in sorted(
        {*known, *here}, key=lambda name: -(known.get(name, 0) + here.get(name, 0))
    ):
        yield LevelShare(
            variable=_DIAGNOSIS,
            level=level,
            internal=known.get(level, 0) / total if total else None,
            external=here.get(level, 0) / sample.readable.height,
        )


def _moments(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std())


def _from_quantiles(quantiles: Iterable[float]) -> Floats:
    """Return values spread as the quantiles say: the middles between neighbours."""
    known = np.array(list(quantiles))
    middles: Floats = (known[1:] + known[:-1]) / 2
    return middles
