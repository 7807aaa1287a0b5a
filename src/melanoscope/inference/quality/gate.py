"""The quality gate: limits of each measure, and the issues of what lies beyond them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from melanoscope.errors import BundleError
from melanoscope.inference.manifest_ranges import Distance
from melanoscope.inference.quality.issues import ADVICE, QualityIssue, Severity
from melanoscope.inference.text.sentences import PHRASES

if TYPE_CHECKING:
    from melanoscope.inference.quality.measures import QualityMeasures


Limit = Annotated[float, Meta(ge=-1e3, le=1e3)]
"""A limit of a measure: none of them goes beyond 255, but for the enlargement of large files."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Value beyond which a photograph is doubtful, and value beyond which it is refused."""

    doubtful: Limit
    refused: Limit


class DistanceLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """Distances from the training photographs above which a photograph is doubtful or refused."""

    doubtful_above: Distance
    refused_above: Distance

    def __post_init__(self) -> None:
        if not self.doubtful_above <= self.refused_above:
            raise ValueError(
                f"a doubtful distance {self.doubtful_above:g} above the refused one, "
                f"{self.refused_above:g}"
            )


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Bounds of the measures of `QualityMeasures`: upper ones of those in `LOW`, else lower."""

    scale: Bounds
    sharpness: Bounds
    brightness: Bounds
    dark_share: Bounds
    bright_share: Bounds
    flat_share: Bounds
    strange_share: Bounds
    hue_agreement: Bounds
    clutter: Bounds
    lesion_contrast: Bounds

    def __post_init__(self) -> None:
        for name in MEASURES:
            bounds: Bounds = getattr(self, name)
            between = bounds.refused - bounds.doubtful  # NaN or infinite where a bound is
            if not (isfinite(between) and (between >= 0 if name in LOW else between <= 0)):
                raise BundleError(
                    f"two bounds of '{name}', the refusing one beyond the doubting one",
                    f"doubtful {bounds.doubtful}, refused {bounds.refused}",
                    "make the bundle anew",
                )


MEASURES = tuple(field.name for field in fields(QualityLimits))
"""Measures that have limits, in the order in which issues are listed."""

LOW = frozenset({"dark_share", "bright_share", "flat_share", "strange_share", "clutter"})
"""Measures that are to be low; the others are to be high."""

KIND_OF_MEASURE = {
    "scale": "too small",
    "sharpness": "blurred",
    "brightness": "too dark",
    "dark_share": "too dark",
    "bright_share": "too bright",
    "flat_share": "drawn, not photographed",
    "strange_share": "colours unlike skin",
    "hue_agreement": "colours unlike skin",
    "clutter": "no close-up of skin",
    "lesion_contrast": "no lesion in frame",
    "distance": "unlike the training photographs",
}
_SHARES = ("dark_share", "bright_share", "flat_share", "strange_share")
_FORMATS = {"brightness": ".0f", "distance": ".0f", **dict.fromkeys(_SHARES, ".0%")}


def gate_issues(
    quality: QualityMeasures, distance: float, limits: QualityLimits, far: DistanceLimits
) -> tuple[QualityIssue, ...]:
    """Return all that the gate finds wrong with a photograph's `quality` and `distance`."""
    issue = find_distance_issue(distance, far.doubtful_above, far.refused_above)
    return find_issues(quality, limits) + (() if issue is None else (issue,))


def find_issues(quality: QualityMeasures, limits: QualityLimits) -> tuple[QualityIssue, ...]:
    """Return what is wrong with a photograph in the order of `MEASURES`, each kind at its worst."""
    side = min(quality.width, quality.height)
    issues: dict[str, QualityIssue] = {}
    for name in MEASURES:
        issue = _judge(name, getattr(quality, name), getattr(limits, name), side)
        if issue and (issue.kind not in issues or issue.severity == "refused"):
            issues[issue.kind] = issue
    return tuple(issues.values())


def find_distance_issue(
    distance: float, doubtful_above: float, refused_above: float
) -> QualityIssue | None:
    """Return the issue of a photograph far from those of the training, or None."""
    return _judge("distance", distance, Bounds(doubtful_above, refused_above))


def _judge(name: str, value: float, bounds: Bounds, side: int = 0) -> QualityIssue | None:
    sign = -1 if name in LOW or name == "distance" else 1
    severity: Severity
    if not sign * value >= sign * bounds.refused:  # NaN, too
        severity, limit = "refused", bounds.refused
    elif sign * value < sign * bounds.doubtful:
        severity, limit = "doubtful", bounds.doubtful
    else:
        return None
    kind, form = KIND_OF_MEASURE[name], _FORMATS.get(name, ".2f")
    found = PHRASES["found"][name].format(
        value=format(value, form), limit=format(limit, form), side=side
    )
    return QualityIssue(kind, severity, found, ADVICE[kind])
