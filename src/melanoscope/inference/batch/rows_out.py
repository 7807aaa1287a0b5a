"""From rows that name photographs to rows with diagnoses, in order, decoded ahead by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from melanoscope.errors import DataError, MelanoscopeError, one_line
from melanoscope.imaging.decode import DecodedImage
from melanoscope.imaging.open_image import UnreadableImageError
from melanoscope.inference.batch.input_table import InputTable
from melanoscope.inference.batch.resumable_csv import Row
from melanoscope.inference.result import EVIDENCE_PARTS
from melanoscope.patient import PatientInfo, is_missing, parse_patient
from melanoscope.tables.formulas import as_text
from melanoscope.tables.records import Numbered
from melanoscope.threads import thread_pool

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor
    from melanoscope.inference.result import Diagnosis

FAILED = "failed"
# Batches that are decoded while one is diagnosed: enough to bridge a slow photograph.
_AHEAD = 2

_Decoded = tuple[DecodedImage, PatientInfo] | str  # a row's photograph, or what is wrong with it


@dataclass(frozen=True, eq=False)
class RowDiagnoser:
    """Diagnoses rows of a table; what the attributes mean says `diagnose_table`."""

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
        wanted = ["status", "forced", "concerns", "probability", "prevalence"]
        wanted += self._threshold_keys
        wanted += [*(f"evidence_{part}" for part in EVIDENCE_PARTS), "logit", "distance", "error"]
        return _new_names(wanted, self.table.header)

    def diagnose_batches(
        self, rows: Iterator[Numbered], batch_size: int, workers: int
    ) -> Iterator[list[Row]]:
        """Yield batch after batch with the added columns, while the next ones are being decoded."""
        waiting: deque[list[tuple[Row, Future[_Decoded]]]] = deque()
        with thread_pool(workers, "melanoscope-decode") as pool:
            while chunk := list(islice(rows, batch_size)):
                waiting.append([(row, pool.submit(self._decode, line, row)) for line, row in chunk])
                if len(waiting) > _AHEAD:
                    yield self._diagnose(waiting.popleft())
            while waiting:
                yield self._diagnose(waiting.popleft())

    def _decode(self, line: int, row: Row) -> _Decoded:
        """Decode the photograph of a row, or return what is wrong with the row."""
        try:
            if fault := self.table.table.fault(line, row):
                raise fault
            patient = parse_patient(
                **{name: row[index] for name, index in self.table.patient_columns.items()}
            )
            name = row[self.table.image_column].strip()
            if is_missing(name):
                raise DataError("the name of a photograph", "none", "fill it in")
            return self.predictor.decode(_find_file(self.folder, name)), patient
        except UnreadableImageError as error:
            # Where it lies stands in the row already.
            mend = error.mend
            if error.found == "no file":
                mend = f"check the name, which is taken relative to the folder '{self.folder}'"
            return f"expected a whole photograph; found {error.found}; {mend}"
        except MelanoscopeError as error:
            return str(error)

    def _diagnose(self, batch: Sequence[tuple[Row, Future[_Decoded]]]) -> list[Row]:
        decoded = [(row, future.result()) for row, future in batch]
        ready = [one for _, one in decoded if not isinstance(one, str)]
        diagnoses = iter(
            self.predictor.predict(
                [image for image, _ in ready],
                [patient for _, patient in ready],
                prevalence=self.prevalence,
                force=self.force,
            )
        )
        width = len(self.table.header)
        rows = []
        for row, one in decoded:
            fitted = [*map(as_text, row[:width]), *[""] * (width - len(row))]
            if isinstance(one, str):
                added = [FAILED, *[""] * (len(self.columns) - 2), _line(one)]
            else:
                added = self._fields(next(diagnoses))
            rows.append(fitted + added)
        return rows

    def _fields(self, diagnosis: Diagnosis) -> Row:
        positive = {decision.key: decision.positive for decision in diagnosis.decisions}
        words = {True: "positive", False: "negative", None: ""}
        evidence = diagnosis.evidence
        parts = [None if evidence is None else getattr(evidence, part) for part in EVIDENCE_PARTS]
        concerns = "; ".join(f"{issue.kind}: {issue.found}" for issue in diagnosis.concerns)
        return [
            diagnosis.status,
            "true" if diagnosis.forced else "false",
            _line(concerns),
            _number(diagnosis.probability),
            _number(diagnosis.prevalence),
            *(words[positive.get(key)] for key in self._threshold_keys),
            *(_number(part) for part in parts),
            _number(diagnosis.logit),
            _number(diagnosis.distance),
            "",
        ]


def _find_file(folder: Path, name: str) -> Path:
    """Return where a table's name of a file leads, also one that was written on Windows."""
    path = folder / name
    if "\\" in name and not path.exists():
        return folder / name.replace("\\", "/")
    return path


def _new_names(wanted: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return the `wanted` names, those that are `taken` as `melanoscope_NAME`."""
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
    """Return one line that no spreadsheet takes for a formula and no terminal obeys."""
    return as_text(one_line(" ".join(text.split())))
