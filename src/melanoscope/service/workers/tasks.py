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
    """The `body` of a response (JSON or PNG), and the photograph's `outcome` for the metrics."""

    body: bytes
    outcome: str


class ImageTasks:
    """Everything that any of several threads does with a photograph."""

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self._predictor, self._settings = predictor, settings
        self.has_gradients = bool(predictor.bundle.manifest.graphs.gradient.file)

    def decode(self, content: bytes, *, allow_heavy: bool) -> DecodedImage | None:
        """Decode a file; None if it has over `Settings.heavy_pixels`, unless `allow_heavy`."""
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
            # The decoder's own advice speaks of tables where it has nothing better to say.
            raise Problem(
                "unreadable-photograph",
                "a whole photograph (JPEG, PNG, WebP, TIFF, BMP, HEIC, AVIF or DICOM)",
                error.reason[:120],
                "send another photograph" if "table" in str(error) else error.mend,
            ) from None

    def answer(
        self, images: Sequence[DecodedImage], requests: Sequence[DiagnosisRequest]
    ) -> list[TaskResult]:
        """Answer photographs whose `requests` share prevalence and force, by one network run."""
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
        on_batch: Callable[[], None],
    ) -> TaskResult:
        """Explain the answer to one photograph; what `on_batch` raises now and then ends it."""
        if options.method == "gradients" and not self.has_gradients:
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
        if options.method == "gradients":
            explanation = self._predictor.explain(
                image,
                baseline=options.baseline,
                steps=options.steps,
                max_steps=self._settings.steps,
                on_batch=on_batch,
            )
        if options.as_png:
            overlay = explanation_overlay(image.pixels, explanation)
            return TaskResult(encode_png(overlay), "explained")
        return self._to_json(explanation_record(explanation), "explained")

    def warm_up(self) -> None:
        """Answer a drawn photograph, so that no client has to wait for libraries to load."""
        side = 2 * self._predictor.bundle.image_size
        radius = np.hypot(*np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
        drawn = np.where(radius[..., None] < 0.4, (120, 70, 50), (220, 180, 160)).astype(np.uint8)
        image = self._predictor.decode(encode_png(drawn))
        self._predictor.predict([image], [PatientInfo()], force=True)
        if self.has_gradients:
            self._predictor.explain(image, steps=1, max_steps=1)

    def _to_json(self, record: dict[str, Any], outcome: str) -> TaskResult:
        content = {**record, "bundle": self._predictor.bundle.fingerprint}
        body = json.dumps(content, allow_nan=False, separators=(",", ":"))
        return TaskResult(body.encode(), outcome)
