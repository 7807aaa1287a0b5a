"""From raw outputs of the network to a diagnosis: calibration, thresholds, ranks, quality gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import BundleError
from melanoscope.inference.calibration import TemperatureScaling, log_odds
from melanoscope.inference.explain.shapley import shapley_values
from melanoscope.inference.quality.gate import QualityLimits, find_distance_issue, find_issues
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.inference.bundle import Bundle
    from melanoscope.inference.manifest_records import Threshold
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
        logit: Logit of melanoma, before calibration.
        distance: Distance from the training photographs, in the space of the network's features.
    """

    evidence_map: NDArray[np.float64]
    static_logits: NDArray[np.float64]
    logit: float
    distance: float


@dataclass(frozen=True, eq=False)
class PostProcessor:
    """What of a bundle turns the network's outputs into a diagnosis.

    Attributes:
        calibration: Temperature scaling of the logit.
        prevalence: Share of melanomas that is assumed where none is stated, 0..1.
        thresholds: Thresholds of the bundle, the main one first.
        melanoma_logits: Quantiles of the held-out melanomas' logits, from the 0th to the 100th
            per cent at equal steps.
        other_logits: The same quantiles of other held-out lesions.
        limits: Limits of the quality measures.
        doubtful_above: Distance above which a photograph is doubtful.
        refused_above: Distance above which a photograph is refused.
        network: Name of the network for readers.
        simulated: Whether the network learnt from simulated lesions.
    """

    calibration: TemperatureScaling
    prevalence: float
    thresholds: tuple[Threshold, ...]
    melanoma_logits: NDArray[np.float64]
    other_logits: NDArray[np.float64]
    limits: QualityLimits
    doubtful_above: float
    refused_above: float
    network: str
    simulated: bool

    @classmethod
    def from_bundle(cls, bundle: Bundle, variant: str) -> PostProcessor:
        """Take what is needed from a bundle's manifest.

        Args:
            bundle: Checked bundle.
            variant: "float32" or "int8"; each has distances of its own.

        Returns:
            The post-processor of that variant.

        Raises:
            BundleError: The bundle has no such variant.
        """
        manifest = bundle.manifest
        distance = manifest.gate.distance.get(variant)
        if distance is None:
            raise BundleError(
                f"limits of the gate for the variant '{variant}' in '{bundle.folder}'",
                "none",
                "make the bundle anew",
            )
        calibration, heldout = manifest.calibration, manifest.heldout
        return cls(
            calibration=TemperatureScaling(calibration.temperature, calibration.prevalence),
            prevalence=manifest.prevalence,
            thresholds=manifest.thresholds,
            melanoma_logits=np.array(heldout.melanoma_logits, np.float64),
            other_logits=np.array(heldout.other_logits, np.float64),
            limits=manifest.gate.limits,
            doubtful_above=distance.doubtful_above,
            refused_above=distance.refused_above,
            network=manifest.network.label,
            simulated=manifest.data.simulated,
        )

    def find_issues(self, quality: QualityMeasures, distance: float) -> tuple[QualityIssue, ...]:
        """Return the issues of a photograph's quality, and of its distance from the training.

        Args:
            quality: Measures of the photograph.
            distance: Distance from the training photographs.

        Returns:
            Issues in the order of `issues.KINDS`; empty where the photograph is accepted.
        """
        far = find_distance_issue(distance, self.doubtful_above, self.refused_above)
        return find_issues(quality, self.limits) + (() if far is None else (far,))

    def to_diagnosis(
        self,
        output: ModelOutput,
        quality: QualityMeasures,
        patient: PatientInfo,
        *,
        prevalence: float,
        force: bool,
    ) -> Diagnosis:
        """Return the diagnosis of one photograph.

        Args:
            output: Raw outputs of the network.
            quality: Measures of the photograph.
            patient: Age, sex and site of the lesion.
            prevalence: Share of melanomas to assume, between 0 and 1.
            force: Whether to answer also what the gate refuses.

        Returns:
            The diagnosis; without probability where the photograph is refused.

        Raises:
            DataError: The prevalence is not between 0 and 1.
        """
        log_odds(prevalence)  # refused before anything else is said
        issues = self.find_issues(quality, output.distance)
        refused = any(issue.severity == "refused" for issue in issues)
        answered = force or not refused
        return Diagnosis(
            status="refused" if not answered else "doubtful" if issues else "accepted",
            concerns=issues,
            person=patient,
            probability=self.calibration.probability(output.logit, prevalence)
            if answered
            else None,
            prevalence=prevalence,
            decisions=self._decide(output.logit, prevalence) if answered else (),
            standing=self._rank(output.logit) if answered else None,
            evidence=_evidence_sum(output) if answered else None,
            quality=quality,
            distance=output.distance,
            network=self.network,
            simulated=self.simulated,
            forced=refused and force,
        )

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
            for threshold in self.thresholds
        )

    def _rank(self, logit: float) -> Standing:
        return Standing(
            among_melanomas=_share_below(logit, self.melanoma_logits),
            among_others=_share_below(logit, self.other_logits),
        )


def _evidence_sum(output: ModelOutput) -> EvidenceSum:
    shares, unknown = shapley_values(output.static_logits)
    photograph = float(output.evidence_map.sum())
    # The head's bias is what the logit leaves over; so the sum is the logit itself.
    bias = output.logit - photograph - float(output.static_logits[0]) + unknown
    return EvidenceSum(output.evidence_map, photograph, **shares, bias=bias)


def _share_below(logit: float, quantiles: NDArray[np.float64]) -> float:
    return float(np.interp(logit, quantiles, np.linspace(0, 1, quantiles.size)))
