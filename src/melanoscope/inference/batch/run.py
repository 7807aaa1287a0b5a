"""Many photographs, one answer each: a table in, a table out.

Every row of the input is one row of the output, in its order, with all its columns as they stood.
What cannot be answered says why in the column `error`. Photographs are decoded ahead by threads
while the network answers; what is in memory does not grow with the table.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope import __version__
from melanoscope.errors import DataError
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.inference.batch.resumable_csv import GrowingTable
from melanoscope.inference.batch.rows_in import read_through
from melanoscope.inference.batch.rows_out import FAILED, Answering
from melanoscope.inference.calibration import log_odds

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor

Progress = Callable[[int, int], None]
"""Called with the rows done and their total."""


@dataclass(frozen=True, slots=True)
class TableSummary:
    """How many rows there were and what became of them.

    Attributes:
        rows: Of the table.
        accepted: Answered.
        doubtful: Answered with a warning.
        refused: Not answered, with the reason.
        failed: Could not be read: photograph, age, sex or site.
        kept: Of all these, how many an earlier run had answered.
    """

    rows: int
    accepted: int
    doubtful: int
    refused: int
    failed: int
    kept: int


def diagnose_table(
    predictor: Predictor,
    table: Path,
    out: Path,
    *,
    prevalence: float | None = None,
    force: bool = False,
    batch: int = 32,
    workers: int | None = None,
    progress: Progress | None = None,
    folder: Path | None = None,
) -> TableSummary:
    """Answer each photograph of a table; the same call goes on where a kill stopped it.

    Columns added: status (accepted, doubtful, refused, failed), concerns, probability, prevalence,
    one per threshold (positive, negative), evidence_photograph, evidence_age, evidence_sex,
    evidence_site, evidence_bias, which add up to logit, then distance and error. A name that the
    table already has is taken as `melanoscope_NAME`.

    Args:
        predictor: Of a bundle.
        table: CSV as `table_rows` describes it.
        out: CSV to write, new; until it is whole it lies beside as `.NAME.partial`.
        prevalence: Share of melanomas to assume, between 0 and 1; None for the bundle's.
        force: Answer also what the gate refuses.
        batch: Photographs that the network answers at once.
        workers: Threads that decode. Default: all cores.
        progress: Told after each batch.
        folder: What names of photographs are relative to. Default: the table's folder.

    Raises:
        DataError: The table is none, `out` exists, or beside it lies the beginning of another job.
    """
    if prevalence is not None:
        log_odds(prevalence)  # refused before anything is written
    if batch < 1:
        raise DataError("a batch of at least 1", str(batch), "use 32")
    read = read_through(table)
    if out.exists() and out.samefile(table):
        raise DataError("another file for the answers", "the table itself", "name another --out")
    answers = Answering(predictor, read, folder or table.parent, prevalence, force)
    job = {
        "bundle": predictor.bundle.fingerprint,
        "variant": predictor.variant,
        "table": read.sha256,
        "folder": str((folder or table.parent).absolute()),
        "prevalence": prevalence,
        "force": force,
        "batch": batch,
        "melanoscope": f"{__version__}, decoder {DECODER_VERSION}",
    }
    names = [*read.header, *answers.columns]
    grown = GrowingTable(out, job, names, delimiter=read.delimiter, rows=read.rows, batch=batch)
    counts = dict.fromkeys(("accepted", "doubtful", "refused", FAILED), 0)
    status = len(read.header)
    with grown:
        for row in grown.kept_rows():
            counts[row[status]] += 1
        done = grown.kept
        if progress is not None:
            progress(done, read.rows)
        for rows in answers.batches(read.read(done), batch, workers or os.cpu_count() or 1):
            grown.add(rows)
            for row in rows:
                counts[row[status]] += 1
            done += len(rows)
            if progress is not None:
                progress(done, read.rows)
        if done != read.rows or not read.is_unchanged():
            raise DataError(
                f"'{table}' as it was when its rows were counted",
                "another",
                f"remove '{grown.partial}' and begin anew",
            )
        grown.finish()
    return TableSummary(read.rows, **counts, kept=grown.kept)
