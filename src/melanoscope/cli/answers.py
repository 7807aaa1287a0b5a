"""Diagnoses of photographs, printed: what `melanoscope predict` does. No PyTorch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from melanoscope.cli.options import print_json
from melanoscope.errors import DataError, one_line
from melanoscope.inference.calibration import log_odds
from melanoscope.inference.explain.explanation import write_explanation
from melanoscope.inference.explain.integrated_gradients import check_options
from melanoscope.inference.text.phrases import DERMOSCOPY
from melanoscope.patient import parse_patient

if TYPE_CHECKING:
    from melanoscope.imaging.decode import DecodedImage
    from melanoscope.inference.explain.integrated_gradients import Baseline
    from melanoscope.inference.manifest import BundleManifest
    from melanoscope.inference.predictor import Predictor
    from melanoscope.inference.result import Diagnosis


@dataclass(frozen=True)
class ExplanationOptions:
    """Folder to write explanations to, and baseline and steps of their Integrated Gradients."""

    folder: Path
    baseline: str
    steps: int


@dataclass(frozen=True, eq=False)
class _Answer:
    """One photograph's diagnosis, or the line that says why there is none; and its explanation."""

    name: str
    result: Diagnosis | str
    files: Sequence[Path] = ()

    def to_dict(self) -> dict[str, Any]:
        if isinstance(self.result, str):
            return {"photograph": self.name, "status": "error", "error": self.result}
        pictures = {"pictures": [str(file) for file in self.files]} if self.files else {}
        return {"photograph": self.name, **self.result.to_dict(), **pictures}


def answer_photographs(
    predictor: Predictor,
    photographs: Sequence[Path],
    patient: Mapping[str, str | None],
    *,
    prevalence: float | None,
    force: bool,
    explanation: ExplanationOptions | None,
    as_json: bool,
) -> bool:
    """Print diagnoses of one patient's photographs; return whether one could not be read."""
    info = parse_patient(patient["age"], patient["sex"], patient["site"])
    if prevalence is not None:
        log_odds(prevalence)
    if explanation is not None:
        check_options(explanation.baseline, explanation.steps)
    manifest = predictor.bundle.manifest
    notices = _notices(manifest, prevalence)
    answers = []
    for path, stem in zip(photographs, _stems(photographs), strict=True):
        files: Sequence[Path] = ()
        try:
            image = predictor.decode(path)
            (diagnosis,) = predictor.predict([image], [info], prevalence=prevalence, force=force)
            if explanation is not None:
                files = _explain(predictor, image, diagnosis, explanation, stem, notices)
            answers.append(_Answer(str(path), diagnosis, files))
        except DataError as error:
            if len(photographs) == 1:
                raise
            answers.append(_Answer(str(path), str(error)))
    if as_json:
        bundle = {
            "folder": str(predictor.bundle.folder),
            "fingerprint": predictor.bundle.fingerprint,
            "target": manifest.target.to_dict(),
            "prevalence_note": manifest.prevalence_note,
            "dermoscopy_only": manifest.data.dermoscopy_only,
            "licence": manifest.license.notice,
        }
        print_json({"bundle": bundle, "answers": [answer.to_dict() for answer in answers]})
    else:
        _print(answers)
        for notice in notices:  # the bundle's words, which anybody may have chosen
            typer.echo(one_line(notice))
    errors = [answer.result for answer in answers if isinstance(answer.result, str)]
    for line in errors:
        typer.echo(f"melanoscope: {line}", err=True)
    return bool(errors)


def answer_table(
    predictor: Predictor,
    table: Path,
    out: Path,
    *,
    prevalence: float | None,
    force: bool,
    as_json: bool,
    folder: Path | None = None,
) -> bool:
    """Diagnose a table of photographs and print what became of its rows; see `diagnose_table`.

    Args:
        predictor: Predictor of a bundle.
        table: Table of photographs.
        out: CSV to write.
        prevalence: Share of positive lesions to assume; None for the bundle's.
        force: Whether to answer also what the gate refuses.
        as_json: Whether to print one JSON document.
        folder: Folder that the table's names are relative to; None for the table's own.

    Returns:
        Whether every row failed.
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
            on_progress=progress.decoding,
            folder=folder,
        )
    if as_json:
        target = predictor.bundle.manifest.target.to_dict()
        print_json({"out": str(out), "target": target, **asdict(summary)})
    else:
        counts = ", ".join(f"{number} {what}" for what, number in summary.counts.items())
        typer.echo(one_line(f"{counts}: {out}"))
    for note in summary.notes:
        typer.echo(one_line(f"melanoscope: note: {note}"), err=True)
    for one in summary.failures:
        rows = "1 row" if one.rows == 1 else f"{one.rows} rows"
        typer.echo(one_line(f"melanoscope: {rows} failed: {one.reason}"), err=True)
    return summary.failed == summary.rows


def _notices(manifest: BundleManifest, prevalence: float | None) -> list[str]:
    """Return what has to be said with answers that assume a stated `prevalence`, if any."""
    notices = [DERMOSCOPY] if manifest.data.dermoscopy_only else []
    if prevalence is None and manifest.prevalence_note:
        notices.append(f"The share that is assumed is {manifest.prevalence_note}.")
    return [*notices, manifest.license.notice]


def _explain(
    predictor: Predictor,
    image: DecodedImage,
    diagnosis: Diagnosis,
    options: ExplanationOptions,
    stem: str,
    notices: Sequence[str],
) -> Sequence[Path]:
    attribution = None
    if diagnosis.evidence is not None and predictor.bundle.manifest.graphs.gradient.file:
        attribution = predictor.explain(
            image, baseline=cast("Baseline", options.baseline), steps=options.steps
        )
    return write_explanation(options.folder / stem, image, diagnosis, attribution, notices)


def _stems(photographs: Sequence[Path]) -> list[str]:
    """Return the stem of each photograph's files; a name that is taken gets a number."""
    names: list[str] = []
    for path in photographs:
        tries = (path.stem if n == 1 else f"{path.stem}-{n}" for n in count(1))
        names.append(next(name for name in tries if name not in names))
    return names


def _print(answers: Sequence[_Answer]) -> None:
    from rich.console import Console

    from melanoscope.inference.text.console import print_diagnosis, print_summary

    console = Console(file=sys.stdout)
    if len(answers) == 1 and not isinstance(answers[0].result, str):
        print_diagnosis(console, answers[0].result, answers[0].name)
    else:
        print_summary(console, [(answer.name, answer.result) for answer in answers])
    for answer in answers:
        for file in answer.files[-1:]:
            typer.echo(one_line(f"explanation: {file}"))
