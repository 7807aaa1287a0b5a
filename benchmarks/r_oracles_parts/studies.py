"""Archives pooled, against metafor; studies planned, against pROC and the exact variance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from melanoscope.stats.binormal_scores import StudyDesign
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import wald_interval
from melanoscope.stats.meta_analysis import PooledAuroc, pooled_auroc_over
from melanoscope.stats.power_auroc import patients_needed, simulated_power
from melanoscope.stats.selection.power import power_from_run
from r_oracles_parts.inputs import ARCHIVES, STUDIES, Inputs
from r_oracles_parts.quantities import Quantity

# 4,000 simulated studies: twice 0.006 of 0.8.
_SIMULATIONS = 4000
_SIMULATED = 0.03
# Obuchowski & McClish's variance is that of a binormal fit, 3 % below that of the ranks.
_BINORMAL = 0.09


def _pooled(*, never_narrower: bool = True) -> list[PooledAuroc]:
    return [
        pooled_auroc_over(
            {
                str(i): wald_interval(auroc, error, n=100, method="")
                for i, (auroc, error) in enumerate(rows)
            },
            never_narrower=never_narrower,
        )
        for rows in ARCHIVES
    ]


def _whole(interval: Interval) -> list[float]:
    return [interval.estimate, *_bounds(interval)]


def _bounds(interval: Interval) -> list[float]:
    return [interval.standard_error, interval.low, interval.high]


def _heterogeneity(_: Inputs) -> list[float]:
    found = [one.logits for one in _pooled()]
    rows = [(one.tau_squared, one.q, one.p_heterogeneity) for one in found]
    return [*(number for row in rows for number in row), *(one.i_squared for one in found)]


def _prediction(_: Inputs) -> Iterator[float]:
    for one in _pooled():
        if one.prediction is not None:
            yield from (one.prediction.low, one.prediction.high)


def _designs() -> Iterator[tuple[StudyDesign, int]]:
    for first, second, correlation, positives, negatives in STUDIES:
        patients = positives + negatives
        design = StudyDesign(
            auroc=(first, second), correlation=correlation, prevalence=positives / patients
        )
        yield design, patients


@cache
def _powers() -> tuple[float, ...]:
    return tuple(
        simulated_power(design, patients, simulations=_SIMULATIONS).power.estimate
        for design, patients in _designs()
    )


@cache
def _positives() -> tuple[float, ...]:
    # The smallest study alone, which takes seconds.
    design, _ = next(_designs())
    found = patients_needed(design, simulations=2000)
    return ((found.needed or 0) * design.prevalence,)


def _from_run(i: Inputs) -> Iterator[float]:
    whole = np.zeros_like(i.fold)
    for group in (np.arange(i.target.size), i.group):
        pair = (replace(i.predictions(k, group=group), fold_id=whole) for k in (0, 1))
        yield power_from_run(*pair, difference=0.02).needed


QUANTITIES = (
    Quantity("pooled_heterogeneity", "metafor::rma, DL", "random_effects", _heterogeneity),
    Quantity(
        "pooled_weights",
        "metafor::weights",
        "random_effects",
        lambda _: [w for one in _pooled() for w in one.weights.values()],
    ),
    Quantity(
        "pooled_usual",
        "metafor::rma, DL",
        "random_effects",
        lambda _: [n for one in _pooled() for n in _whole(one.logits.usual)],
    ),
    Quantity(
        "pooled_common",
        "metafor::rma, FE",
        "random_effects",
        lambda _: [n for one in _pooled() for n in _whole(one.logits.common)],
    ),
    Quantity(
        "pooled_knapp_hartung",
        "metafor::rma, knha",
        "random_effects, not held",
        lambda _: [
            n for one in _pooled(never_narrower=False) for n in _bounds(one.logits.interval)
        ],
    ),
    Quantity(
        "pooled_never_narrower",
        "metafor::rma, adhoc",
        "random_effects",
        lambda _: [n for one in _pooled() for n in _bounds(one.logits.interval)],
    ),
    Quantity(
        "pooled_auroc",
        "metafor::predict, plogis",
        "pooled_auroc_over",
        lambda _: [
            n
            for one in _pooled()
            for n in (one.interval.estimate, one.interval.low, one.interval.high)
        ],
    ),
    Quantity(
        "pooled_auroc_prediction", "metafor::predict, riley", "pooled_auroc_over", _prediction
    ),
    Quantity(
        "power_two_aurocs", "pROC, binormal", "simulated_power", lambda _: _powers(), _BINORMAL
    ),
    Quantity(
        "power_mann_whitney", "mvtnorm::pmvnorm", "simulated_power", lambda _: _powers(), _SIMULATED
    ),
    Quantity(
        "positives_needed", "pROC, binormal", "patients_needed", lambda _: _positives(), _BINORMAL
    ),
    Quantity("run_needs", "pROC::cov; plain R", "power_from_run", _from_run),
)
