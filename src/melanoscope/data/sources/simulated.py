"""Simulated patients, and drawings of their lesions. Says nothing about skin.

They let the whole pipeline run as on an archive, without one: patients with several lesions, some
photographed twice, static data with gaps, and a label that both photograph and static data foretell
in part. Nothing but the lesion itself and age, sex and site depends on the label; how well a busy
lesion compresses moves the file's size a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.atomic import remove_partials
from melanoscope.data.archive import ROW_SCHEMA, Archive, ReadOptions, SourceTable
from melanoscope.data.sources.lesion_painter import PAINTER_VERSION, Traits, paint
from melanoscope.data.sources.places import refuse_unnamed
from melanoscope.errors import DataError
from melanoscope.imaging.decode import write_image
from melanoscope.locks import lock_file
from melanoscope.threads import thread_pool

_LESION_COUNTS = (0.38, 0.25, 0.16, 0.10, 0.07, 0.04)  # chance of 1 to 6 lesions in a patient
_SECOND_IMAGE = 0.10  # chance that a lesion is photographed twice
# Share of lesions and log-odds of melanoma by site. Invented; only the direction is realistic.
_SITES: dict[str, tuple[float, float]] = {
    "head/neck": (0.17, 0.75),
    "torso": (0.43, 0.0),
    "upper extremity": (0.15, 0.2),
    "lower extremity": (0.20, -0.55),
    "palms/soles": (0.03, 0.5),
    "oral/genital": (0.02, -0.3),
}
_INTERCEPT, _PER_DECADE, _MALE = -1.55, 0.38, 0.5
# How far melanomas lie from benign lesions, in standard deviations of each trait: the ABCD.
_SHIFT = np.array([1.35, 1.35, 1.5, 1.0])
_SHARED = 0.35  # part of the spread common to all four traits: some nevi are atypical throughout


@dataclass(frozen=True)
class SimulatedImage:
    """One photograph to be drawn, and what the table says of it."""

    index: int
    patient: int
    lesion: int
    traits: Traits
    tone: float  # 0 to 1, Fitzpatrick I to VI
    sex: str
    age: float | None  # rounded to five years, as in the archives
    site: str
    diagnosis: str

    @property
    def image_id(self) -> str:
        """Name of the photograph in the table and on disk."""
        return f"SIM_{self.index:07d}"


def read(count: str, options: ReadOptions) -> SourceTable:
    """Read ``simulated=COUNT`` of the command line, and draw the photographs into the cache."""
    if not (count.isascii() and count.isdecimal()):
        raise DataError("simulated=COUNT", f"simulated={count}", "say simulated=600, for example")
    refuse_unnamed(options.cache, "--cache")
    return SourceTable(
        "simulated", simulate_images(int(count), options.cache), id_space="simulated"
    )


def simulate_images(count: int, folder: Path, *, seed: int = 0) -> pl.DataFrame:
    """Simulate photographs in the columns of `ROW_SCHEMA`, and draw those that `folder` lacks."""
    # A smaller count gives the first rows of a larger.
    images = simulate_patients(count, seed=seed)
    place = folder.absolute() / f"simulated-{count}-seed{seed}-v{PAINTER_VERSION}"
    place.mkdir(parents=True, exist_ok=True)
    paths = [place / f"{image.image_id}.jpg" for image in images]
    missing = [
        (image, path) for image, path in zip(images, paths, strict=True) if not path.exists()
    ]
    if missing:
        # A second process waits, and what a killed one has begun is removed.
        with lock_file(place / ".lock", wait=True), thread_pool() as pool:
            remove_partials(place)
            list(pool.map(lambda one: _draw_missing(one[0], one[1], seed), missing))
    rows = [
        {
            "image_id": image.image_id,
            "path": str(path),
            "dataset": "simulated",
            "patient_id": f"SIMP_{image.patient:05d}",
            "lesion_id": f"SIML_{image.lesion:06d}",
            "sex": image.sex,
            "age": image.age,
            "site": image.site,
            "diagnosis": image.diagnosis,
            "malignancy": "malignant" if image.diagnosis == "melanoma" else "benign",
            "image_type": "dermoscopic",
        }
        for image, path in zip(images, paths, strict=True)
    ]
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


def simulate_patients(count: int, *, seed: int = 0) -> list[SimulatedImage]:
    """Simulate patients, one after the other, until they have `count` photographs."""
    if count < 1:
        raise DataError("at least 1 simulated photograph", str(count), "ask for 600, for example")
    images: list[SimulatedImage] = []
    patient = lesion = 0
    while len(images) < count:
        rng = np.random.default_rng([seed, patient, 0])
        images += _simulate_patient(rng, patient, lesion, len(images))
        patient, lesion = patient + 1, images[-1].lesion + 1
    return images[:count]


def _simulate_patient(
    rng: np.random.Generator, patient: int, first_lesion: int, first_index: int
) -> list[SimulatedImage]:
    sex = "male" if rng.random() < 0.5 else "female"
    age = float(np.clip(rng.normal(52, 17), 15, 90))
    tone = float(rng.beta(1.3, 2.2))
    recorded_sex = "unknown" if rng.random() < 0.03 else sex
    recorded_age = None if rng.random() < 0.05 else 5.0 * round(age / 5)
    images: list[SimulatedImage] = []
    n_lesions = 1 + int(rng.choice(len(_LESION_COUNTS), p=_LESION_COUNTS))
    for lesion in range(first_lesion, first_lesion + n_lesions):
        site = str(rng.choice(list(_SITES), p=[share for share, _ in _SITES.values()]))
        odds = (
            _INTERCEPT + _PER_DECADE * (age - 52) / 10 + _MALE * (sex == "male") + _SITES[site][1]
        )
        diagnosis = _sample_diagnosis(rng, odds, age)
        traits = _sample_traits(rng, diagnosis)
        recorded_site = "unknown" if rng.random() < 0.05 else site
        for _ in range(2 if rng.random() < _SECOND_IMAGE else 1):
            images.append(
                SimulatedImage(
                    index=first_index + len(images),
                    patient=patient,
                    lesion=lesion,
                    traits=traits,
                    tone=tone,
                    sex=recorded_sex,
                    age=recorded_age,
                    site=recorded_site,
                    diagnosis=diagnosis,
                )
            )
    return images


def _sample_diagnosis(rng: np.random.Generator, odds: float, age: float) -> str:
    if rng.random() < 1 / (1 + np.exp(-odds)):
        return "melanoma"
    return "benign keratosis" if rng.random() < np.interp(age, [30, 80], [0.02, 0.5]) else "nevus"


def _sample_traits(rng: np.random.Generator, diagnosis: str) -> Traits:
    spread = _SHARED * rng.normal() + np.sqrt(1 - _SHARED**2) * rng.normal(size=4)
    score = spread + _SHIFT * (diagnosis == "melanoma")
    asymmetry, border, color = 1 / (1 + np.exp(-1.3 * (score[:3] - 0.9)))
    return Traits(
        asymmetry=float(asymmetry),
        border=float(border),
        color=float(color),
        diameter=float(np.clip(0.42 * np.exp(0.2 * score[3]), 0.2, 0.85)),
        keratosis=diagnosis == "benign keratosis",
    )


def _draw_missing(image: SimulatedImage, path: Path, seed: int) -> None:
    if path.exists():
        return
    camera = np.random.default_rng([seed, image.index, 2])
    # As on the web: each photograph went through another compression.
    quality = int(camera.integers(70, 98))
    lesion = np.random.default_rng([seed, image.lesion, 1])
    write_image(path, paint(image.traits, image.tone, lesion, camera), quality=quality)


ARCHIVE = Archive(
    kind="simulated",
    title="Simulated lesions (simulated, says nothing about skin)",
    license="Apache-2.0, as melanoscope itself",
    attribution="drawn by melanoscope; shows no person",
    read=read,
    layout="a number: so many photographs are drawn",
)
