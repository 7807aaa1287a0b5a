"""A population of simulated patients, and drawings of their lesions. Says nothing about skin.

It lets the whole pipeline run as on an archive, without one: patients with several lesions, some
photographed twice, static data with gaps, and a label that both photograph and static data foretell
in part. Nothing but the lesion itself and age, sex and site depends on the label; how well a busy
lesion compresses moves the file's size a little.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.data.catalog import ROW_SCHEMA, SourceTable
from melanoscope.data.sources.lesion_painter import PAINTER_VERSION, Traits, paint
from melanoscope.errors import DataError
from melanoscope.imaging.decode import write_image

KIND = "simulated"
TITLE = "Simulated lesions (simulated, says nothing about skin)"
LICENCE = "Apache-2.0, as melanoscope itself"
ATTRIBUTION = "drawn by melanoscope; shows no person"

_LESIONS = (0.38, 0.25, 0.16, 0.10, 0.07, 0.04)  # chance of 1 to 6 lesions in a patient
_TWICE = 0.10
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
class Photograph:
    """One photograph to be drawn, and what the table says of it.

    Attributes:
        index: Number of the photograph, from 0.
        lesion: Number of the lesion, from 0.
        tone: The patient's skin, 0 to 1 (Fitzpatrick I to VI).
        age: Years, rounded to five as in the archives, or None where unknown.
    """

    index: int
    patient: int
    lesion: int
    traits: Traits
    tone: float
    sex: str
    age: float | None
    site: str
    diagnosis: str

    @property
    def image_id(self) -> str:
        """Its name in the table and on disk."""
        return f"SIM_{self.index:07d}"


def read_source(count: str, cache: Path) -> SourceTable:
    """Read ``simulated=COUNT`` of the command line; the photographs go to the cache.

    Raises:
        DataError: Not a whole number above 0.
    """
    if not (count.isascii() and count.isdecimal()):
        raise DataError("simulated=COUNT", f"simulated={count}", "say simulated=600, for example")
    return SourceTable(KIND, read(int(count), cache))


def read(count: int, folder: Path, *, seed: int = 0) -> pl.DataFrame:
    """Simulate photographs, drawing those whose file is not there yet.

    Args:
        count: Photographs, 1 or more. A smaller count gives the first rows of a larger one.
        folder: Where ``simulated-<count>-seed<seed>-v<version>/`` is made.
        seed: Of the population and of the drawings.

    Returns:
        Columns of `melanoscope.data.catalog.ROW_SCHEMA`, one row per photograph.

    Raises:
        DataError: A count below 1.
    """
    photographs = population(count, seed=seed)
    place = folder.absolute() / f"{KIND}-{count}-seed{seed}-v{PAINTER_VERSION}"
    place.mkdir(parents=True, exist_ok=True)
    paths = [place / f"{one.image_id}.jpg" for one in photographs]
    jobs = [job for job in zip(photographs, paths, strict=True) if not job[1].exists()]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda job: _draw(job[0], job[1], seed), jobs))
    rows = {
        "image_id": [one.image_id for one in photographs],
        "path": [str(path) for path in paths],
        "dataset": [KIND] * count,
        "patient_id": [f"SIMP_{one.patient:05d}" for one in photographs],
        "lesion_id": [f"SIML_{one.lesion:06d}" for one in photographs],
        "sex": [one.sex for one in photographs],
        "age": [one.age for one in photographs],
        "site": [one.site for one in photographs],
        "diagnosis": [one.diagnosis for one in photographs],
        "target": [int(one.diagnosis == "melanoma") for one in photographs],
    }
    return pl.DataFrame(rows, schema=ROW_SCHEMA)


def population(count: int, *, seed: int = 0) -> list[Photograph]:
    """Simulate patients, one after the other, until they have `count` photographs.

    Raises:
        DataError: A count below 1.
    """
    if count < 1:
        raise DataError("at least 1 simulated photograph", str(count), "ask for 600, for example")
    photographs: list[Photograph] = []
    patient = lesion = 0
    while len(photographs) < count:
        rng = np.random.default_rng([seed, patient, 0])
        taken = _patient(rng, patient, lesion, len(photographs))
        photographs += taken
        patient, lesion = patient + 1, taken[-1].lesion + 1
    return photographs[:count]


def _patient(rng: np.random.Generator, patient: int, lesion: int, index: int) -> list[Photograph]:
    """Simulate one patient's photographs, whose numbers begin at `lesion` and `index`."""
    sex = "male" if rng.random() < 0.5 else "female"
    age = float(np.clip(rng.normal(52, 17), 15, 90))
    tone = float(rng.beta(1.3, 2.2))
    told_sex = "unknown" if rng.random() < 0.03 else sex
    told_age = None if rng.random() < 0.05 else 5.0 * round(age / 5)
    taken: list[Photograph] = []
    for one in range(lesion, lesion + 1 + int(rng.choice(len(_LESIONS), p=_LESIONS))):
        site = str(rng.choice(list(_SITES), p=[share for share, _ in _SITES.values()]))
        odds = (
            _INTERCEPT + _PER_DECADE * (age - 52) / 10 + _MALE * (sex == "male") + _SITES[site][1]
        )
        diagnosis = _diagnosis(rng, odds, age)
        traits = _traits(rng, diagnosis)
        told_site = "unknown" if rng.random() < 0.05 else site
        for _ in range(2 if rng.random() < _TWICE else 1):
            number = index + len(taken)
            taken.append(
                Photograph(
                    number, patient, one, traits, tone, told_sex, told_age, told_site, diagnosis
                )
            )
    return taken


def _diagnosis(rng: np.random.Generator, odds: float, age: float) -> str:
    if rng.random() < 1 / (1 + np.exp(-odds)):
        return "melanoma"
    return "benign keratosis" if rng.random() < np.interp(age, [30, 80], [0.02, 0.5]) else "nevus"


def _traits(rng: np.random.Generator, diagnosis: str) -> Traits:
    spread = _SHARED * rng.normal() + np.sqrt(1 - _SHARED**2) * rng.normal(size=4)
    score = spread + _SHIFT * (diagnosis == "melanoma")
    asymmetry, border, colour = 1 / (1 + np.exp(-1.3 * (score[:3] - 0.9)))
    diameter = float(np.clip(0.42 * np.exp(0.2 * score[3]), 0.2, 0.85))
    return Traits(
        float(asymmetry), float(border), float(colour), diameter, diagnosis == "benign keratosis"
    )


def _draw(one: Photograph, path: Path, seed: int) -> None:
    camera = np.random.default_rng([seed, one.index, 2])
    # As on the web: each photograph went through another compression.
    quality = int(camera.integers(70, 98))
    pixels = paint(one.traits, one.tone, np.random.default_rng([seed, one.lesion, 1]), camera)
    write_image(path, pixels, quality=quality)
