"""What the package answers: quality, sentences, probabilities, evidence."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from melanoscope.imaging.decode import DecodedImage
from melanoscope.inference.bundle import Bundle
from melanoscope.inference.calibration import TemperatureScaling
from melanoscope.inference.explain import integrated_gradients
from melanoscope.inference.manifest import BundleManifest
from melanoscope.inference.postprocess import ModelOutput, PostProcessor
from melanoscope.inference.quality import issues
from melanoscope.inference.quality.gate import LOW, MEASURES, find_distance_issue, gate_issues
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.text import phrases
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import MALIGNANT, MELANOMA, Target, custom_target
from tests.page.golden_pictures import decoded, lesion, squares, text

TARGETS = (
    MELANOMA,
    MALIGNANT,
    custom_target("keratinocyte_cancer", ("basal cell carcinoma", "squamous cell carcinoma")),
)
"""Targets of the bundles that answer: both that have a name, and an own grouping."""


def manifest() -> BundleManifest:
    """Return the manifest of a bundle with all that an answer takes; the rest is made up."""
    from tests.inference.manifests import merged, record_of

    lower, upper = {"doubtful": 0.1, "refused": 0.4}, {"doubtful": 0.6, "refused": 0.3}
    limits = {name: lower if name in LOW else upper for name in MEASURES}
    limits["brightness"] = {"doubtful": 120.5, "refused": 60.5}
    rate = Interval(
        estimate=0.9,
        low=0.8,
        high=0.95,
        standard_error=0.04,
        n=321,
        method="bootstrap",
        unit="groups",
    ).to_dict()
    changes = {
        "calibration": {"temperature": 1.37, "prevalence": 0.4},
        "prevalence": 0.018,
        "thresholds": [
            {
                "key": key,
                "name": f"{key} name",
                "meaning": f"{key} meaning",
                "logit": logit,
                "sensitivity": rate,
                "specificity": None if key == "last" else rate | {"standard_error": None},
                "ppv": None,
                "npv": None,
                "prevalence": 0.018,
            }
            for key, logit in (("first", -1.25), ("last", 0.5))
        ],
        "heldout": {
            "positive_logits": np.sort(np.random.default_rng(1).normal(1, 1, 101)).tolist(),
            "other_logits": [-1.0, -0.5, -0.5, 0.25, 0.25, 2.0],
        },
        "gate": {
            "limits": limits,
            "distance": {"float32": {"doubtful_above": 100.0, "refused_above": 200.0}},
        },
        "network": {"label": "Drawn", "size": 128},
        "preprocessing": {"size": 128},
        "data": {"simulated": True},
    }
    return BundleManifest.from_dict(merged(record_of(), changes))


def post_processor(record: BundleManifest) -> PostProcessor:
    """Return what turns outputs of the network into answers, as the predictor has it."""
    return PostProcessor.from_bundle(Bundle(Path(), record, ""), "float32")


def quality() -> list[dict[str, Any]]:
    """What is measured, and what is said against it."""
    gate = manifest().gate
    limits, far = gate.limits, gate.distance["float32"]
    found = []
    for name, pixels in squares().items():
        size = (4 * len(pixels), 3 * len(pixels)) if name != "lesion 3" else (70, 50)
        measured = measure_quality(pixels, *size)
        found.append(
            {
                "name": name,
                "side": len(pixels),
                "pixels": text(pixels),
                "quality": asdict(measured),
                "concerns": [asdict(one) for one in gate_issues(measured, 5.0, limits, far)],
            }
        )
    return found


def texts() -> dict[str, Any]:
    """Sentences, advice, and numbers as text, exact halves among them."""
    values = [0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 0.005, 0.015, 1.005, 2.675, 99.5, 100.5, 0.12499]
    values += np.random.default_rng(3).normal(0, 100, 50).tolist()
    distances = [99.0, 100.0, 100.5, 101.5, 200.0, 200.5, math.nan, math.inf]
    far = [find_distance_issue(one, 100.0, 200.0) for one in distances]
    return {
        "advice": issues.ADVICE,
        "sentences": {
            name: getattr(phrases, name)
            for name in ("DERMOSCOPY", "FORCED", "ROUNDED", "SIMULATED")
        },
        "numbers": [
            {"value": one, "digits": [f"{one:.{n}f}" for n in range(4)], "percent": f"{one:.0%}"}
            for one in values
        ],
        "distances": [
            {"distance": str(one), "concern": None if said is None else asdict(said)}
            for one, said in zip(distances, far, strict=True)
        ],
    }


def probabilities() -> list[dict[str, float]]:
    """Probabilities, also of logits that overflow."""
    return [
        {
            "temperature": temperature,
            "prevalence": prevalence,
            "logit": logit,
            "stated": stated,
            "probability": TemperatureScaling(temperature, prevalence).probability(logit, stated),
        }
        for temperature, prevalence in ((1.0, 0.5), (1.7, 0.398), (0.4, 0.018))
        for logit in (-800.0, -3.2, 0.0, 0.7, 12.0, 900.0)
        for stated in (1e-6, 0.018, 0.5, 0.98)
    ]


def answers() -> list[dict[str, Any]]:
    """Outputs of the network and the whole answers made of them, by bundles of all targets."""
    return [_answers(target) for target in TARGETS]


def _answers(target: Target) -> dict[str, Any]:
    record = replace(manifest(), target=target)
    processor = post_processor(record)
    rng = np.random.default_rng(6)
    cases = []
    for name, pixels in squares().items():
        for force in (False, True):
            evidence_map = rng.normal(0, 0.2, (4, 5)).astype(np.float32)
            static_logits = rng.normal(0, 0.3, 8).astype(np.float32)
            logit = float(np.float32(evidence_map.sum() + static_logits[0] + rng.normal()))
            distance = float(np.float32(rng.uniform(20, 250)))
            output = ModelOutput(
                evidence_map.astype(np.float64), static_logits.astype(np.float64), logit, distance
            )
            patient_info = PatientInfo(55.0, "female", "torso") if force else PatientInfo()
            stated = 0.1 if force else processor.manifest.prevalence
            image = DecodedImage(pixels, 500, 400)
            quality = measure_quality(image.pixels, image.width, image.height)
            diagnosis = processor.to_diagnosis(
                output, quality, patient_info, prevalence=stated, force=force
            )
            cases.append(
                {
                    "name": name,
                    "side": len(pixels),
                    "pixels": text(pixels),
                    "evidence_map": evidence_map.tolist(),
                    "static_logits": static_logits.tolist(),
                    "logit": logit,
                    "distance": distance,
                    "force": force,
                    "prevalence": stated,
                    "answer": diagnosis.to_dict(),
                    "headline": phrases.headline(diagnosis),
                    "caution": phrases.caution(diagnosis),
                    "standing": diagnosis.standing and phrases.standing(diagnosis.standing, target),
                }
            )
    return {"record": record.to_dict(), "answers": cases}


def gradients() -> dict[str, Any]:
    """Integrated Gradients of a function that needs no network: a weighted sum of cubes."""
    side = 24
    photograph = decoded(lesion(4), side)
    weights = np.random.default_rng(7).normal(0, 1, (3, side, side)).astype(np.float32)

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        return (weights * images**3).sum(axis=(1, 2, 3)), 3 * weights * images**2

    return {
        "side": side,
        "photograph": text(photograph),
        "weights": weights.ravel().tolist(),
        "points": [
            {"steps": n, **dict(zip(("places", "weights"), _points(n), strict=True))}
            for n in (1, 2, 3, 16, 64, 129)
        ],
        "baselines": {
            one: integrated_gradients.baseline_image(photograph, one).ravel().tolist()
            for one in integrated_gradients.BASELINES
        },
        "attributions": [
            {
                "asked": steps,
                **asdict(found),
                "pixels": found.pixels.ravel().tolist(),
            }
            for one, steps in (("black", 64), ("blurred", 5), ("mean skin", 1))
            for found in (
                integrated_gradients.integrated_gradients(
                    run, photograph, baseline=one, steps=steps
                ),
            )
        ],
    }


def _points(steps: int) -> tuple[list[float], list[float]]:
    places, weights = integrated_gradients.gauss_legendre(steps)
    return places.tolist(), weights.tolist()
