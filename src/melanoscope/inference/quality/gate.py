"""The quality gate's verdict: bounds of each measure, and the concerns of what lies beyond them."""

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
)

if TYPE_CHECKING:
    from melanoscope.inference.quality.measures import QualityMeasures


@dataclass(frozen=True, slots=True)
class Bounds:
    """From where on a measure is doubtful, and from where on it is refused."""

    doubtful: float
    refused: float


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Bounds of `QualityMeasures`'s measures.

    Attributes:
        scale: Least.
        sharpness: Least.
        brightness: Least.
        dark_share: Most.
        bright_share: Most.
        flat_share: Most.
        strange_share: Most.
        hue_agreement: Least.
        clutter: Most.
        lesion_contrast: Least.
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
"""What is judged, in the order in which it is told."""

LOW = frozenset({"dark_share", "bright_share", "flat_share", "strange_share", "clutter"})
"""Measures that are to be low; the others are to be high."""

_KINDS = dict(
    zip(
        MEASURES,
        (
            TOO_SMALL,
            BLURRED,
            TOO_DARK,
            TOO_DARK,
            TOO_BRIGHT,
            DRAWN,
            UNLIKE_SKIN,
            UNLIKE_SKIN,
            CLUTTERED,
            NO_LESION,
        ),
        strict=True,
    )
)
_WORDS = {
    "scale": "a short side of {side} pixels, {value:.2f} of the network's, below {limit:.2f}",
    "sharpness": "sharpness {value:.2f}, below {limit:.2f}",
    "brightness": "{value:.0f} of 255 in the brightest parts, below {limit:.0f}",
    "dark_share": "{value:.0%} near-black, above {limit:.0%}",
    "bright_share": "{value:.0%} overexposed, above {limit:.0%}",
    "flat_share": "{value:.0%} without any texture, above {limit:.0%}",
    "strange_share": "{value:.0%} green or grey, above {limit:.0%}",
    "hue_agreement": "agreement of hues {value:.2f}, below {limit:.2f}",
    "clutter": "differences all over the picture, {value:.2f}, above {limit:.2f}",
    "lesion_contrast": "contrast to the skin around {value:.2f}, below {limit:.2f}",
}


def find_issues(quality: QualityMeasures, limits: QualityLimits) -> tuple[QualityIssue, ...]:
    """Name what is wrong with a photograph, each kind once and at its worst."""
    found: dict[str, QualityIssue] = {}
    for name in MEASURES:
        one = _judge_measure(name, quality, getattr(limits, name))
        if one and (one.kind not in found or one.severity == "refused"):
            found[one.kind] = one
    return tuple(found.values())


def find_distance_issue(
    distance: float, doubtful_above: float, refused_above: float
) -> QualityIssue | None:
    """Name the concern of a photograph far from those of the training, or None.

    >>> find_distance_issue(80.0, 100.0, 200.0) is None
    True
    >>> find_distance_issue(120.0, 100.0, 200.0).severity
    'doubtful'
    """
    # A distance that is no number is as far away as can be.
    if distance <= doubtful_above:
        return None
    beyond = not distance <= refused_above
    limit = refused_above if beyond else doubtful_above
    return QualityIssue(
        UNLIKE_TRAINING,
        "refused" if beyond else "doubtful",
        f"distance {distance:.0f}, above {limit:.0f}",
        ADVICE[UNLIKE_TRAINING],
    )


def _judge_measure(name: str, quality: QualityMeasures, bounds: Bounds) -> QualityIssue | None:
    value = getattr(quality, name)
    sign = -1 if name in LOW else 1
    if not sign * value < sign * bounds.doubtful:
        return None
    refused = sign * value < sign * bounds.refused
    found = _WORDS[name].format(
        value=value,
        limit=bounds.refused if refused else bounds.doubtful,
        side=min(quality.width, quality.height),
    )
    return QualityIssue(
        _KINDS[name], "refused" if refused else "doubtful", found, ADVICE[_KINDS[name]]
    )
