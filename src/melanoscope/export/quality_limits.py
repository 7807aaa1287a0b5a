"""The limits of a bundle's gate, and how often it refuses what it should not.

A limit is a fixed one that makes physical sense, moved outwards where the calibration photographs
go beyond it: a bundle of enlarged photographs must not refuse its own kind as blurred. Limits are
never moved inwards, so that sharp calibration photographs do not make usable ones refused, and
light skin in all of them does not make dark skin too dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError
from melanoscope.inference.quality.gate import (
    LOW,
    MEASURES,
    Bounds,
    QualityLimits,
    find_distance_issue,
    find_issues,
)
from melanoscope.inference.quality.issues import KINDS, QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.inference.result import Status
from melanoscope.stats.intervals.proportion import wilson_interval

_Floats = NDArray[np.float64]

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

# Of the distance, the one measure without a fixed limit: quantiles; the refusing one moves further
# out as well.
DOUBTFUL_QUANTILE, REFUSED_QUANTILE = 0.97, 0.995

STATUSES: tuple[Status, ...] = ("accepted", "doubtful", "refused")
METHOD = "Wilson score interval, photographs"


@dataclass(frozen=True, slots=True)
class DistanceLimits:
    """Distances from where on a photograph is doubtful or refused."""

    doubtful_above: float
    refused_above: float


def fit_limits(qualities: Sequence[QualityMeasures]) -> QualityLimits:
    """Choose limits of the photographs' quality.

    Args:
        qualities: Of calibration photographs, which the network was not trained on.

    Raises:
        StatisticsError: None.
    """
    if not qualities:
        raise StatisticsError("calibration photographs", "none", "hold some out of the training")
    return QualityLimits(**{name: _fit_bounds(name, qualities) for name in MEASURES})


def fit_distance_limits(distances: _Floats) -> DistanceLimits:
    """Choose limits of the distance from those of calibration photographs, shape (n,).

    Quantiles of few distances lie too far inside. The one at rank (n + 1) q is exceeded by 1 - q
    of further photographs on average, whatever their distribution (Vovk et al. 2005); above the
    largest, that one.

    Raises:
        StatisticsError: None, or no finite numbers.
    """
    if not len(distances) or not np.isfinite(distances).all():
        raise StatisticsError(
            "finite distances of calibration photographs",
            "none" if not len(distances) else "NaN or infinity",
            "hold photographs out of the training",
        )
    low, high = np.quantile(distances, [DOUBTFUL_QUANTILE, REFUSED_QUANTILE], method="weibull")
    return DistanceLimits(float(low), float(high) * (1 + _FURTHER))


def describe_gate(
    *,
    calibration: Sequence[QualityMeasures],
    test: Sequence[QualityMeasures],
    distances: Mapping[str, tuple[_Floats, _Floats]],
) -> dict[str, Any]:
    """Return what a bundle's record says of its gate.

    Args:
        calibration: Quality of photographs that the limits are fitted to.
        test: Quality of held-out photographs, in which nothing had a say.
        distances: Variant of the network -> distances of the calibration photographs, shape (n,),
            and of the held-out ones.

    Returns:
        limits; by variant distance (doubtful_above, refused_above) and rates: shares of held-out
        photographs accepted, doubtful and refused, and beside them each kind of concern.
    """
    limits = fit_limits(calibration)
    record: dict[str, Any] = {"limits": limits.to_dict(), "distance": {}, "rates": {}}
    for variant, (fitted, held_out) in distances.items():
        far = fit_distance_limits(fitted)
        record["distance"][variant] = asdict(far)
        record["rates"][variant] = rates(
            [
                ask_gate(quality, float(distance), limits, far)
                for quality, distance in zip(test, held_out, strict=True)
            ]
        )
    return record


def ask_gate(
    quality: QualityMeasures, distance: float, limits: QualityLimits, far: DistanceLimits
) -> tuple[QualityIssue, ...]:
    """Return all concerns about one photograph."""
    novelty = find_distance_issue(distance, far.doubtful_above, far.refused_above)
    return find_issues(quality, limits) + (() if novelty is None else (novelty,))


def status_of(concerns: Sequence[QualityIssue]) -> Status:
    """Name what becomes of a photograph: its worst concern decides."""
    if any(one.severity == "refused" for one in concerns):
        return "refused"
    return "doubtful" if concerns else "accepted"


def rates(asked: Sequence[Sequence[QualityIssue]]) -> dict[str, Any]:
    """Return shares of photographs by status and by kind of concern, with Wilson intervals.

    >>> rates([(), (), (), ()])["refused"]["high"] < 0.5
    True
    """
    statuses = [status_of(one) for one in asked]
    kinds = [{concern.kind for concern in one} for one in asked]
    found: dict[str, Any] = {name: share(statuses.count(name), len(statuses)) for name in STATUSES}
    counts = {kind: sum(kind in one for one in kinds) for kind in KINDS}
    found["concerns"] = {kind: share(k, len(asked)) for kind, k in counts.items() if k}
    return found


def share(count: int, n: int) -> dict[str, Any]:
    """Return a share with its score interval, as values for a record.

    Raises:
        StatisticsError: Of nothing.
    """
    wilson = wilson_interval(count, n)
    return {
        "estimate": wilson.estimate,
        "low": wilson.low,
        "high": wilson.high,
        "n": n,
        "method": METHOD,
    }


def _fit_bounds(name: str, qualities: Sequence[QualityMeasures]) -> Bounds:
    """Move a measure's standard bounds outwards where photographs lie beyond them."""
    sign = -1.0 if name in LOW else 1.0
    values = sign * np.array([getattr(one, name) for one in qualities], np.float64)
    if not np.isfinite(values).all():
        raise StatisticsError(f"finite values of '{name}'", "NaN or infinity", "look at the files")
    extreme = float(np.quantile(values, _BEYOND, method="weibull"))
    further = extreme - _FURTHER * abs(extreme)
    fixed: Bounds = getattr(STANDARD, name)
    return Bounds(
        sign * min(sign * fixed.doubtful, extreme), sign * min(sign * fixed.refused, further)
    )
