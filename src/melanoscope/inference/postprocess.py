"""From raw outputs of the network to a diagnosis: calibration, thresholds, ranks, quality gate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import BundleError
from melanoscope.inference.calibration import TemperatureScaling, log_odds
from melanoscope.inference.explain.shapley import shapley_values
from melanoscope.inference.quality.gate import find_issues, gate_issues
from melanoscope.inference.quality.issues import no_answer_issue
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Standing, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from melanoscope.inference.bundle import Bundle
    from melanoscope.inference.manifest import BundleManifest
    from melanoscope.inference.quality.gate import DistanceLimits
    from melanoscope.inference.quality.issues import QualityIssue
    from melanoscope.inference.quality.measures import QualityMeasures
    from melanoscope.patient import PatientInfo


@dataclass(frozen=True, eq=False, slots=True)
class ModelOutput:
    """Raw outputs of the network for one photograph.

    Attributes:
        evidence_map: What each place of the photograph adds to the logit, shape (rows, columns).
        static_logits: What age, sex and site add to the logit for each subset of them that may be
            known, shape (8,), in the order of `shapley.COALITIONS`.
        logit: Logit of the target, before calibration.
        distance: Distance from the training photographs, in the space of the network's features.
    """

    evidence_map: NDArray[np.float64]
    static_logits: NDArray[np.float64]
    logit: float
    distance: float

    @property
    def non_finite(self) -> tuple[str, ...]:
        """Names of the outputs that are NaN or infinite, wholly or in part."""
        outputs: dict[str, ArrayLike] = {
            "logit": self.logit,
            "distance": self.distance,
            "evidence of the photograph": self.evidence_map,
            "evidence of age, sex and site": self.static_logits,
        }
        return tuple(name for name, value in outputs.items() if not np.isfinite(value).all())


@dataclass(frozen=True, eq=False)
class PostProcessor:
    """What of a bundle turns the network's outputs into a diagnosis.

    Attributes:
        manifest: Content of bundle.json.
        distance: Limits of the distance, which each variant of the network has for itself.
        calibration: Temperature scaling of the logit.
    """

    manifest: BundleManifest
    distance: DistanceLimits
    calibration: TemperatureScaling

    @classmethod
    def from_bundle(cls, bundle: Bundle, variant: str) -> PostProcessor:
        """Take what the `variant`, "float32" or "int8", needs; raise BundleError if not there."""
        manifest = bundle.manifest
        distance = manifest.gate.distance.get(variant)
        if distance is None:
            raise BundleError(
                f"limits of the gate for the variant '{variant}' in '{bundle.folder}'",
                "none",
                "make the bundle anew",
            )
        fitted = manifest.calibration
        return cls(manifest, distance, TemperatureScaling(fitted.temperature, fitted.prevalence))

    def to_diagnosis(
        self,
        output: ModelOutput,
        quality: QualityMeasures,
        patient: PatientInfo,
        *,
        prevalence: float,
        force: bool,
    ) -> Diagnosis:
        """Return the diagnosis of one photograph; see `Predictor.predict`."""
        log_odds(prevalence)  # refused before anything else is said
        issues = self._issues(output, quality)
        status = status_of(issues)
        forced = force and status == "refused" and all(issue.can_be_forced for issue in issues)
        answered = forced or status != "refused"
        probability = self.calibration.probability
        return Diagnosis(
            status="doubtful" if forced else status,
            concerns=issues,
            person=patient,
            probability=probability(output.logit, prevalence) if answered else None,
            prevalence=prevalence,
            decisions=self._decide(output.logit, prevalence) if answered else (),
            standing=self._rank(output.logit) if answered else None,
            evidence=_evidence_sum(output) if answered else None,
            quality=quality,
            distance=output.distance if math.isfinite(output.distance) else None,
            target=self.manifest.target,
            network=self.manifest.network.label,
            simulated=self.manifest.data.simulated,
            forced=forced,
        )

    def _issues(self, output: ModelOutput, quality: QualityMeasures) -> tuple[QualityIssue, ...]:
        limits = self.manifest.gate.limits
        # What is no number is neither near nor far, neither suspicious nor not.
        if names := output.non_finite:
            return (*find_issues(quality, limits), no_answer_issue(names))
        return gate_issues(quality, output.distance, limits, self.distance)

    def _decide(self, logit: float, prevalence: float) -> tuple[Decision, ...]:
        return tuple(
            Decision(
                key=threshold.key,
                name=threshold.name,
                meaning=threshold.meaning,
                threshold=self.calibration.probability(threshold.logit, prevalence),
                positive=logit >= threshold.logit,
                sensitivity=threshold.sensitivity,
                specificity=threshold.specificity,
            )
            for threshold in self.manifest.thresholds
        )

    def _rank(self, logit: float) -> Standing:
        heldout = self.manifest.heldout
        return Standing(
            among_positives=_share_below(logit, heldout.positive_logits),
            among_others=_share_below(logit, heldout.other_logits),
        )


def _evidence_sum(output: ModelOutput) -> EvidenceSum:
    shares, unknown = shapley_values(output.static_logits)
    photograph = float(output.evidence_map.sum())
    # The head's bias is what the logit leaves over; so the sum is the logit itself.
    bias = output.logit - photograph - float(output.static_logits[0]) + unknown
    return EvidenceSum(output.evidence_map, photograph, **shares, bias=bias)


def _share_below(logit: float, quantiles: Sequence[float]) -> float:
    return float(np.interp(logit, quantiles, np.linspace(0, 1, len(quantiles))))
