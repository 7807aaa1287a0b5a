"""The tasks of a worker: decode, answer and explain photographs. Values in, bodies out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.imaging.open_image import TooManyPixelsError, UnreadableImageError
from melanoscope.inference.explain.overlays import encode_png
from melanoscope.patient import PatientInfo
from melanoscope.service.http.problems import Problem
from melanoscope.service.workers.explanations import (
    GradientExplainer,
    explanation_overlay,
    explanation_record,
    refused_photograph,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Attribution
    from melanoscope.inference.predictor import Predictor
    from melanoscope.inference.result import EvidenceSum
    from melanoscope.service.routes.form_fields import DiagnosisRequest, ExplanationOptions
    from melanoscope.service.settings import Settings


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The body of a response, and what became of the photograph.

    Attributes:
        body: JSON or PNG.
        outcome: Label of the metric of outcomes, such as "accepted".
    """

    body: bytes
    outcome: str


class ImageTasks:
    """Everything that is done with a photograph, by any of several threads.

    Args:
        predictor: Predictor of the bundle.
        settings: Limits of pixels and of steps.
    """

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self._predictor, self._settings = predictor, settings
        bundle = predictor.bundle
        self._explainer = None
        if bundle.manifest.graphs.gradient.file:
            self._explainer = GradientExplainer(bundle, predictor.threads, settings.steps)

    @property
    def has_gradients(self) -> bool:
        """Whether the bundle has a gradient graph."""
        return self._explainer is not None

    def decode(self, content: bytes, *, allow_heavy: bool) -> DecodedImage | None:
        """Decode a photograph.

        Args:
            content: Its file.
            allow_heavy: Whether one above `Settings.heavy_pixels` is decoded, too.

        Returns:
            The image; None for a heavy one that is not allowed.

        Raises:
            Problem: The file cannot be read, or has more than `Settings.pixels`.
        """
        limits = self._settings
        limit = limits.pixels if allow_heavy else min(limits.heavy_pixels, limits.pixels)
        try:
            return self._predictor.decode(content, max_pixels=limit)
        except TooManyPixelsError as error:
            if error.pixels <= limits.pixels:
                return None
            raise Problem(
                "unreadable-photograph",
                f"a photograph of at most {limits.pixels / 1e6:g} million pixels",
                error.size,
                "send a smaller copy of it",
            ) from None
        except UnreadableImageError as error:
            raise _unreadable_photograph(error) from None

    def answer(
        self, images: Sequence[DecodedImage], requests: Sequence[DiagnosisRequest]
    ) -> list[TaskResult]:
        """Answer several photographs by one run of the network.

        Args:
            images: One or more decoded photographs.
            requests: What is asked about each; all of the same prevalence, all forced or none.

        Returns:
            One result for each photograph, in their order.
        """
        first = requests[0]
        diagnoses = self._predictor.predict(
            images,
            [request.patient for request in requests],
            prevalence=first.prevalence,
            force=first.force,
        )
        return [self._to_json(each.to_dict(), each.status) for each in diagnoses]

    def explain(
        self,
        image: DecodedImage,
        request: DiagnosisRequest,
        options: ExplanationOptions,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> TaskResult:
        """Explain the answer to one photograph.

        Args:
            image: The decoded photograph.
            request: What is asked about it.
            options: How the answer is to be explained, and as which media type.
            is_wanted: Called now and then; False cancels the explanation.

        Returns:
            The explanation.

        Raises:
            Problem: The photograph is refused, or the bundle has no gradient graph.
            Cancelled: `is_wanted` returned False.
        """
        explainer = self._explainer
        if options.method == "gradients" and explainer is None:
            raise Problem(
                "no-gradients",
                "a bundle with a gradient graph",
                "none",
                "ask for the method 'evidence'",
            )
        (diagnosis,) = self._predictor.predict(
            [image], [request.patient], prevalence=request.prevalence, force=request.force
        )
        if diagnosis.evidence is None:
            raise refused_photograph(diagnosis)
        explanation: EvidenceSum | Attribution = diagnosis.evidence
        if options.method == "gradients" and explainer is not None:
            explanation = explainer.attribute(image, options, is_wanted)
        if options.as_png:
            return TaskResult(
                encode_png(explanation_overlay(image.pixels, explanation)), "explained"
            )
        return self._to_json(explanation_record(explanation), "explained")

    def warm_up(self) -> None:
        """Answer a drawn photograph, so that no client has to wait for libraries to load."""
        side = 2 * self._predictor.bundle.image_size
        radius = np.hypot(*np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
        drawn = np.where(radius[..., None] < 0.4, (120, 70, 50), (220, 180, 160)).astype(np.uint8)
        image = self._predictor.decode(encode_png(drawn))
        self._predictor.predict([image], [PatientInfo()], force=True)
        if self._explainer is not None:
            self._explainer.warm_up(image)

    def _to_json(self, record: dict[str, Any], outcome: str) -> TaskResult:
        content = {**record, "bundle": self._predictor.bundle.fingerprint}
        body = json.dumps(content, allow_nan=False, separators=(",", ":"))
        return TaskResult(body.encode(), outcome)


def _unreadable_photograph(error: UnreadableImageError) -> Problem:
    # The decoder's own advice speaks of tables where it has nothing better to say.
    mend = "send another photograph" if "table" in str(error) else error.mend
    return Problem(
        "unreadable-photograph",
        "a whole photograph (JPEG, PNG, WebP, TIFF, BMP, HEIC or AVIF)",
        error.reason[:120],
        mend,
    )
