"""A bundle's answers to the photographs of a catalog, kept so that no photograph is asked twice."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from melanoscope import __version__
from melanoscope.atomic import atomic_path
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.inference.batch.run import diagnose_table
from melanoscope.locks import lock_file
from melanoscope.machine_faults import explain_machine_faults

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor

ANSWERS = "predictions.csv"
_PHOTOGRAPHS = "photographs.csv"
_PATIENT = ("age", "sex", "site")
_NUMBERS = ("logit", "distance")


def predict_catalog(
    predictor: Predictor,
    frame: pl.DataFrame,
    contents: Mapping[str, str],
    cache: Path,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Path:
    """Answer every photograph, also those that the quality gate refuses.

    The answers lie in the cache, by the bundle and by the content of the photographs: a second call
    reads them, and a call that was stopped goes on.

    Args:
        predictor: Predictor of a bundle.
        frame: Columns image_id, path, age, sex, site and target.
        contents: Hash of each photograph's file by image id; without those that cannot be read.
        cache: Folder to keep answers in.
        on_progress: Called with the photographs done and their total.

    Returns:
        CSV with the columns photograph, age, sex, site, image_id, label and those of
        `diagnose_table`, one row per photograph in the order of `frame`.

    Raises:
        RunError: The disk is full; what is written so far is kept for the next call.
    """
    columns = ("path", *_PATIENT, "image_id", "target")
    rows = [
        ["" if value is None else str(value) for value in row]
        for row in frame.select(columns).iter_rows()
    ]
    folder = cache / "evaluations" / _identity(predictor, rows, contents)
    with explain_machine_faults(cache):
        folder.mkdir(parents=True, exist_ok=True)
    with lock_file(folder / ".lock", wait=True):
        if not (folder / ANSWERS).is_file():
            with explain_machine_faults(folder), atomic_path(folder / _PHOTOGRAPHS) as partial:
                _write(partial, rows)
            diagnose_table(
                predictor,
                folder / _PHOTOGRAPHS,
                folder / ANSWERS,
                force=True,
                on_progress=on_progress,
            )
    return folder / ANSWERS


def read_answers(answers: Path, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the `frame` with what `predict_catalog` answered, row by row.

    Columns added: status, forced, concerns (their kinds, separated by "; "), logit, distance (both
    null where there is no answer) and error.
    """
    table = pl.read_csv(answers, infer_schema=False)
    # By place: a spreadsheet's apostrophe may stand before an id.
    kinds = pl.col("concerns").fill_null("").str.replace_all(r": [^;]*", "")
    added = table.select(
        "status",
        kinds,
        pl.col("error").fill_null(""),
        *(pl.col(name).cast(pl.Float64, strict=False) for name in _NUMBERS),
        forced=pl.col("forced") == "true",
    )
    return pl.concat([frame, added], how="horizontal")


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["photograph", *_PATIENT, "image_id", "label"])
        writer.writerows(rows)


def _identity(predictor: Predictor, rows: list[list[str]], contents: Mapping[str, str]) -> str:
    """Name what answers follow from: bundle, decoder, photographs, patients."""
    digest = hashlib.sha256()
    bundle = predictor.bundle.fingerprint, predictor.variant, __version__, str(DECODER_VERSION)
    digest.update("\0".join(bundle).encode())
    for row in rows:
        digest.update(repr((row, contents.get(row[-2]))).encode())
    return digest.hexdigest()[:16]
