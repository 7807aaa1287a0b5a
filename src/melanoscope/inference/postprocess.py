"""Reading what a network said: calibration, thresholds, standing, the gate, the exact sum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import BundleError
from melanoscope.inference.calibration import TemperatureScaling, log_odds
from melanoscope.inference.explain.shapley import shapley_values
from melanoscope.inference.quality.gate import QualityLimits, find_distance_issue, find_issues
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Measured, Standing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.inference.bundle import Bundle
    from melanoscope.inference.manifest_records import Threshold
    from melanoscope.inference.quality.issues import QualityIssue
    from melanoscope.inference.quality.measures import QualityMeasures
    from melanoscope.patient import PatientInfo
    from melanoscope.stats.intervals.interval import Interval


@dataclass(frozen=True, eq=False, slots=True)
class ModelOutput:
    """What the network says of one photograph.

    Attributes:
        places: Shape (h', w'): what each place adds.
        told: Static evidence of each coalition, shape (8,), in the order of `shapley.COALITIONS`.
        logit: Of melanoma.
        distance: From the training photographs.
    """

    places: NDArray[np.float64]
    told: NDArray[np.float64]
    logit: float
    distance: float


@dataclass(frozen=True, eq=False)
class PostProcessor:
    """All of a bundle's record that reading an answer takes.

    Attributes:
        scale: Calibration.
        prevalence: Assumed where none is stated.
        thresholds: Of the record, the main one first.
        melanomas: Quantiles of the held-out melanomas' logits, from the 0th to the 100th per cent.
        others: Of other held-out lesions.
        limits: Of the photograph's quality.
        doubtful_above: Distance from which on a photograph is doubted.
        refused_above: Distance from which on it is refused.
        network: Name for readers.
        simulated: Whether the network learnt from simulated lesions.
    """

    scale: TemperatureScaling
    prevalence: float
    thresholds: tuple[Threshold, ...]
    melanomas: NDArray[np.float64]
    others: NDArray[np.float64]
    limits: QualityLimits
    doubtful_above: float
    refused_above: float
    network: str
    simulated: bool

    @classmethod
    def of(cls, bundle: Bundle, variant: str) -> PostProcessor:
        """Take what is needed from a bundle's manifest.

        Args:
            bundle: The bundle.
            variant: Of the network: "float32" or "int8".

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
            scale=TemperatureScaling(calibration.temperature, calibration.prevalence),
            prevalence=manifest.prevalence,
            thresholds=manifest.thresholds,
            melanomas=np.array(heldout.melanoma_logits, np.float64),
            others=np.array(heldout.other_logits, np.float64),
            limits=manifest.gate.limits,
            doubtful_above=distance.doubtful_above,
            refused_above=distance.refused_above,
            network=manifest.network.label,
            simulated=manifest.data.simulated,
        )

    def find_issues(self, quality: QualityMeasures, distance: float) -> tuple[QualityIssue, ...]:
        """Ask the gate."""
        novelty = find_distance_issue(distance, self.doubtful_above, self.refused_above)
        return find_issues(quality, self.limits) + (() if novelty is None else (novelty,))

    def read(
        self,
        seen: ModelOutput,
        quality: QualityMeasures,
        who: PatientInfo,
        *,
        prevalence: float,
        force: bool,
    ) -> Diagnosis:
        """Answer one photograph of a measured quality; arguments as `Predictor.answer`."""
        log_odds(prevalence)  # refused before anything else is said
        concerns = self.find_issues(quality, seen.distance)
        refused = any(one.severity == "refused" for one in concerns)
        answered = force or not refused
        return Diagnosis(
            "refused" if not answered else "doubtful" if concerns else "accepted",
            concerns,
            who,
            self.scale.probability(seen.logit, prevalence) if answered else None,
            prevalence,
            self._decide(seen.logit, prevalence) if answered else (),
            self._stand(seen.logit) if answered else None,
            _sum(seen) if answered else None,
            quality,
            seen.distance,
            self.network,
            self.simulated,
            forced=refused and force,
        )

    def _decide(self, logit: float, prevalence: float) -> tuple[Decision, ...]:
        return tuple(
            Decision(
                one.key,
                one.name,
                one.meaning,
                self.scale.probability(one.logit, prevalence),
                logit >= one.logit,
                _measured(one.sensitivity),
                _measured(one.specificity),
            )
            for one in self.thresholds
        )

    def _stand(self, logit: float) -> Standing:
        return Standing(_share_below(logit, self.melanomas), _share_below(logit, self.others))


def _sum(seen: ModelOutput) -> EvidenceSum:
    parts, unknown = shapley_values(seen.told)
    photograph = float(seen.places.sum())
    # The head's bias is what the logit leaves over; so the sum is the logit itself.
    bias = seen.logit - photograph - float(seen.told[0]) + unknown
    return EvidenceSum(seen.places, photograph, **parts, bias=bias)


def _share_below(logit: float, quantiles: NDArray[np.float64]) -> float:
    return float(np.interp(logit, quantiles, _grid(quantiles.size)))


@lru_cache(maxsize=4)
def _grid(n: int) -> NDArray[np.float64]:
    """Shares that n quantiles stand for."""
    return np.linspace(0, 1, n)


def _measured(rate: Interval | None) -> Measured | None:
    return None if rate is None else Measured(rate.estimate, rate.low, rate.high, rate.n)
