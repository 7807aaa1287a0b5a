"""Many photographs, one diagnosis each: a table in, a table out.

Every row of the input is one row of the output, in its order, with all its columns as they stood;
only a cell that a spreadsheet would take for a formula gets an apostrophe (`tables.formulas`).
What cannot be diagnosed says why in the column `error`. Photographs are decoded ahead by threads
while the network runs; what is in memory does not grow with the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melanoscope import __version__
from melanoscope.errors import DataError
from melanoscope.hardware import available_cores
from melanoscope.imaging.decode import DECODER_VERSION
from melanoscope.inference.batch.failures import FailureCounter, FailureReason
from melanoscope.inference.batch.input_table import scan_table
from melanoscope.inference.batch.resumable_csv import ResumableCsv, Row
from melanoscope.inference.batch.rows_out import FAILED, RowDiagnoser
from melanoscope.inference.calibration import log_odds
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.tables.formulas import as_text

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor


@dataclass(frozen=True, slots=True)
class TableSummary:
    """What became of a table's rows, and why.

    Attributes:
        rows: Rows of the table.
        accepted: Rows that were answered.
        doubtful: Rows that were answered with a concern.
        refused: Rows whose photograph the gate refused.
        failed: Rows that could not be answered.
        kept: Rows that an earlier run wrote.
        failures: Why rows failed, the most frequent reason first.
        notes: One line each for what a person should be told of how the table was read.
    """

    rows: int
    accepted: int
    doubtful: int
    refused: int
    failed: int
    kept: int
    failures: tuple[FailureReason, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of rows by their names."""
        names = ("rows", "accepted", "doubtful", "refused", FAILED, "kept")
        return {name: getattr(self, name) for name in names}


def diagnose_table(
    predictor: Predictor,
    table: Path,
    out: Path,
    *,
    prevalence: float | None = None,
    force: bool = False,
    batch_size: int = 32,
    workers: int | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    folder: Path | None = None,
) -> TableSummary:
    """Diagnose each photograph of a table; the same call goes on where a kill stopped it.

    Columns added: status (accepted, doubtful, refused, failed), forced (whether a refusal was
    overridden: true, false), concerns, probability, prevalence, one per threshold (positive,
    negative), evidence_photograph, evidence_age, evidence_sex, evidence_site, evidence_bias, which
    add up to logit, then distance and error. A name that the table already has is taken as
    `melanoscope_NAME`.

    Args:
        predictor: Predictor of a bundle.
        table: Table as `batch.input_table` describes it.
        out: New CSV to write, in UTF-8 and with the table's delimiter; until it is whole it lies
            beside as `.NAME.partial`.
        prevalence: Share of positive lesions to assume, between 0 and 1; None for the bundle's.
        force: Whether to answer also what the gate refuses.
        batch_size: Photographs that the network is given at once, 1 or more.
        workers: Threads that decode; None for all cores.
        on_progress: Called with the rows done and their total, at the start and after each batch.
        folder: Folder that names of photographs are relative to; None for the table's folder.

    Returns:
        Counts of what became of the rows, and why some failed.

    Raises:
        DataError: The table is none, `out` exists, or beside it lies the beginning of another job.
        RunError: The disk is full; what is written so far is kept for the same call.
    """
    if prevalence is not None:
        log_odds(prevalence)  # refused before anything is written
    if batch_size < 1:
        raise DataError("a batch of at least 1", str(batch_size), "use 32")
    source = scan_table(table)
    if out.exists() and out.samefile(table):
        raise DataError("another file for the answers", "the table itself", "name another --out")
    diagnoser = RowDiagnoser(predictor, source, folder or table.parent, prevalence, force)
    target = ResumableCsv(
        out,
        _job(diagnoser, batch_size),
        [*map(as_text, source.header), *diagnoser.columns],
        delimiter=source.table.delimiter,
        rows=source.rows,
        batch_size=batch_size,
    )
    with explain_machine_faults(out.parent), closing(target):
        counts, failures = Counter[str](), FailureCounter()

        def count(row: Row) -> None:
            status = row[len(source.header)]
            counts[status] += 1
            if status == FAILED:
                failures.add(row[-1])

        for row in target.kept_rows():
            count(row)
        on_progress(target.kept, source.rows)
        for rows in diagnoser.diagnose_batches(
            source.table.rows(target.kept, strict=False), batch_size, workers or available_cores()
        ):
            target.append(rows)
            for row in rows:
                count(row)
            on_progress(counts.total(), source.rows)
        if counts.total() != source.rows or not source.table.is_unchanged():
            raise DataError(
                f"'{table}' as it was when its rows were counted",
                "another",
                f"remove '{target.partial}' and begin anew",
            )
        target.finish()
    return TableSummary(
        source.rows,
        accepted=counts["accepted"],
        doubtful=counts["doubtful"],
        refused=counts["refused"],
        failed=counts[FAILED],
        kept=target.kept,
        failures=failures.reasons(),
        notes=source.notes,
    )


def _job(diagnoser: RowDiagnoser, batch_size: int) -> dict[str, Any]:
    """Describe what a beginning of the answers must share with a call that goes on with it."""
    return {
        "bundle": diagnoser.predictor.bundle.fingerprint,
        "variant": diagnoser.predictor.variant,
        "table": diagnoser.table.table.sha256,
        "folder": str(diagnoser.folder.absolute()),
        "prevalence": diagnoser.prevalence,
        "force": diagnoser.force,
        "batch": batch_size,
        "melanoscope": f"{__version__}, decoder {DECODER_VERSION}",
    }
