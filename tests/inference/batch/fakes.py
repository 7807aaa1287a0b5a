"""A predictor that answers by a photograph's name, and tables for it."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from melanoscope.errors import DataError
from melanoscope.imaging.decode import DecodedImage
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.inference.batch.run import diagnose_table
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.quality.measures import QualityMeasures
from melanoscope.inference.result import Decision, Diagnosis, EvidenceSum
from melanoscope.patient import PatientInfo
from melanoscope.target import MELANOMA


class Killed(BaseException):
    """Comes from outside, as a signal does."""


@dataclass
class Fake:
    """Answers by a photograph's name, which is a number, or says what is wrong with it."""

    fingerprint: str = "bundle one"
    variant: str = "float32"
    kill_at: int | None = None
    slow: str = ""
    answered: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def bundle(self) -> SimpleNamespace:
        manifest = SimpleNamespace(
            thresholds=[SimpleNamespace(key="high"), SimpleNamespace(key="low")]
        )
        return SimpleNamespace(fingerprint=self.fingerprint, image_size=4, manifest=manifest)

    def decode(self, source: Path) -> DecodedImage:
        name = Path(source).stem
        if name == self.slow:
            time.sleep(0.3)
        if not name.isdigit():
            raise UnreadableImageError(Path(source), f"={name}\nnot a number")
        return DecodedImage(np.zeros((4, 4, 3), np.uint8), int(name), 1)

    def predict(
        self,
        images: Sequence[DecodedImage],
        patients: Sequence[PatientInfo],
        *,
        prevalence: float | None,
        force: bool,
    ) -> list[Diagnosis]:
        numbers = [one.width for one in images]
        if self.kill_at in numbers:
            raise Killed
        self.answered += numbers
        self.sizes.append(len(numbers))
        # As real networks: the last digits depend on what is answered together.
        return [
            say(number, who, len(numbers) * 1e-7, prevalence, force)
            for number, who in zip(numbers, patients, strict=True)
        ]


QUALITY = object.__new__(QualityMeasures)


def say(
    number: int, who: PatientInfo, noise: float, prevalence: float | None, force: bool
) -> Diagnosis:
    """Refuse each tenth, doubt each fifth."""
    logit = (number % 17 - 8) / 3 + (who.age or 0) / 100 + noise
    refused = number % 10 == 0
    answered = force or not refused
    concerns = ()
    if refused or number % 5 == 0:
        severity = "refused" if refused else "doubtful"
        concerns = (QualityIssue("blurred", severity, f"sharpness {number}", "hold still"),)
    decisions = tuple(
        Decision(key, key, "", 0.5, logit > cut, None, None)
        for key, cut in (("high", 1), ("low", -1))
    )
    evidence = EvidenceSum(np.zeros((1, 1)), logit - 0.5, 0.1, 0.2, 0.3, -0.1)
    return Diagnosis(
        status="refused" if not answered else "doubtful" if concerns else "accepted",
        concerns=concerns,
        probability=1 / (1 + np.exp(-logit)) if answered else None,
        prevalence=prevalence or 0.02,
        decisions=decisions if answered else (),
        standing=None,
        evidence=evidence if answered else None,
        person=who,
        quality=QUALITY,
        distance=number / 7,
        target=MELANOMA,
        network="fake",
        simulated=True,
        forced=refused and force,
    )


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def many(folder: Path, count: int) -> Path:
    """Some photographs are unreadable, some ages impossible, some fields quoted over two lines."""
    lines = ["photograph,age,note\n"]
    for number in range(count):
        name = "torn" if number % 13 == 7 else str(number)
        age = "150" if number % 11 == 5 else "" if number % 3 else str(number % 90)
        note = '"two\nlines, ""quoted"""' if number % 4 == 0 else f"n{number}"
        lines.append(f"{name}.jpg,{age},{note}\n")
    return write(folder / "photos.csv", "".join(lines))


def read(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter, strict=True))


def why_not_diagnosed(predictor, table: Path, out: Path, **options) -> str:
    """Refused with one line, and nothing written."""
    before = {path: path.read_bytes() for path in table.parent.rglob("*") if path.is_file()}
    with pytest.raises(DataError) as caught:
        diagnose_table(predictor, table, out, **options)
    after = {path: path.read_bytes() for path in table.parent.rglob("*") if path.is_file()}
    assert after == before
    assert "\n" not in str(caught.value)
    return str(caught.value)
