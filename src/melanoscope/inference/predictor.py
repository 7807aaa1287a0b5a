"""A bundle's network, ready to diagnose photographs. No PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from melanoscope.errors import BundleError, nearest
from melanoscope.imaging.decode import DecodedImage, decode_image
from melanoscope.imaging.open_image import MAX_PIXELS, Source
from melanoscope.inference.bundle import Bundle, open_bundle
from melanoscope.inference.explain.integrated_gradients import (
    DEFAULT_BASELINE,
    DEFAULT_STEPS,
    MAX_STEPS,
    Attribution,
    Baseline,
    integrated_gradients,
)
from melanoscope.inference.explain.shapley import COALITIONS, coalition_rows
from melanoscope.inference.onnx_session import FLOAT, UINT8, OnnxModel, Shape, require_shapes
from melanoscope.inference.postprocess import ModelOutput, PostProcessor
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.result import Diagnosis
from melanoscope.patient import WIDTH, PatientInfo, parse_patient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from melanoscope.signing.keys import PublicKey

_GRAPHS = {"float32": "model", "int8": "int8"}  # variant -> its graph's name in the bundle


def load(
    bundle: Path | str,
    *,
    variant: str = "float32",
    threads: int | None = None,
    trust: PublicKey | Path | str | None = None,
) -> Predictor:
    """Open a bundle for diagnosing photographs.

    Args:
        bundle: Folder that `melanoscope train` or `melanoscope export` wrote.
        variant: "float32", or "int8" where the bundle has it.
        threads: Threads of the network; None for all cores.
        trust: Public key of minisign, or its file, that must have signed the bundle; None where
            anybody may have made it.

    Returns:
        A predictor, safe to be used by several threads at once.

    Raises:
        BundleError: No whole bundle of this version, one without the variant, or none signed by
            the key that is trusted.

    >>> import melanoscope
    >>> melanoscope.load("bundle", threads=1).diagnose("photo.jpg", age=45).person.age
    45.0
    """
    key = None
    if trust is not None:
        from melanoscope.signing.keys import PublicKey, read_public_key

        key = trust if isinstance(trust, PublicKey) else read_public_key(str(trust))
    return Predictor(open_bundle(bundle, trust=key), variant=variant, threads=threads)


def _open_graph(bundle: Bundle, name: str, threads: int | None) -> OnnxModel:
    """Run what was hashed: the bytes that were checked, not the file once more."""
    return OnnxModel(bundle.read_graph(name), threads, str(bundle.graph(name)))


def _open_model(bundle: Bundle, name: str, threads: int | None) -> OnnxModel:
    side = bundle.image_size
    return _open_graph(bundle, name, threads).require_signature(
        {"pixels": (UINT8, (None, side, side, 3)), "static": (FLOAT, (None, None, WIDTH))},
        {
            "logit": (None,),
            "distance": (None,),
            "evidence": (None, None, None),
            "static_evidence": (None, None),
        },
    )


class Predictor:
    """Diagnoses photographs with a bundle's network, in several threads at once; see `load`."""

    def __init__(
        self, bundle: Bundle, *, variant: str = "float32", threads: int | None = None
    ) -> None:
        if variant not in _GRAPHS:
            raise BundleError("a known variant", f"'{variant}'", nearest(variant, list(_GRAPHS)))
        self.bundle, self.variant, self.threads = bundle, variant, threads
        self._model = _open_model(bundle, _GRAPHS[variant], threads)
        self._post_processor = PostProcessor.from_bundle(bundle, variant)

    @cached_property
    def _gradient_model(self) -> OnnxModel:
        side = self.bundle.image_size
        images: Shape = (None, 3, side, side)
        return _open_graph(self.bundle, "gradient", self.threads).require_signature(
            {"images": (FLOAT, images)}, {"photograph_evidence": (None,), "gradient": images}
        )

    def decode(self, source: Source, *, max_pixels: int = MAX_PIXELS) -> DecodedImage:
        """Decode a photograph to the square that the network sees; see `decode_image`."""
        return decode_image(source, self.bundle.image_size, max_pixels=max_pixels)

    def predict(
        self,
        images: Sequence[DecodedImage],
        patients: Sequence[PatientInfo],
        *,
        prevalence: float | None = None,
        force: bool = False,
    ) -> list[Diagnosis]:
        """Diagnose several photographs with one run of the network.

        Args:
            images: Photographs as `decode` returns them.
            patients: Age, sex and site of each photograph's lesion, as many as `images`.
            prevalence: Share of positive lesions to assume, between 0 and 1; None for the bundle's.
            force: Whether to answer also what the gate refuses.

        Returns:
            One diagnosis per photograph, in the same order.

        Raises:
            DataError: The prevalence is not between 0 and 1.
        """
        if not images:
            return []
        if prevalence is None:
            prevalence = self.bundle.manifest.prevalence
        # Before the network: its threads go on spinning for a while and take half a core away.
        qualities = [measure_quality(image.pixels, image.width, image.height) for image in images]
        outputs = self.forward(np.stack([image.pixels for image in images]), patients)
        return [
            self._post_processor.to_diagnosis(
                output, quality, patient, prevalence=prevalence, force=force
            )
            for output, quality, patient in zip(outputs, qualities, patients, strict=True)
        ]

    def forward(
        self, pixels: NDArray[np.uint8], patients: Sequence[PatientInfo]
    ) -> list[ModelOutput]:
        """Run the network on uint8 RGB `pixels` of shape (n, image_size, image_size, 3)."""
        static_rows = np.stack([coalition_rows(patient) for patient in patients])
        outputs = self._model(pixels=pixels, static=static_rows)
        n = len(pixels)
        require_shapes(
            outputs,
            {
                "logit": (n,),
                "distance": (n,),
                "evidence": (n, None, None),
                "static_evidence": (n, len(COALITIONS)),
            },
        )
        return [
            ModelOutput(
                evidence_map=outputs["evidence"][row].astype(np.float64),
                static_logits=outputs["static_evidence"][row].astype(np.float64),
                logit=float(outputs["logit"][row]),
                distance=float(outputs["distance"][row]),
            )
            for row in range(len(pixels))
        ]

    def diagnose(
        self,
        image: Source,
        *,
        age: float | str | None = None,
        sex: str | None = None,
        site: str | None = None,
        prevalence: float | None = None,
        force: bool = False,
    ) -> Diagnosis:
        """Diagnose one photograph.

        Args:
            image: Path of the photograph, or the content of its file as bytes.
            age: Age in years, 0 to 120; None where unknown.
            sex: One of `patient.SEXES`; None where unknown.
            site: Where the lesion is, one of `patient.SITES`; None where unknown.
            prevalence: Share of positive lesions to assume, between 0 and 1; None for the bundle's.
            force: Whether to answer also what the gate refuses.

        Returns:
            The diagnosis; without probability where the photograph is refused.

        Raises:
            DataError: The photograph cannot be read, or age, sex, site or prevalence is none.

        What the gate refuses is answered when it is forced, with a warning:

        >>> predictor = load("bundle", threads=1)
        >>> diagnosis = predictor.diagnose("photo.jpg", age=45, sex="female", force=True)
        >>> 0 < diagnosis.probability < 1
        True
        >>> [decision.key for decision in diagnosis.decisions]
        ['sensitivity_95', 'specificity_dermatologists', 'highest_f1']

        The logit is the sum of what the photograph, age, sex and site add, and a bias:

        >>> parts = diagnosis.evidence
        >>> addends = parts.photograph + parts.age + parts.sex + parts.site + parts.bias
        >>> round(addends - diagnosis.logit, 9)
        0.0
        >>> parts.places.shape  # what each place of the photograph adds
        (3, 3)
        """
        patient = parse_patient(age, sex, site)
        decoded = self.decode(image)
        return self.predict([decoded], [patient], prevalence=prevalence, force=force)[0]

    def explain(
        self,
        image: Source | DecodedImage,
        *,
        baseline: Baseline = DEFAULT_BASELINE,
        steps: int = DEFAULT_STEPS,
        max_steps: int = MAX_STEPS,
        on_batch: Callable[[], None] = lambda: None,
    ) -> Attribution:
        """Attribute what the photograph adds to the logit to its pixels, by Integrated Gradients.

        Args:
            image: Path of the photograph, the content of its file, or a decoded photograph.
            baseline: Image that says nothing: "black", "blurred" or "mean skin".
            steps: Points on the way from the baseline to the photograph, 1 to 1024.
            max_steps: Number that `steps`, doubled in search of completeness, do not exceed.
            on_batch: Called before each run of the graph; what it raises ends the explanation.

        Returns:
            What each pixel adds, against the baseline.

        Raises:
            BundleError: The bundle has no gradient graph.
            DataError: The photograph cannot be read, or an argument is out of range.

        >>> attribution = load("bundle", threads=1).explain("photo.jpg", baseline="black")
        >>> attribution.pixels.shape
        (64, 64)
        """
        model = self._gradient_model
        decoded = image if isinstance(image, DecodedImage) else self.decode(image)

        def value_and_gradient(
            images: NDArray[np.float32],
        ) -> tuple[NDArray[Any], NDArray[Any]]:
            on_batch()
            outputs = model(images=images)
            require_shapes(
                outputs, {"photograph_evidence": (len(images),), "gradient": images.shape}
            )
            return outputs["photograph_evidence"], outputs["gradient"]

        return integrated_gradients(
            value_and_gradient, decoded.pixels, baseline=baseline, steps=steps, max_steps=max_steps
        )
