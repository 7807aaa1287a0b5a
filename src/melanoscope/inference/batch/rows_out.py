"""From rows that name photographs to rows with diagnoses, in order, decoded ahead by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.errors import DataError, MelanoscopeError
from melanoscope.imaging.decode import DecodedImage
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.inference.batch.rows_in import InputTable, Row
from melanoscope.inference.result import EVIDENCE_PARTS
from melanoscope.patient import PatientInfo, parse_patient

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor
    from melanoscope.inference.result import Diagnosis

FAILED = "failed"
# Batches that are decoded while one is diagnosed: enough to bridge a slow photograph.
_AHEAD = 2


@dataclass(frozen=True, eq=False, slots=True)
class _DecodedRow:
    """A row whose photograph is decoded, or the error that says why it is not."""

    row: Row
    image: DecodedImage | None = None
    patient: PatientInfo | None = None
    error: str = ""


@dataclass(frozen=True, eq=False)
class RowDiagnoser:
    """Diagnoses rows of a table.

    Attributes:
        predictor: Predictor of a bundle.
        table: Table that the rows come from.
        folder: Folder that names of photographs are relative to.
        prevalence: Share of melanomas to assume, between 0 and 1; None for the bundle's.
        force: Whether to answer also what the gate refuses.
    """

    predictor: Predictor
    table: InputTable
    folder: Path
    prevalence: float | None
    force: bool

    @cached_property
    def _threshold_keys(self) -> list[str]:
        return [one.key for one in self.predictor.bundle.manifest.thresholds]

    @cached_property
    def columns(self) -> list[str]:
        """Names of the columns that are added to each row."""
        wanted = ["status", "concerns", "probability", "prevalence", *self._threshold_keys]
        wanted += [*(f"evidence_{part}" for part in EVIDENCE_PARTS), "logit", "distance", "error"]
        return _new_names(wanted, self.table.header)

    def diagnose_batches(
        self, rows: Iterator[Row], batch_size: int, workers: int
    ) -> Iterator[list[Row]]:
        """Diagnose batch after batch, in order, while the next ones are being decoded.

        Args:
            rows: Rows of the table.
            batch_size: Photographs that the network is given at once.
            workers: Threads that decode.

        Yields:
            The rows of a batch with the added columns.
        """
        pool = ThreadPoolExecutor(workers, "melanoscope-decode")
        waiting: deque[list[Future[_DecodedRow]]] = deque()
        try:
            while chunk := list(islice(rows, batch_size)):
                waiting.append([pool.submit(self._decode, row) for row in chunk])
                if len(waiting) > _AHEAD:
                    yield self._diagnose([future.result() for future in waiting.popleft()])
            while waiting:
                yield self._diagnose([future.result() for future in waiting.popleft()])
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _decode(self, row: Row) -> _DecodedRow:
        """Decode one photograph; whatever is wrong with the row is its error."""
        try:
            width = len(self.table.header)
            if len(row) != width:
                raise DataError(f"{width} fields as in the header", str(len(row)), "mend the row")
            patient = parse_patient(
                **{name: row[index] for name, index in self.table.patient_columns.items()}
            )
            name = row[self.table.image_column]
            if not name.strip():
                raise DataError("the name of a photograph", "none", "fill it in")
            return _DecodedRow(row, self.predictor.decode(self.folder / name), patient)
        except UnreadableImageError as error:
            # Where it lies stands in the row already.
            message = f"expected a whole photograph; found {error.found}; {error.mend}"
            return _DecodedRow(row, error=message)
        except MelanoscopeError as error:
            return _DecodedRow(row, error=str(error))

    def _diagnose(self, decoded: Sequence[_DecodedRow]) -> list[Row]:
        ready = [(one.image, one.patient) for one in decoded if one.image and one.patient]
        diagnoses = iter(
            self.predictor.predict(
                [image for image, _ in ready],
                [patient for _, patient in ready],
                prevalence=self.prevalence,
                force=self.force,
            )
        )
        return [
            self._fitted(one.row)
            + (self._error_fields(one.error) if one.error else self._fields(next(diagnoses)))
            for one in decoded
        ]

    def _fitted(self, row: Row) -> Row:
        """Return a row as long as the header."""
        width = len(self.table.header)
        return row[:width] + [""] * (width - len(row))

    def _error_fields(self, error: str) -> Row:
        return [FAILED, *[""] * (len(self.columns) - 2), _line(error)]

    def _fields(self, diagnosis: Diagnosis) -> Row:
        positive = {decision.key: decision.positive for decision in diagnosis.decisions}
        words = {True: "positive", False: "negative", None: ""}
        evidence = diagnosis.evidence
        parts = [None if evidence is None else getattr(evidence, part) for part in EVIDENCE_PARTS]
        concerns = "; ".join(f"{issue.kind}: {issue.found}" for issue in diagnosis.concerns)
        return [
            diagnosis.status,
            _line(concerns),
            _number(diagnosis.probability),
            _number(diagnosis.prevalence),
            *(words[positive.get(key)] for key in self._threshold_keys),
            *(_number(part) for part in parts),
            _number(diagnosis.logit),
            _number(diagnosis.distance),
            "",
        ]


def _new_names(wanted: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return names of columns of which none is there twice.

    >>> _new_names(["status", "error"], ["file", "error"])
    ['status', 'melanoscope_error']
    """
    names: list[str] = []
    for name in wanted:
        new = name
        while new in taken or new in names:
            new = f"melanoscope_{new}"
        names.append(new)
    return names


def _number(value: float | None) -> str:
    return "" if value is None else format(value, ".9g")


def _line(text: str) -> str:
    r"""Return one line that no spreadsheet takes for a formula.

    >>> _line("=1+1\n2")
    '1+1 2'
    """
    return " ".join(text.split()).lstrip("=+-@ ")
