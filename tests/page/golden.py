"""Numbers of the Python package that the page's own arithmetic is held against.

    python tests/page/golden.py FOLDER

writes one JSON file for each module of `web/src/device`; `web/test` reads them. Pixels are base64.
All photographs are drawn.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image, ImageOps, features

from melanoscope import patient
from melanoscope.data.sources.lesion_painter import Traits, paint
from melanoscope.errors import DataError
from melanoscope.imaging import heif
from melanoscope.imaging.decode import DecodedImage, decode_image
from melanoscope.imaging.file_type import detect_file_type
from melanoscope.imaging.integrity import whole_content
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.inference.bundle import Bundle
from melanoscope.inference.calibration import TemperatureScaling
from melanoscope.inference.explain import integrated_gradients, shapley
from melanoscope.inference.manifest import BundleManifest
from melanoscope.inference.postprocess import ModelOutput, PostProcessor
from melanoscope.inference.quality import issues
from melanoscope.inference.quality.gate import LOW, MEASURES, find_distance_issue, gate_issues
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.text import phrases
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import MALIGNANT, MELANOMA, Target, custom_target

_Bytes = NDArray[np.uint8]

SIZES = (
    (160, 160, 128),
    (213, 160, 128),
    (161, 300, 128),
    (161, 194, 128),
    (161, 195, 128),
    (100, 129, 128),
    (777, 1003, 128),
    (128, 128, 128),
    (640, 427, 128),
    (427, 641, 128),
    (1003, 777, 128),
    (50, 37, 64),
    (900, 904, 31),
    (64, 65, 64),
    (17, 5, 16),
    (1, 3, 16),
    (2000, 701, 32),
)
"""Width and height of what is resampled, and the side that it is brought to."""


TARGETS = (
    MELANOMA,
    MALIGNANT,
    custom_target("keratinocyte_cancer", ("basal cell carcinoma", "squamous cell carcinoma")),
)
"""Targets of the bundles that answer: both that have a name, and an own grouping."""


def lesion(number: int) -> _Bytes:
    """Draw a lesion, RGB with a short side of 160 pixels or more."""
    rng = np.random.default_rng([5, number])
    traits = Traits(*rng.random(3).tolist(), 0.25 + 0.5 * float(rng.random()))
    return paint(traits, float(rng.random()), rng, np.random.default_rng([6, number]))


def squares(image_size: int = 128) -> dict[str, _Bytes]:
    """Return squares of all kinds: drawn lesions, noise, extremes of exposure, screens."""
    rng = np.random.default_rng(0)
    found = {f"lesion {n}": _decoded(lesion(n), image_size) for n in range(8)}
    one = found["lesion 0"]
    blocks = (
        rng.integers(0, 256, (image_size // 16, image_size // 16, 3), np.uint8)
        .repeat(16, 0)
        .repeat(16, 1)
    )
    found |= {
        "noise": rng.integers(0, 256, (image_size, image_size, 3), np.uint8),
        "black": np.zeros((image_size, image_size, 3), np.uint8),
        "white": np.full((image_size, image_size, 3), 255, np.uint8),
        "skin": np.full((image_size, image_size, 3), (200, 150, 130), np.uint8),
        "grey": one.mean(axis=2, keepdims=True).astype(np.uint8).repeat(3, axis=2),
        "green": one[..., (1, 0, 2)].copy(),
        "dark": one // 5,
        "bright": np.minimum(one.astype(int) * 2, 255).astype(np.uint8),
        "blocks": blocks.repeat(16, 0).repeat(16, 1),
        "small": _decoded(lesion(1), 80),
        "smallest": _decoded(lesion(2), 16),
    }
    return found


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


def resample() -> list[dict[str, Any]]:
    """Squares of noise by the decoder, from PNG."""
    rng = np.random.default_rng(2)
    cases = []
    for width, height, image_size in SIZES:
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        # Edges at the ends of the scale, where the fixed point overshoots and is cut off.
        pixels[: height // 2] = (pixels[: height // 2] > 127) * np.uint8(255)
        cases.append(
            {
                "width": width,
                "height": height,
                "image_size": image_size,
                "pixels": _text(pixels),
                "square": _text(_decoded(pixels, image_size)),
            }
        )
    return cases


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
                "pixels": _text(pixels),
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


def patients() -> dict[str, Any]:
    """Patients as they are stated, read and encoded, and Shapley values of what they add."""
    known = [
        PatientInfo(),
        PatientInfo(45.0, "female", "torso"),
        PatientInfo(0.5, "male", "oral/genital"),
        PatientInfo(120.0, "unknown", "head/neck"),
        PatientInfo(None, "male", "unknown"),
    ]
    logits = np.random.default_rng(4).normal(0, 1, (10, 8)).astype(np.float32)
    return {
        "features": patient.FEATURE_NAMES,
        "vocabulary": {
            "sexes": patient.SEXES,
            "sites": patient.SITES,
            "max_age": patient.MAX_AGE,
        },
        "stated": [{"stated": one, "patient": _parsed(one)} for one in _stated_patients()],
        "encoded": [
            {"patient": asdict(one), "rows": shapley.coalition_rows(one).ravel().tolist()}
            for one in known
        ],
        "shapley": [
            {"static_logits": row.tolist(), "values": values, "unknown": unknown}
            for row, (values, unknown) in ((row, shapley.shapley_values(row)) for row in logits)
        ],
    }


def _stated_patients() -> list[dict[str, Any]]:
    """Return patients in anybody's words: every word, ages of all forms, and what is refused."""
    ages: list[Any] = [None, 0, 0.5, 45, 120, 120.5, -1, -0.0, "", " ", "0", "0.0", "45", " 45 "]
    ages += ["45.5", "+7", ".5", "5.", "1e2", "1e3", "-3", "121", "NA", "n/a", "NaN", "None"]
    ages += [
        "Null",
        "UNKNOWN",
        "abc",
        "4 5",
        "0x10",
        "12 years",
        "inf",
        "45,5",
        "85+",
        "85 +",
        "+",
        "++5",
    ]
    ages += ["-1", "-1.0", "-1,0", "-2", "1,2,3", "<NA>", "not_known", "1e2+"]
    sexes = [
        None,
        "x",
        "f m",
        "femal",
        "ma\u0308nnlich",
        "F.",
        *patient.SEX_WORDS,
        *patient.MISSING,
    ]
    sites = [
        None,
        "tail",
        "anterior  torso",
        "head_neck_face",
        "PALMS-SOLES",
        "Head & Neck",
        *patient.SITE_WORDS,
        *patient.MISSING,
    ]
    unknown = dict.fromkeys(("age", "sex", "site"))
    return [
        *({**unknown, "age": age} for age in ages),
        *({**unknown, "sex": form(sex)} for sex in sexes for form in _CASES),
        *({**unknown, "site": form(site)} for site in sites for form in _CASES),
        {"age": "61", "sex": "F", "site": "Posterior torso"},
    ]


_CASES: tuple[Callable[[str | None], str | None], ...] = (
    lambda word: word,
    lambda word: word and word.upper(),
    lambda word: word and f"  {word.capitalize()}	",
)


def _parsed(stated: dict[str, Any]) -> dict[str, Any] | None:
    """Return the patient that Python reads; None where it refuses."""
    try:
        return asdict(patient.parse_patient(**stated))
    except DataError:
        return None


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
                    "pixels": _text(pixels),
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
    photograph = _decoded(lesion(4), side)
    weights = np.random.default_rng(7).normal(0, 1, (3, side, side)).astype(np.float32)

    def run(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        return (weights * images**3).sum(axis=(1, 2, 3)), 3 * weights * images**2

    return {
        "side": side,
        "photograph": _text(photograph),
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


def kinds() -> list[dict[str, str | None]]:
    """Formats by their first bytes."""
    heads = [
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
        b"BM",
        b"II*\0",
        b"MM\0+",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0AVI LIST",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif",
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        b"\0\0\0\x14ftypqt  ",
        b"\0\0\0\x08wide",
        b"\x1aE\xdf\xa3",
        b"GIF89a",
        b"<html>",
        b"",
        b"G" + 187 * b"\0" + b"G",
    ]
    return [
        {"head": base64.b64encode(one).decode(), "kind": detect_file_type(one)} for one in heads
    ]


def heads() -> list[dict[str, Any]]:
    """Files of every format, their sizes as stored, and how they are to be turned."""
    image = Image.fromarray(lesion(5)).resize((37, 21))
    faded = image.convert("RGBA")
    faded.putalpha(77)
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "JPEG": _saved(image, "JPEG"),
        "JPEG, progressive": _saved(image, "JPEG", progressive=True),
        "JPEG, turned": _saved(image, "JPEG", exif=exif),
        "PNG": _saved(image, "PNG"),
        "BMP": _saved(image, "BMP"),
        "WEBP, lossy": _saved(image, "WEBP"),
        "WEBP, lossless": _saved(image, "WEBP", lossless=True),
        "WEBP, alpha": _saved(faded, "WEBP"),
        "WEBP, turned": _saved(image, "WEBP", exif=exif),
    }
    if features.check("avif"):
        files["AVIF"] = _saved(image, "AVIF")
    return [
        {
            "name": name,
            "kind": name.split(",")[0],
            "file": base64.b64encode(content).decode(),
            "orientation": 6 if "turned" in name else 1,
        }
        for name, content in files.items()
    ]


def torn() -> list[dict[str, Any]]:
    """Files that are whole and that zeros end, and whether Python takes them for torn."""
    whole = Image.fromarray(lesion(4)).resize((150, 110))
    noise = np.random.default_rng(4).normal(0, 12, (110, 150, 3))
    noisy = Image.fromarray((np.asarray(whole) + noise).clip(1, 255).astype(np.uint8))
    black = np.array(noisy)
    black[50:] = 0
    kinds = {"BMP": {}, "WEBP": {"quality": 85}, "WEBP, lossless": {"lossless": True}}
    if features.check("avif"):
        kinds["AVIF"] = {}
    found = []
    for name, options in kinds.items():
        kind = name.split(",")[0]
        for image in (noisy, Image.fromarray(black)):
            content = _saved(image, kind, **options)
            for share in (0.2, 0.5, 0.9, 1.0):
                place = int(len(content) * share)
                file = content[:place] + bytes(len(content) - place)
                is_torn = (
                    heif.is_torn(file)
                    if kind == "AVIF"
                    else whole_content(kind, file, 10**6) is None
                )
                # Black rows below a BMP are no tear, and zeros in their place no loss.
                found.append(
                    {
                        "name": f"{name}, {'black below' if image is not noisy else ''} {share}",
                        "kind": kind,
                        "file": base64.b64encode(file).decode(),
                        "torn": is_torn,
                    }
                )
    return found


def turns() -> list[dict[str, Any]]:
    """A picture, turned as EXIF says."""
    pixels = np.arange(3 * 4 * 7, dtype=np.uint8).reshape(4, 7, 3)
    found = []
    for orientation in range(1, 9):
        image = Image.fromarray(pixels)
        image.getexif()[0x0112] = orientation
        upright = np.asarray(ImageOps.exif_transpose(image))
        size = {"width": upright.shape[1], "height": upright.shape[0]}
        found.append({"orientation": orientation, **size, "pixels": _text(upright)})
    return found


def jpegs() -> list[dict[str, Any]]:
    """JPEGs, and what Pillow's draft mode makes of them at 1/2, 1/4 and 1/8."""
    whole = Image.fromarray(lesion(3)).resize((333, 251), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(8).normal(0, 25, (251, 333, 3))
    noisy = Image.fromarray((np.asarray(whole) + noise).clip(0, 255).astype(np.uint8))
    files: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "4:4:4": (noisy, {"quality": 95, "subsampling": 0}),
        "4:2:2": (noisy, {"quality": 85, "subsampling": 1}),
        "4:2:0": (noisy, {"quality": 85, "subsampling": 2}),
        "smooth": (whole, {"quality": 40}),
        "loud": (noisy, {"quality": 100, "subsampling": 0}),
        "coarse": (noisy, {"quality": 3}),
        "progressive": (noisy, {"quality": 90, "progressive": True}),
        "progressive, 4:4:4": (noisy, {"quality": 97, "progressive": True, "subsampling": 0}),
        "progressive, grey": (noisy.convert("L"), {"quality": 90, "progressive": True}),
        "grey": (noisy.convert("L"), {"quality": 90}),
        "optimised": (noisy, {"quality": 90, "optimize": True}),
        "restarts": (noisy, {"quality": 90, "restart_marker_blocks": 3}),
        "restarts, progressive": (
            noisy,
            {"quality": 90, "restart_marker_rows": 1, "progressive": True},
        ),
        "no transform": (noisy, {"quality": 90, "keep_rgb": True}),
        "narrow": (noisy.crop((0, 0, 17, 251)), {"quality": 90, "subsampling": 1}),
    }
    return [
        {
            "name": name,
            "file": base64.b64encode(content).decode(),
            "at": _drafts(content),
            "cuts": _cuts(content),
        }
        for name, content in (
            (name, _saved(image, "JPEG", **options)) for name, (image, options) in files.items()
        )
    ]


def _cuts(content: bytes) -> list[dict[str, Any]]:
    """Where a JPEG is cut off and given an end marker, and whether Python takes it for torn."""
    places = [content.index(b"\xff\xda"), len(content) - 500, len(content) - 2]
    places += [int(len(content) * share) for share in (0.4, 0.6, 0.9)]
    places += [match.start() for match in re.finditer(b"\xff\xda", content)]  # scans are missing
    return [{"at": at, "torn": not _is_read(content[:at] + b"\xff\xd9")} for at in places]


def _is_read(content: bytes) -> bool:
    try:
        decode_image(content, 32)
    except UnreadableImageError:
        return False
    return True


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _drafts(content: bytes) -> list[dict[str, Any]]:
    found = []
    for factor in (2, 4, 8):
        with Image.open(io.BytesIO(content)) as image:
            if min(image.size) >= factor:
                image.draft(None, (image.width // factor, image.height // factor))
            pixels = np.asarray(image.convert("RGB"))
            if image.decoderconfig[:1] == (factor,):
                height, width = pixels.shape[:2]
                size = {"factor": factor, "width": width, "height": height}
                found.append({**size, "pixels": _text(pixels)})
    return found


def _points(steps: int) -> tuple[list[float], list[float]]:
    places, weights = integrated_gradients.gauss_legendre(steps)
    return places.tolist(), weights.tolist()


def _decoded(pixels: _Bytes, image_size: int) -> _Bytes:
    return decode_image(_saved(Image.fromarray(pixels), "PNG"), image_size).pixels


def _text(pixels: _Bytes) -> str:
    return base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()


def write(folder: Path) -> None:
    """Write all files."""
    made = (
        *(resample, quality, texts, patients, probabilities, answers, gradients),
        *(kinds, heads, torn, turns, jpegs),
    )
    for make in made:
        text = json.dumps(make(), allow_nan=False)
        (folder / f"{make.__name__}.json").write_text(text)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.inference.manifests
    write(Path(sys.argv[1]))
