"""Limits of a bundle's quality gate, and how often the gate refuses what it should not.

A limit is a fixed one that makes physical sense, moved outwards where the calibration photographs
go beyond it: a bundle of enlarged photographs must not refuse its own kind as blurred. Limits are
never moved inwards, so that sharp calibration photographs do not make usable ones refused, and
light skin in all of them does not make dark skin too dark.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.export.outputs import GraphOutputs
from melanoscope.inference.manifest_records import Gate, GateRates
from melanoscope.inference.quality.gate import (
    LOW,
    MEASURES,
    Bounds,
    DistanceLimits,
    QualityLimits,
    gate_issues,
)
from melanoscope.inference.quality.issues import KINDS, QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.inference.result import status_of
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.proportion import wilson_interval

STANDARD = QualityLimits(
    scale=Bounds(0.70, 0.35),
    sharpness=Bounds(0.58, 0.54),
    # The red of well-lit skin of type VI is above 100 of 255.
    brightness=Bounds(90.0, 60.0),
    # A dermoscope's circle that just touches the sides leaves 21 % dark.
    dark_share=Bounds(0.35, 0.60),
    bright_share=Bounds(0.25, 0.50),
    flat_share=Bounds(0.10, 0.20),
    strange_share=Bounds(0.50, 0.90),
    hue_agreement=Bounds(0.65, 0.30),
    clutter=Bounds(0.30, 0.40),
    # Faint lesions exist: almost nothing is refused for want of contrast.
    lesion_contrast=Bounds(0.30, 0.15),
)
"""Limits where the calibration photographs say nothing else."""

# Share of calibration photographs that may lie beyond a doubting limit of one measure; a refusing
# one lies further out by this part of itself.
_BEYOND, _FURTHER = 0.005, 0.1
# Limits lie this part of themselves beyond the photograph that they are fitted to: the page
# measures it with other rounding, and must not doubt what Python accepts.
_ROUNDING = 1e-5

_METHOD = "Wilson score interval, photographs"


def fit_limits(qualities: Collection[QualityMeasures]) -> QualityLimits:
    """Move the limits of `STANDARD` outwards where calibration photographs lie beyond them."""
    if not qualities:
        raise StatisticsError("calibration photographs", "none", "hold some out of the training")
    return QualityLimits(**{name: _fit_bounds(name, qualities) for name in MEASURES})


def fit_distance_limits(distances: NDArray[np.float64]) -> DistanceLimits:
    """Choose limits of the distance by the `distances` of calibration photographs, shape (n,)."""
    # The one measure without a fixed limit: its limits are quantiles, the refusing one moved out
    # further. Quantiles of few distances lie too far inside. The one at rank (n + 1) q is exceeded
    # by 1 - q of further photographs on average, whatever their distribution (Vovk et al. 2005);
    # above the largest, that one.
    if not len(distances) or not np.isfinite(distances).all():
        raise StatisticsError(
            "finite distances of calibration photographs",
            "none" if not len(distances) else "NaN or infinity",
            "hold photographs out of the training",
        )
    low, high = np.quantile(distances, [0.97, 0.995], method="weibull")
    return DistanceLimits(
        doubtful_above=float(low) * (1 + _ROUNDING), refused_above=float(high) * (1 + _FURTHER)
    )


def fit_gate(
    *,
    calibration: Mapping[str, QualityMeasures],
    test: Mapping[str, QualityMeasures],
    outputs: Mapping[str, tuple[GraphOutputs, GraphOutputs]],
) -> Gate:
    """Fit the gate to calibration photographs, by image id, and try it on test photographs."""
    # `outputs`: variant -> what its graph says of the calibration and of the test photographs.
    limits = fit_limits(calibration.values())
    distance = {name: fit_distance_limits(fitted.distance) for name, (fitted, _) in outputs.items()}
    rates = {
        name: gate_rates(
            [
                gate_issues(test[image_id], float(far), limits, distance[name])
                for image_id, far in zip(tested.image_id, tested.distance, strict=True)
            ]
        )
        for name, (_, tested) in outputs.items()
    }
    return Gate(limits=limits, distance=distance, rates=rates)


def gate_rates(issues: Sequence[Sequence[QualityIssue]]) -> GateRates:
    """Return the shares of photographs by status and kind of concern, from the `issues` of each.

    >>> gate_rates([(), (), (), ()]).refused.high < 0.5
    True
    """
    statuses = [status_of(one) for one in issues]
    kinds = [{issue.kind for issue in one} for one in issues]
    counts = {kind: sum(kind in one for one in kinds) for kind in KINDS}
    n = len(issues)
    return GateRates(
        accepted=_share(statuses.count("accepted"), n),
        doubtful=_share(statuses.count("doubtful"), n),
        refused=_share(statuses.count("refused"), n),
        concerns={kind: _share(count, n) for kind, count in counts.items() if count},
    )


def _share(count: int, n: int) -> Interval:
    return replace(wilson_interval(count, n), method=_METHOD)


def _fit_bounds(name: str, qualities: Collection[QualityMeasures]) -> Bounds:
    """Move a measure's standard bounds outwards where photographs lie beyond them."""
    sign = -1.0 if name in LOW else 1.0
    values = sign * np.array([getattr(one, name) for one in qualities], np.float64)
    if not np.isfinite(values).all():
        raise StatisticsError(f"finite values of '{name}'", "NaN or infinity", "look at the files")
    extreme = float(np.quantile(values, _BEYOND, method="weibull"))
    further = extreme - _FURTHER * abs(extreme)
    extreme -= _ROUNDING * abs(extreme)
    fixed: Bounds = getattr(STANDARD, name)
    return Bounds(
        sign * min(sign * fixed.doubtful, extreme), sign * min(sign * fixed.refused, further)
    )
