"""What a worker does with photographs: decode, answer, explain. Values in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.imaging.decode import TooManyPixelsError, UnreadableImageError
from melanoscope.patient import PatientInfo
from melanoscope.service.http.problems import Problem
from melanoscope.service.workers.explanations import (
    Explained,
    Gradients,
    draw,
    no_gradients,
    png,
    record_of,
    refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.predictor import Predictor
    from melanoscope.service.routes.form_fields import Explaining, Question
    from melanoscope.service.settings import Settings


@dataclass(frozen=True, slots=True)
class Answered:
    """A response's body, and what became of the photograph, for counting."""

    body: bytes
    outcome: str


class Work:
    """All that is done with a photograph, by any of several threads.

    Args:
        predictor: Who is asked.
        settings: Limits.
    """

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self.predictor, self.settings = predictor, settings
        bundle = predictor.bundle
        self._gradients = None
        if bundle.manifest.graphs.gradient.file:
            self._gradients = Gradients(bundle, predictor.threads, settings.steps)

    @property
    def explains(self) -> bool:
        """Whether the bundle has a gradient graph."""
        return self._gradients is not None

    def decode(self, content: bytes, *, light: bool) -> DecodedImage | None:
        """Decode a photograph.

        Args:
            content: The file.
            light: Only if that does not take long; None otherwise.

        Raises:
            Problem: It cannot be, or has too many pixels.
        """
        limits = self.settings
        most = min(limits.heavy_pixels, limits.pixels) if light else limits.pixels
        try:
            return self.predictor.read(content, most=most)
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
            raise _unreadable(error) from None

    def answer(self, decoded: Sequence[DecodedImage], asked: Sequence[Question]) -> list[Answered]:
        """Answer photographs by one run; all are asked at one prevalence, all forced or none."""
        first = asked[0]
        answers = self.predictor.answer(
            decoded,
            [one.who for one in asked],
            prevalence=first.prevalence,
            force=first.force,
        )
        return [self._written(one.to_record(), one.status) for one in answers]

    def explain(
        self,
        photograph: DecodedImage,
        asked: Question,
        how: Explaining,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Answered:
        """Explain the answer to one photograph.

        Raises:
            Problem: It is refused, or the bundle has no gradient graph.
            GivenUp: It is not wanted any more.
        """
        gradients = self._gradients
        if how.method == "gradients" and gradients is None:
            raise no_gradients()
        (answer,) = self.predictor.answer(
            [photograph], [asked.who], prevalence=asked.prevalence, force=asked.force
        )
        if answer.evidence is None:
            raise refused(answer)
        explained: Explained = answer.evidence
        if how.method == "gradients" and gradients is not None:
            explained = gradients.of(photograph, how.baseline, how.steps, is_wanted)
        if how.picture:
            return Answered(png(draw(photograph.pixels, explained)), "explained")
        return self._written(record_of(explained), "explained")

    def warm_up(self) -> None:
        """Answer a drawn photograph, so that nobody else has to wait for libraries to load."""
        side = 2 * self.predictor.bundle.image_size
        away = np.hypot(*np.meshgrid(*[np.linspace(-1, 1, side)] * 2))
        drawn = np.where(away[..., None] < 0.4, (120, 70, 50), (220, 180, 160)).astype(np.uint8)
        photograph = self.predictor.read(png(drawn))
        self.predictor.answer([photograph], [PatientInfo()], force=True)
        if self._gradients is not None:
            self._gradients.warm_up(photograph)

    def _written(self, record: dict[str, Any], outcome: str) -> Answered:
        whole = {**record, "bundle": self.predictor.bundle.fingerprint}
        body = json.dumps(whole, allow_nan=False, separators=(",", ":"))
        return Answered(body.encode(), outcome)


def _unreadable(error: UnreadableImageError) -> Problem:
    # The decoder's own advice speaks of tables where it has nothing better to say.
    mend = "send another photograph" if "table" in str(error) else error.mend
    return Problem(
        "unreadable-photograph",
        "a whole photograph (JPEG, PNG, WebP, TIFF, BMP, HEIC or AVIF)",
        error.reason[:120],
        mend,
    )
