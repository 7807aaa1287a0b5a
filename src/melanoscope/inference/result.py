"""The answer to one photograph, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.patient import PatientInfo

Status = Literal["accepted", "doubtful", "refused"]

DISCLAIMER = "Research software, not a medical device: no diagnosis and no ground for one."


@dataclass(frozen=True, slots=True)
class Measured:
    """A share measured on held-out photographs, with its 95 % interval.

    Attributes:
        estimate: 0..1.
        low: Lower bound.
        high: Upper bound.
        n: Groups (patients, lesions) it rests on.
    """

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What one threshold says of a photograph.

    Attributes:
        key: Name for programs.
        name: Name for readers.
        meaning: What the threshold was chosen for.
        threshold: Probability at the stated prevalence from which on a lesion is called.
        positive: Whether this one is.
        sensitivity: Of the threshold, on held-out photographs.
        specificity: Likewise.
    """

    key: str
    name: str
    meaning: str
    threshold: float
    positive: bool
    sensitivity: Measured | None
    specificity: Measured | None


@dataclass(frozen=True, eq=False, slots=True)
class EvidenceSum:
    """The logit as a sum: photograph + age + sex + site + bias.

    Attributes:
        places: What each place of the photograph adds, shape (h', w'); above 0 speaks for melanoma.
        photograph: Sum of `places`.
        age: Share of the static evidence, as sex and site (`inference.explain.shapley`).
        sex: Likewise.
        site: Likewise.
        bias: What is there before anything is known.
    """

    places: NDArray[np.float64]
    photograph: float
    age: float
    sex: float
    site: float
    bias: float

    @property
    def logit(self) -> float:
        """The sum."""
        return self.photograph + self.age + self.sex + self.site + self.bias


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a photograph stands among the held-out ones.

    Attributes:
        among_melanomas: Share of held-out melanomas with a lower logit, 0..1.
        among_others: Share of other held-out lesions with a lower logit, 0..1.
    """

    among_melanomas: float
    among_others: float


@dataclass(frozen=True, eq=False, slots=True)
class Diagnosis:
    """What a bundle says of one photograph.

    Attributes:
        status: "accepted"; "doubtful": answered, with a warning; "refused": not answered.
        concerns: Why not accepted.
        person: What was known beside the photograph.
        probability: Of melanoma, calibrated, at `prevalence`; None where refused.
        prevalence: Share of melanomas that the probability assumes, 0..1.
        decisions: At each threshold of the bundle, the main one first; empty where refused.
        standing: Among the held-out photographs; None where refused.
        evidence: The exact sum; None where refused.
        quality: What was measured of the photograph.
        distance: From the training photographs, in the space of the network's features.
        network: Name of the network for readers.
        simulated: Whether the network learnt from simulated lesions and knows nothing of skin.
        forced: Whether a refusal was overridden.
    """

    status: Status
    concerns: tuple[QualityIssue, ...]
    person: PatientInfo
    probability: float | None
    prevalence: float
    decisions: tuple[Decision, ...]
    standing: Standing | None
    evidence: EvidenceSum | None
    quality: QualityMeasures
    distance: float
    network: str
    simulated: bool
    forced: bool = False

    @property
    def logit(self) -> float | None:
        """The network's, before calibration; None where refused."""
        return None if self.evidence is None else self.evidence.logit

    def to_record(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        evidence = None
        if self.evidence is not None:
            parts = ("photograph", "age", "sex", "site", "bias", "logit")
            evidence = {part: getattr(self.evidence, part) for part in parts}
            evidence["places"] = np.round(self.evidence.places, 6).tolist()
        return {
            "status": self.status,
            "concerns": [asdict(one) for one in self.concerns],
            "probability": self.probability,
            "prevalence": self.prevalence,
            "decisions": [asdict(one) for one in self.decisions],
            "standing": None if self.standing is None else asdict(self.standing),
            "evidence": evidence,
            "person": asdict(self.person),
            "quality": asdict(self.quality),
            "distance": self.distance,
            "network": self.network,
            "simulated": self.simulated,
            "forced": self.forced,
            "disclaimer": DISCLAIMER,
        }
