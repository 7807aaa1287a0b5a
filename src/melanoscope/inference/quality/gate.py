"""The quality gate: limits of each measure, and the issues of what lies beyond them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING

from melanoscope.errors import BundleError
from melanoscope.inference.quality.issues import (
    ADVICE,
    BLURRED,
    CLUTTERED,
    DRAWN,
    NO_LESION,
    TOO_BRIGHT,
    TOO_DARK,
    TOO_SMALL,
    UNLIKE_SKIN,
    UNLIKE_TRAINING,
    QualityIssue,
    Severity,
)
from melanoscope.inference.text.phrases import PHRASES

if TYPE_CHECKING:
    from melanoscope.inference.quality.measures import QualityMeasures


@dataclass(frozen=True, slots=True)
class Bounds:
    """Value beyond which a photograph is doubtful, and value beyond which it is refused."""

    doubtful: float
    refused: float


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Bounds of the measures of `QualityMeasures`.

    Attributes:
        scale: Lower bounds of `scale`.
        sharpness: Lower bounds of `sharpness`.
        brightness: Lower bounds of `brightness`.
        dark_share: Upper bounds of `dark_share`.
        bright_share: Upper bounds of `bright_share`.
        flat_share: Upper bounds of `flat_share`.
        strange_share: Upper bounds of `strange_share`.
        hue_agreement: Lower bounds of `hue_agreement`.
        clutter: Upper bounds of `clutter`.
        lesion_contrast: Lower bounds of `lesion_contrast`.
    """

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
            both = bounds.doubtful, bounds.refused
            sign = -1 if name in LOW else 1
            if not (sign * bounds.refused <= sign * bounds.doubtful and all(map(isfinite, both))):
                raise BundleError(
                    f"two bounds of '{name}', the refusing one beyond the doubting one",
                    f"doubtful {bounds.doubtful}, refused {bounds.refused}",
                    "make the bundle anew",
                )


MEASURES = tuple(field.name for field in fields(QualityLimits))
"""Measures that have limits, in the order in which issues are listed."""

LOW = frozenset({"dark_share", "bright_share", "flat_share", "strange_share", "clutter"})
"""Measures that are to be low; the others are to be high."""

_KINDS = {
    "scale": TOO_SMALL,
    "sharpness": BLURRED,
    "brightness": TOO_DARK,
    "dark_share": TOO_DARK,
    "bright_share": TOO_BRIGHT,
    "flat_share": DRAWN,
    "strange_share": UNLIKE_SKIN,
    "hue_agreement": UNLIKE_SKIN,
    "clutter": CLUTTERED,
    "lesion_contrast": NO_LESION,
}
_SHARES = ("dark_share", "bright_share", "flat_share", "strange_share")
_FORMATS = {"brightness": ".0f", "distance": ".0f", **dict.fromkeys(_SHARES, ".0%")}


def find_issues(quality: QualityMeasures, limits: QualityLimits) -> tuple[QualityIssue, ...]:
    """Return what is wrong with a photograph, each kind once and at its worst.

    Args:
        quality: Measures of the photograph.
        limits: Limits of the bundle.

    Returns:
        Issues in the order of `MEASURES`.
    """
    issues: dict[str, QualityIssue] = {}
    for name in MEASURES:
        issue = _judge_measure(name, quality, getattr(limits, name))
        if issue and (issue.kind not in issues or issue.severity == "refused"):
            issues[issue.kind] = issue
    return tuple(issues.values())


def find_distance_issue(
    distance: float, doubtful_above: float, refused_above: float
) -> QualityIssue | None:
    """Return the issue of a photograph far from those of the training, or None.

    Args:
        distance: Distance from the training photographs; NaN counts as infinitely far.
        doubtful_above: Distance above which a photograph is doubtful.
        refused_above: Distance above which a photograph is refused.

    Returns:
        The issue, or None where the distance is small enough.

    >>> find_distance_issue(80.0, 100.0, 200.0) is None
    True
    >>> find_distance_issue(120.0, 100.0, 200.0).severity
    'doubtful'
    """
    if distance <= doubtful_above:
        return None
    if distance <= refused_above:
        return _issue("distance", UNLIKE_TRAINING, "doubtful", distance, doubtful_above)
    return _issue("distance", UNLIKE_TRAINING, "refused", distance, refused_above)


def _judge_measure(name: str, quality: QualityMeasures, bounds: Bounds) -> QualityIssue | None:
    value, sign = getattr(quality, name), -1 if name in LOW else 1
    side = min(quality.width, quality.height)
    if sign * value < sign * bounds.refused:
        return _issue(name, _KINDS[name], "refused", value, bounds.refused, side)
    if sign * value < sign * bounds.doubtful:
        return _issue(name, _KINDS[name], "doubtful", value, bounds.doubtful, side)
    return None


def _issue(
    name: str, kind: str, severity: Severity, value: float, limit: float, side: int = 0
) -> QualityIssue:
    form = _FORMATS.get(name, ".2f")
    found = PHRASES["found"][name].format(
        value=format(value, form), limit=format(limit, form), side=side
    )
    return QualityIssue(kind, severity, found, ADVICE[kind])
