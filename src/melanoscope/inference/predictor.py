"""Photographs in, answers out: a bundle ready to be asked. No PyTorch.

>>> import melanoscope
>>> answer = melanoscope.load("bundle").diagnose("photo.jpg", age=45, sex="female", site="torso")
>>> answer.status in ("accepted", "doubtful", "refused")
True

What the gate refuses is answered when it is forced, with a warning:

>>> predictor = melanoscope.load("bundle", threads=1)
>>> answer = predictor.diagnose("photo.jpg", age=45, sex="female", site="torso", force=True)
>>> 0 < answer.probability < 1
True
>>> [decision.key for decision in answer.decisions]
['sensitivity_95', 'specificity_dermatologists', 'highest_f1']

The logit is the sum of what the photograph, age, sex and site add, and a bias:

>>> parts = answer.evidence
>>> round(parts.photograph + parts.age + parts.sex + parts.site + parts.bias - answer.logit, 9)
0.0
>>> parts.places.shape  # what each place of the photograph adds
(3, 3)

Integrated Gradients say what each pixel adds, against a black photograph:

>>> attribution = predictor.explain("photo.jpg", baseline="black", steps=64)
>>> attribution.pixels.shape
(64, 64)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.errors import BundleError, nearest
from melanoscope.imaging.decode import MAX_PIXELS, DecodedImage, Source, decode_image
from melanoscope.inference.bundle import Bundle, open_bundle
from melanoscope.inference.explain.shapley import coalition_rows
from melanoscope.inference.onnx_session import OnnxModel
from melanoscope.inference.postprocess import ModelOutput, PostProcessor
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.result import Diagnosis
from melanoscope.patient import PatientInfo, parse_patient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.inference.explain.integrated_gradients import Attribution, Baseline

VARIANTS = {"float32": "model", "int8": "int8"}
"""Variant -> its graph's name in the bundle."""


def load(bundle: Path | str, *, variant: str = "float32", threads: int | None = None) -> Predictor:
    """Open a bundle for diagnosing photographs.

    Args:
        bundle: Folder that `melanoscope train` or `melanoscope export` wrote.
        variant: "float32", or "int8" where the bundle has it.
        threads: Of the network; None for all cores.

    Raises:
        BundleError: No whole bundle of this version, or without the variant.
    """
    return Predictor(open_bundle(bundle), variant=variant, threads=threads)


class Predictor:
    """Asks a bundle's network; safe to be used by several threads at once.

    Args:
        bundle: Checked.
        variant: As `load`.
        threads: As `load`.
    """

    def __init__(
        self, bundle: Bundle, *, variant: str = "float32", threads: int | None = None
    ) -> None:
        if variant not in VARIANTS:
            raise BundleError("a known variant", f"'{variant}'", nearest(variant, list(VARIANTS)))
        self.bundle, self.variant, self.threads = bundle, variant, threads
        self._graph = OnnxModel(bundle.graph(VARIANTS[variant]), threads)
        self._reader = PostProcessor.of(bundle, variant)

    @cached_property
    def _gradient(self) -> OnnxModel:
        return OnnxModel(self.bundle.graph("gradient"), self.threads)

    def read(self, source: Source, *, most: int = MAX_PIXELS) -> DecodedImage:
        """Decode a photograph as the network wants it; a path, or a file's content as bytes.

        Args:
            source: The photograph.
            most: Pixels beyond which it is not decoded.

        Raises:
            TooManyPixelsError: More than `most`.
            UnreadableImageError: Not a whole photograph of a known format.
        """
        return decode_image(source, self.bundle.image_size, max_pixels=most)

    def answer(
        self,
        decoded: Sequence[DecodedImage],
        people: Sequence[PatientInfo],
        *,
        prevalence: float | None = None,
        force: bool = False,
    ) -> list[Diagnosis]:
        """Answer several photographs with one run of the network.

        Args:
            decoded: As `read` returns them.
            people: Whose they are, one per photograph.
            prevalence: Share of melanomas to assume, between 0 and 1; None for the bundle's.
            force: Answer also what the gate refuses.

        Raises:
            DataError: A prevalence out of range.
        """
        if not decoded:
            return []
        stated = self._reader.prevalence if prevalence is None else prevalence
        # Before the network: its threads go on spinning for a while and take half a core away.
        qualities = [measure_quality(one.pixels, one.width, one.height) for one in decoded]
        seen = self.see(np.stack([one.pixels for one in decoded]), people)
        return [
            self._reader.read(one, quality, who, prevalence=stated, force=force)
            for one, quality, who in zip(seen, qualities, people, strict=True)
        ]

    def see(self, pixels: NDArray[np.uint8], people: Sequence[PatientInfo]) -> list[ModelOutput]:
        """Return what the network says, unread: pixels of shape (n, px, px, 3)."""
        static_rows = np.stack([coalition_rows(one) for one in people])
        out = self._graph(pixels=pixels, static=static_rows)
        return [
            ModelOutput(
                out["evidence"][row].astype(np.float64),
                out["static_evidence"][row].astype(np.float64),
                float(out["logit"][row]),
                float(out["distance"][row]),
            )
            for row in range(len(pixels))
        ]

    def diagnose(
        self,
        photograph: Source,
        *,
        age: float | str | None = None,
        sex: str | None = None,
        site: str | None = None,
        prevalence: float | None = None,
        force: bool = False,
    ) -> Diagnosis:
        """Answer one photograph.

        Args:
            photograph: A path, or a file's content as bytes.
            age: Years, 0 to 120; None where unknown.
            sex: A word of `static.SEXES`; None where unknown.
            site: Where the lesion is, a word of `static.SITES`; None where unknown.
            prevalence: As `answer`.
            force: As `answer`.

        Raises:
            DataError: The photograph cannot be read, or what is said of the person cannot be.
        """
        who = parse_patient(age, sex, site)
        return self.answer([self.read(photograph)], [who], prevalence=prevalence, force=force)[0]

    def explain(
        self,
        photograph: Source | DecodedImage,
        *,
        baseline: Baseline = "mean skin",
        steps: int = 64,
    ) -> Attribution:
        """Attribute what the photograph adds to the logit to its pixels, by Integrated Gradients.

        Args:
            photograph: As `diagnose`, or already decoded.
            baseline: What counts as nothing: "black", "blurred" or "mean skin".
            steps: Points on the way from there to the photograph.

        Raises:
            BundleError: The bundle has no gradient graph.
            DataError: The photograph cannot be read.
        """
        from melanoscope.inference.explain.integrated_gradients import integrated_gradients

        graph = self._gradient
        one = photograph if isinstance(photograph, DecodedImage) else self.read(photograph)

        def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
            out = graph(images=images)
            return out["photograph_evidence"], out["gradient"]

        return integrated_gradients(run, one.pixels, baseline=baseline, steps=steps)
