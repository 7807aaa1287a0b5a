"""Explanations as numbers and as pictures."""

from __future__ import annotations

import io
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
    from melanoscope.inference.explain.integrated_gradients import Baseline
    from melanoscope.inference.result import Diagnosis

Explained = EvidenceSum | Attribution

_DIGITS = 8  # after the point: a logit of some units is divided among thousands of pixels


class Cancelled(Exception):
    """Nobody waits for this explanation any more."""


class Gradients:
    """Integrated Gradients that can be given up half-way, as they take seconds.

    Args:
        bundle: With a gradient graph.
        threads: Of its runs; None for all cores.
        most: Steps that are never exceeded in search of completeness.
    """

    def __init__(self, bundle: Bundle, threads: int | None, most: int) -> None:
        self._bundle, self._threads, self.most = bundle, threads, most

    @cached_property
    def _graph(self) -> OnnxModel:
        return OnnxModel(self._bundle.graph("gradient"), self._threads)

    def warm_up(self, photograph: DecodedImage) -> None:
        """Load the graph and run it once."""
        self._graph(images=np.stack([photograph.pixels.transpose(2, 0, 1) / np.float32(255)]))

    def of(
        self,
        photograph: DecodedImage,
        baseline: Baseline,
        steps: int,
        is_wanted: Callable[[], bool],
    ) -> Attribution:
        """Attribute a photograph's evidence to its pixels.

        Args:
            photograph: Decoded.
            baseline: What counts as nothing.
            steps: Points on the way, 1 or more.
            is_wanted: Asked before each run of the graph.

        Raises:
            GivenUp: It is not.
        """

        def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
            if not is_wanted():
                raise Cancelled
            out = self._graph(images=images)
            return out["photograph_evidence"], out["gradient"]

        return integrated_gradients(
            run, photograph.pixels, baseline=baseline, steps=steps, max_steps=max(steps, self.most)
        )


def record_of(explained: Explained) -> dict[str, Any]:
    """Return plain values, for JSON."""
    if isinstance(explained, EvidenceSum):
        return {
            "method": "evidence",
            "values": np.round(explained.places, _DIGITS).tolist(),
            "baseline": None,
            "steps": None,
            "difference": explained.photograph,
            "completeness_error": None,
        }
    return {
        "method": "gradients",
        "values": np.round(explained.pixels, _DIGITS).tolist(),
        "baseline": explained.baseline,
        "steps": explained.steps,
        "difference": explained.difference,
        "completeness_error": explained.completeness_error,
    }


def draw(pixels: NDArray[np.uint8], explained: Explained) -> NDArray[np.uint8]:
    """Draw an explanation over the photograph's square."""
    if isinstance(explained, EvidenceSum):
        places = explained.places
        return heat_overlay(
            enlarged(pixels, SIDE), places, opacity=OPACITY, scale=evidence_scale(places)
        )
    return enlarged(attribution_overlay(pixels, explained.pixels), SIDE)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Write RGB pixels as a PNG without metadata."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=4)
    return file.getvalue()


def no_gradients() -> Problem:
    """Say that a bundle has no gradient graph."""
    return Problem(
        "no-gradients", "a bundle with a gradient graph", "none", "ask for the method 'evidence'"
    )


def refused(answer: Diagnosis) -> Problem:
    """Say that there is no answer to be explained, and why."""
    return Problem(
        "refused-photograph",
        "a photograph that can be answered",
        "; ".join(one.found for one in answer.concerns if one.severity == "refused"),
        "take a better one, or say force=true",
        concerns=[
            {"kind": one.kind, "severity": one.severity, "advice": one.advice}
            for one in answer.concerns
        ],
    )
