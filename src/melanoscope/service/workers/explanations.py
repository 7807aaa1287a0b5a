"""Explanations of an answer, as numbers for JSON and as overlays for PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.inference.explain.overlays import (
    OPACITY,
    SIDE,
    attribution_overlay,
    enlarged,
    evidence_scale,
    heat_overlay,
)
from melanoscope.inference.result import EvidenceSum
from melanoscope.service.http.problems import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.inference.explain.integrated_gradients import Attribution
    from melanoscope.inference.result import Diagnosis

_DECIMALS = 8  # a logit of some units is divided among thousands of pixels


def explanation_record(explanation: EvidenceSum | Attribution) -> dict[str, Any]:
    """Return an `explanation` as plain values for JSON, without the bundle's fingerprint."""
    if isinstance(explanation, EvidenceSum):
        return {
            "method": "evidence",
            "values": np.round(explanation.places, _DECIMALS).tolist(),
            "baseline": None,
            "steps": None,
            "difference": explanation.photograph,
            "completeness_error": None,
        }
    return {
        "method": "gradients",
        "values": np.round(explanation.pixels, _DECIMALS).tolist(),
        "baseline": explanation.baseline,
        "steps": explanation.steps,
        "difference": explanation.difference,
        "completeness_error": explanation.completeness_error,
    }


def explanation_overlay(
    pixels: NDArray[np.uint8], explanation: EvidenceSum | Attribution
) -> NDArray[np.uint8]:
    """Draw an `explanation` over the RGB `pixels` of its square, shape (h, w, 3), enlarged."""
    if isinstance(explanation, EvidenceSum):
        places = explanation.places
        return heat_overlay(
            enlarged(pixels, SIDE), places, opacity=OPACITY, scale=evidence_scale(places)
        )
    return enlarged(attribution_overlay(pixels, explanation.pixels), SIDE)


def refused_photograph(diagnosis: Diagnosis) -> Problem:
    """Return the problem of a `diagnosis` that refused, so that nothing can be explained."""
    return Problem(
        "refused-photograph",
        "a photograph that can be answered",
        "; ".join(issue.found for issue in diagnosis.concerns if issue.severity == "refused"),
        "take a better one, or say force=true"
        if diagnosis.can_be_forced
        else "tell whoever runs this service: the network gives no numbers",
        concerns=[
            {"kind": issue.kind, "severity": issue.severity, "advice": issue.advice}
            for issue in diagnosis.concerns
        ],
    )
