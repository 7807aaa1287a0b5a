"""A photograph and diagnoses that the tests of explanations share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum, Standing
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import MELANOMA


@dataclass(frozen=True, eq=False)
class Gradients:
    """Looks like `integrated_gradients.Attribution`."""

    pixels: np.ndarray
    baseline: str = "black"
    steps: int = 64
    difference: float = 0.505
    completeness_error: float = 0.0123


def photograph(px=128, seed=0):
    """Skin with a dark spot in it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:px, :px] / px - 0.5
    skin = np.array([222, 176, 150]) + rng.normal(0, 4, (px, px, 1))
    spot = np.exp(-(((x**2 + y**2) / 0.03) ** 2))[..., None]
    return np.clip(skin * (1 - 0.7 * spot), 0, 255).astype(np.uint8)


def diagnosis(places=None, **changes):
    places = np.array([[0.4, -0.1], [0.2, 0.05]]) if places is None else places
    shares = {"photograph": float(places.sum()), "age": 0.31, "sex": -0.104, "site": 0.2}
    decision = Decision(
        key="sensitive",
        name="95 % sensitivity",
        meaning="finds 95 of 100",
        threshold=0.011,
        positive=True,
        sensitivity=Interval(
            estimate=0.952, low=0.93, high=0.97, standard_error=0.01, n=471, method="bootstrap"
        ),
        specificity=Interval(
            estimate=0.45, low=0.41, high=0.49, standard_error=0.02, n=443, method="bootstrap"
        ),
    )
    one = Diagnosis(
        status="accepted",
        concerns=(),
        person=PatientInfo(65.0, "female", "torso"),
        probability=0.123,
        prevalence=0.018,
        decisions=(decision,),
        standing=Standing(0.72, 0.98),
        evidence=EvidenceSum(places, **shares, bias=-0.62),
        quality=None,
        distance=3.4,
        target=MELANOMA,
        network="MobileNetV2",
        simulated=False,
    )
    return replace(one, **changes)


def refused():
    issue = QualityIssue("blurred", "refused", "sharpness 1.2, below 3.4", "Hold it still.")
    return diagnosis(
        status="refused",
        concerns=(issue,),
        probability=None,
        decisions=(),
        standing=None,
        evidence=None,
    )
