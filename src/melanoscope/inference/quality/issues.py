"""What speaks against believing an answer, in words for whoever holds the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from melanoscope.inference.text.sentences import PHRASES

Severity = Literal["doubtful", "refused"]


@dataclass(frozen=True, slots=True)
class QualityIssue:
    """One thing that is wrong with a photograph.

    Attributes:
        kind: Kind of the issue, one of `KINDS`, e.g. "blurred".
        severity: "doubtful": answered, with a warning; "refused": not answered unless forced.
        found: One clause with the number that was found and the limit that it is beyond.
        advice: What to do better, in plain words.
    """

    kind: str
    severity: Severity
    found: str
    advice: str

    @property
    def can_be_forced(self) -> bool:
        """Whether there is an answer to have all the same."""
        return self.kind != NO_ANSWER


NO_ANSWER = "no answer of the network"
"""The kind that nobody can override: the network gave no numbers."""


def no_answer_issue(names: Sequence[str]) -> QualityIssue:
    """Return the issue of a photograph of which outputs of the network are no finite numbers."""
    found = PHRASES["found"]["non_finite"].format(names=", ".join(names))
    return QualityIssue(NO_ANSWER, "refused", found, ADVICE[NO_ANSWER])


ADVICE: dict[str, str] = PHRASES["advice"]
"""Kind of issue -> what to do about it."""

KINDS = tuple(ADVICE)
"""All kinds, in the order in which they are listed."""
