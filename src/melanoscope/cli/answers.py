"""Answers to photographs, printed: what `melanoscope predict` does. No PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from melanoscope.cli.options import print_json
from melanoscope.errors import DataError, nearest
from melanoscope.inference.calibration import log_odds
from melanoscope.patient import parse_patient

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Attribution, Baseline
    from melanoscope.inference.predictor import Predictor
    from melanoscope.inference.result import Diagnosis
    from melanoscope.patient import PatientInfo


@dataclass(frozen=True)
class Explaining:
    """Where explanations go, and how pixels are explained."""

    folder: Path
    baseline: str
    steps: int


@dataclass(frozen=True, eq=False)
class Answered:
    """One photograph's answer, or why there is none."""

    name: str
    diagnosis: Diagnosis | None
    error: str | None = None
    pictures: tuple[Path, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Return plain values."""
        record: dict[str, Any] = {"photograph": self.name}
        if self.diagnosis is None:
            return {**record, "status": "error", "error": self.error}
        record |= self.diagnosis.to_record()
        return record | ({"pictures": [str(p) for p in self.pictures]} if self.pictures else {})


def answer_photographs(
    predictor: Predictor,
    photographs: Sequence[Path],
    told: Mapping[str, str | None],
    *,
    prevalence: float | None,
    force: bool,
    explaining: Explaining | None,
    as_json: bool,
) -> bool:
    """Answer photographs of one person and print the answers; return whether one failed.

    Raises:
        MelanoscopeError: What is said of the person, the prevalence or the baseline cannot be; or
            the one photograph cannot be read.
    """
    who = parse_patient(told["age"], told["sex"], told["site"])
    if prevalence is not None:
        log_odds(prevalence)
    if explaining is not None:
        _check(explaining)
    answered = []
    for path, stem in zip(photographs, _stems(photographs), strict=True):
        try:
            answered.append(_answer(predictor, path, who, prevalence, force, explaining, stem))
        except DataError as error:
            if len(photographs) == 1:
                raise
            answered.append(Answered(str(path), None, str(error)))
    failed = [one for one in answered if one.error is not None]
    licence = predictor.bundle.manifest.license.notice
    for_dermoscopy = predictor.bundle.manifest.data.dermoscopy_only
    if as_json:
        bundle = {
            "folder": str(predictor.bundle.folder),
            "fingerprint": predictor.bundle.fingerprint,
            "dermoscopy_only": for_dermoscopy,
            "licence": licence,
        }
        print_json({"bundle": bundle, "answers": [one.to_record() for one in answered]})
    else:
        _print(answered)
        if for_dermoscopy:
            from melanoscope.inference.text.phrases import DERMOSCOPY

            typer.echo(DERMOSCOPY)
        typer.echo(licence)
    for one in failed:
        typer.echo(f"melanoscope: {one.error}", err=True)
    return bool(failed)


def answer_table(
    predictor: Predictor,
    table: Path,
    out: Path,
    *,
    prevalence: float | None,
    force: bool,
    as_json: bool,
) -> None:
    """Answer a table of photographs and say what came of it.

    Raises:
        MelanoscopeError: The table cannot be read, or `out` holds something else.
    """
    from melanoscope.inference.batch.run import diagnose_table
    from melanoscope.progress import RunProgress

    with RunProgress() as progress:
        summary = diagnose_table(
            predictor,
            table,
            out,
            prevalence=prevalence,
            force=force,
            progress=progress.decoding,
        )
    if as_json:
        print_json({"out": str(out), **asdict(summary)})
    else:
        counts = ", ".join(f"{count} {what}" for what, count in asdict(summary).items())
        typer.echo(f"{counts}: {out}")


def _answer(
    predictor: Predictor,
    path: Path,
    who: PatientInfo,
    prevalence: float | None,
    force: bool,
    explaining: Explaining | None,
    stem: str,
) -> Answered:
    decoded = predictor.read(path)
    (diagnosis,) = predictor.answer([decoded], [who], prevalence=prevalence, force=force)
    pictures: Sequence[Path] = ()
    if explaining is not None:
        pictures = _explain(predictor, decoded, diagnosis, explaining, stem)
    return Answered(str(path), diagnosis, pictures=tuple(pictures))


def _explain(
    predictor: Predictor, decoded: DecodedImage, diagnosis: Diagnosis, how: Explaining, stem: str
) -> Sequence[Path]:
    from melanoscope.inference.explain.explanation import draw_explanation

    attribution: Attribution | None = None
    if diagnosis.evidence is not None and predictor.bundle.manifest.graphs.gradient.file:
        attribution = predictor.explain(
            decoded, baseline=cast("Baseline", how.baseline), steps=how.steps
        )
    how.folder.mkdir(parents=True, exist_ok=True)
    return draw_explanation(how.folder / stem, decoded, diagnosis, attribution)


def _check(explaining: Explaining) -> None:
    from melanoscope.inference.explain.integrated_gradients import BASELINES

    if explaining.baseline not in BASELINES:
        raise DataError(
            "a known baseline",
            f"'{explaining.baseline}'",
            nearest(explaining.baseline, list(BASELINES)),
        )
    if explaining.steps < 1:
        raise DataError("at least 1 step", str(explaining.steps), "use 64")


def _stems(photographs: Sequence[Path]) -> list[str]:
    """Name each photograph's pictures; a name that is taken gets a number.

    >>> _stems([Path("a/mole.jpg"), Path("b/mole.jpg"), Path("mole-2.png")])
    ['mole', 'mole-2', 'mole-2-2']
    """
    names: list[str] = []
    for path in photographs:
        tries = (path.stem if n == 1 else f"{path.stem}-{n}" for n in count(1))
        names.append(next(name for name in tries if name not in names))
    return names


def _print(answered: Sequence[Answered]) -> None:
    from rich.console import Console

    from melanoscope.inference.text.console import print_diagnosis, print_summary

    console = Console(file=sys.stdout)
    if len(answered) == 1 and answered[0].diagnosis is not None:
        print_diagnosis(console, answered[0].diagnosis, answered[0].name)
    else:
        print_summary(console, [(one.name, one.diagnosis or one.error or "") for one in answered])
    for one in answered:
        for path in one.pictures[-1:]:
            typer.echo(f"explanation: {path}")
