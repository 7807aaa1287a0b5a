"""Explanations of an answer, as numbers for JSON and as overlays for PNG."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.inference.explain.integrated_gradients import Attribution, integrated_gradients
from melanoscope.inference.explain.overlays import (
    OPACITY,
    SIDE,
    attribution_overlay,
    enlarged,
    evidence_scale,
    heat_overlay,
)
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.inference.result import EvidenceSum
from melanoscope.service.http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.bundle import Bundle
    from melanoscope.inference.result import Diagnosis
    from melanoscope.service.routes.form_fields import ExplanationOptions

_DECIMALS = 8  # a logit of some units is divided among thousands of pixels


class Cancelled(Exception):
    """Raised by an explanation for which nobody waits any more."""


class GradientExplainer:
    """Integrated Gradients that can be cancelled half-way, as they take seconds.

    Args:
        bundle: Bundle with a gradient graph.
        threads: Threads of its runs; None for all cores.
        max_steps: Steps that are never exceeded in search of completeness, unless asked for.
    """

    def __init__(self, bundle: Bundle, threads: int | None, max_steps: int) -> None:
        self._bundle, self._threads, self._max_steps = bundle, threads, max_steps

    @cached_property
    def _model(self) -> OnnxModel:
        return OnnxModel(self._bundle.graph("gradient"), self._threads)

    def warm_up(self, image: DecodedImage) -> None:
        """Load the gradient graph and run it once, with `image`."""
        self._model(images=np.stack([image.pixels.transpose(2, 0, 1) / np.float32(255)]))

    def attribute(
        self, image: DecodedImage, options: ExplanationOptions, is_wanted: Callable[[], bool]
    ) -> Attribution:
        """Attribute the evidence of an image to its pixels.

        Args:
            image: The decoded photograph.
            options: Baseline and number of steps of Integrated Gradients.
            is_wanted: Called before each run of the graph; False cancels the explanation.

        Returns:
            What each pixel adds to the logit, and how complete the sum is.

        Raises:
            Cancelled: `is_wanted` returned False.
        """

        def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
            if not is_wanted():
                raise Cancelled
            outputs = self._model(images=images)
            return outputs["photograph_evidence"], outputs["gradient"]

        return integrated_gradients(
            run,
            image.pixels,
            baseline=options.baseline,
            steps=options.steps,
            max_steps=max(options.steps, self._max_steps),
        )


def explanation_record(explanation: EvidenceSum | Attribution) -> dict[str, Any]:
    """Return an `explanation` as plain values for JSON; the bundle is missing yet."""
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
    """Draw an explanation over the photograph.

    Args:
        pixels: RGB pixels of the photograph's square, shape (h, w, 3).
        explanation: What each place or each pixel of it adds to the logit.

    Returns:
        RGB pixels of the enlarged overlay.
    """
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
        "take a better one, or say force=true",
        concerns=[
            {"kind": issue.kind, "severity": issue.severity, "advice": issue.advice}
            for issue in diagnosis.concerns
        ],
    )
