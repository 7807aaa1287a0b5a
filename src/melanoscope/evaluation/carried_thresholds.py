"""The thresholds of a bundle on another archive: what they do there, and what they did before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from melanoscope.evaluation.sample import EvaluationSample
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.mover import independent_difference
from melanoscope.stats.metrics.operating_points import OperatingPoint, operating_point


@dataclass(frozen=True, kw_only=True)
class CarriedThreshold:
    """One threshold, carried over as it is.

    Attributes:
        key: Name for programs.
        name: Name for people.
        internal: Sensitivity, specificity, PPV and NPV on the network's own test photographs; None
            where they were not measured.
        external: The same here, at the same prevalence.
        changes: Sensitivity and specificity here minus those before; without those that were not
            measured.
        specificity_if_moved: Specificity here were the threshold moved so far that it had its old
            sensitivity; chosen on these very photographs, so that it flatters. None where the old
            one was not measured.
    """

    key: str
    name: str
    internal: dict[str, Interval | None]
    external: OperatingPoint
    changes: dict[str, Interval]
    specificity_if_moved: float | None


def carry_thresholds(sample: EvaluationSample) -> tuple[CarriedThreshold, ...]:
    """Measure each threshold of the bundle on a sample; the main one comes first."""
    carried = []
    for known in sample.manifest.thresholds:
        predictions = sample.called(known.logit)
        point = operating_point(
            predictions,
            name=known.name,
            threshold=predictions.threshold,
            prevalence=known.prevalence,
        )
        internal = {
            name: getattr(known, name) for name in ("sensitivity", "specificity", "ppv", "npv")
        }
        carried.append(
            CarriedThreshold(
                key=known.key,
                name=known.name,
                internal=internal,
                external=point,
                changes={
                    name: independent_difference(getattr(point, name), before)
                    for name in ("sensitivity", "specificity")
                    if (before := internal[name]) is not None
                },
                specificity_if_moved=_moved(sample, known.sensitivity),
            )
        )
    return tuple(carried)


def _moved(sample: EvaluationSample, wanted: Interval | None) -> float | None:
    """Return the specificity at the highest threshold with the `wanted` sensitivity."""
    if wanted is None:
        return None
    positive = np.sort(sample.logit[sample.target == 1])
    missed = int(np.floor((1 - wanted.estimate) * positive.size + 1e-9))
    threshold = positive[min(missed, positive.size - 1)]
    return float(np.mean(sample.logit[sample.target == 0] < threshold))
