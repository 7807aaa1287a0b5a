"""What speaks against believing an answer, in words for whoever holds the camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["doubtful", "refused"]


@dataclass(frozen=True, slots=True)
class QualityIssue:
    """One thing that is wrong with a photograph.

    Attributes:
        kind: What it is, e.g. "blurred"; one of `KINDS`.
        severity: "doubtful": answered, with a warning; "refused": not answered unless forced.
        found: One clause with the number that was found and the one that was wanted.
        advice: What to do better, in plain words.
    """

    kind: str
    severity: Severity
    found: str
    advice: str


TOO_SMALL = "too small"
BLURRED = "blurred"
TOO_DARK = "too dark"
TOO_BRIGHT = "too bright"
DRAWN = "drawn, not photographed"
UNLIKE_SKIN = "colours unlike skin"
CLUTTERED = "no close-up of skin"
NO_LESION = "no lesion in frame"
UNLIKE_TRAINING = "unlike the training photographs"

ADVICE = {
    TOO_SMALL: "Send the photograph as the camera took it, not a thumbnail or a cut-out of it.",
    BLURRED: "Hold the camera still, wait until it has focused, and wipe the lens.",
    TOO_DARK: "Use more light, or the flash, and keep fingers and shadows out of the picture.",
    TOO_BRIGHT: "Use less light: turn away from lamp, sun and flash, or focus on the skin again.",
    DRAWN: "Photograph the skin itself, not a screen, and no drawing or page of text.",
    UNLIKE_SKIN: "Photograph the skin from close by in white light, in colour, without a filter.",
    CLUTTERED: "Go closer, until lesion and skin fill the picture and nothing else is in it.",
    NO_LESION: "Put one lesion in the middle of the picture, with some skin around it.",
    UNLIKE_TRAINING: (
        "Take the photograph as the training photographs were taken: one lesion, sharp, filling "
        "about half of the picture, through a dermoscope if those were."
    ),
}
"""Kind of concern -> what to do about it."""

KINDS = tuple(ADVICE)
"""All kinds, in the order in which they are told."""
