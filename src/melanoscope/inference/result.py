"""The diagnosis of one photograph, as values. Attributes bear the names of the JSON keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.inference.text.sentences import PHRASES
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import Target

Status = Literal["accepted", "doubtful", "refused"]

DISCLAIMER: str = PHRASES["disclaimer"]
EVIDENCE_PARTS = ("photograph", "age", "sex", "site", "bias")
"""Addends of the logit, as `EvidenceSum` and every file name them."""


def status_of(issues: Sequence[QualityIssue]) -> Status:
    """Return what becomes of a photograph: the worst of its issues decides."""
    if any(issue.severity == "refused" for issue in issues):
        return "refused"
    return "doubtful" if issues else "accepted"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a lesion is called suspicious at one threshold of the bundle.

    Attributes:
        key: Identifier of the threshold, e.g. "sensitivity_95".
        name: Name of the threshold for readers.
        meaning: What the threshold was chosen for.
        threshold: Probability, at the assumed prevalence, from which on a lesion is suspicious.
        positive: Whether this lesion is called suspicious.
        sensitivity: On held-out photographs, as the specificity; None if not measured.
    """

    key: str
    name: str
    meaning: str
    threshold: float
    positive: bool
    sensitivity: Interval | None
    specificity: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self) | {
            "sensitivity": None if self.sensitivity is None else self.sensitivity.to_dict(),
            "specificity": None if self.specificity is None else self.specificity.to_dict(),
        }


@dataclass(frozen=True, eq=False, slots=True)
class EvidenceSum:
    """The logit as a sum: photograph + age + sex + site + bias.

    Attributes:
        places: Evidence map, shape (rows, columns): what each place of the photograph adds to the
            logit; above 0 speaks for the target.
        photograph: Sum of `places`.
        age: Shapley value (`inference.explain.shapley`), as sex and site.
        bias: What is left of the logit while nothing is known.
    """

    places: NDArray[np.float64]
    photograph: float
    age: float
    sex: float
    site: float
    bias: float

    @property
    def logit(self) -> float:
        """The sum of all parts, which is the network's logit before calibration."""
        return self.photograph + self.age + self.sex + self.site + self.bias

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; the evidence map rounded to six decimals."""
        parts = {name: getattr(self, name) for name in (*EVIDENCE_PARTS, "logit")}
        return parts | {"places": np.round(self.places, 6).tolist()}


@dataclass(frozen=True, slots=True)
class Standing:
    """Rank of a photograph's logit among the held-out ones.

    Attributes:
        among_positives: Share of held-out positive lesions with a lower logit, 0..1.
        among_others: Share of other held-out lesions with a lower logit, 0..1.
    """

    among_positives: float
    among_others: float


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Diagnosis:
    """What a bundle says of one photograph.

    Attributes:
        status: "accepted"; "doubtful": answered, with a warning; "refused": not answered.
        concerns: Issues of quality because of which the photograph is not accepted.
        probability: Calibrated, that it is positive, at `prevalence`; None where refused.
        prevalence: Share of positive lesions that the probability assumes, 0..1.
        decisions: One per threshold of the bundle, the main one first; empty where refused.
        standing: Rank among the held-out photographs; None where refused.
        evidence: The logit as an exact sum; None where refused.
        distance: Distance from the training photographs, in the space of the network's features;
            None where the network gave no number.
        target: Which lesions are positive, and the words for them; in JSON its name.
        network: Name of the network for readers.
        simulated: Whether the network learnt from simulated lesions and knows nothing of skin.
        forced: Whether a refusal was overridden.
    """

    status: Status
    concerns: tuple[QualityIssue, ...]
    probability: float | None
    prevalence: float
    decisions: tuple[Decision, ...]
    standing: Standing | None
    evidence: EvidenceSum | None
    person: PatientInfo
    quality: QualityMeasures
    distance: float | None
    target: Target
    network: str
    simulated: bool
    forced: bool = False

    @property
    def can_be_forced(self) -> bool:
        """Whether a refusal can be overridden: not where the network gave no numbers."""
        return all(issue.can_be_forced for issue in self.concerns)

    @property
    def logit(self) -> float | None:
        """Logit of the network, before calibration; None where refused."""
        return None if self.evidence is None else self.evidence.logit

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self) | {
            "concerns": [asdict(issue) for issue in self.concerns],
            "decisions": [decision.to_dict() for decision in self.decisions],
            "evidence": None if self.evidence is None else self.evidence.to_dict(),
            "target": self.target.name,
            "disclaimer": DISCLAIMER,
        }
