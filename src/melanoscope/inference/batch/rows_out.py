"""From rows that name photographs to rows with answers, in order, decoded ahead by threads."""

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
from melanoscope.imaging.decode import DecodedImage, UnreadableImageError
from melanoscope.inference.batch.rows_in import Row, Table
from melanoscope.patient import PatientInfo, parse_patient

if TYPE_CHECKING:
    from melanoscope.inference.predictor import Predictor
    from melanoscope.inference.result import Diagnosis

FAILED = "failed"
# Batches that are decoded while one is answered: enough to bridge a slow photograph.
_AHEAD = 2
_EVIDENCE = ("photograph", "age", "sex", "site", "bias")


@dataclass(frozen=True, eq=False, slots=True)
class _Prepared:
    """A row before the network has seen it."""

    row: Row
    decoded: DecodedImage | None
    who: PatientInfo | None
    error: str = ""


@dataclass(frozen=True, eq=False)
class Answering:
    """From rows of a table to rows of answers.

    Attributes:
        predictor: Of a bundle.
        table: Where the rows come from.
        folder: What names of photographs are relative to.
        prevalence: As `Predictor.answer`.
        force: Likewise.
    """

    predictor: Predictor
    table: Table
    folder: Path
    prevalence: float | None
    force: bool

    @cached_property
    def keys(self) -> list[str]:
        """Of the bundle's thresholds."""
        return [one.key for one in self.predictor.bundle.manifest.thresholds]

    @cached_property
    def columns(self) -> list[str]:
        """Names of what is added to each row."""
        wanted = ["status", "concerns", "probability", "prevalence", *self.keys]
        wanted += [*(f"evidence_{part}" for part in _EVIDENCE), "logit", "distance", "error"]
        return _new_names(wanted, self.table.header)

    def batches(self, rows: Iterator[Row], size: int, workers: int) -> Iterator[list[Row]]:
        """Answer batch after batch, in order, with the next ones being decoded."""
        pool = ThreadPoolExecutor(workers, "melanoscope-decode")
        waiting: deque[list[Future[_Prepared]]] = deque()
        try:
            while chunk := list(islice(rows, size)):
                waiting.append([pool.submit(self._prepare, row) for row in chunk])
                if len(waiting) > _AHEAD:
                    yield self._answer([one.result() for one in waiting.popleft()])
            while waiting:
                yield self._answer([one.result() for one in waiting.popleft()])
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, row: Row) -> _Prepared:
        """Decode one photograph; whatever is wrong with the row is its error."""
        try:
            width = len(self.table.header)
            if len(row) != width:
                raise DataError(f"{width} fields as in the header", str(len(row)), "mend the row")
            told = {name: row[index] for name, index in self.table.person.items()}
            who = parse_patient(**told)
            name = row[self.table.photograph]
            if not name.strip():
                raise DataError("the name of a photograph", "none", "fill it in")
            return _Prepared(row, self.predictor.read(self.folder / name), who)
        except UnreadableImageError as error:
            # Where it lies stands in the row already.
            found = f"expected a whole photograph; found {error.found}; {error.mend}"
            return _Prepared(row, None, None, found)
        except MelanoscopeError as error:
            return _Prepared(row, None, None, str(error))

    def _answer(self, prepared: Sequence[_Prepared]) -> list[Row]:
        ready = [(one.decoded, one.who) for one in prepared if one.decoded and one.who]
        answers = iter(
            self.predictor.answer(
                [decoded for decoded, _ in ready],
                [who for _, who in ready],
                prevalence=self.prevalence,
                force=self.force,
            )
        )
        return [
            self._fitted(one.row)
            + (self._failed(one.error) if one.error else self._said(next(answers)))
            for one in prepared
        ]

    def _fitted(self, row: Row) -> Row:
        """Return a row as long as the header."""
        width = len(self.table.header)
        return row[:width] + [""] * (width - len(row))

    def _failed(self, error: str) -> Row:
        return [FAILED, *[""] * (len(self.columns) - 2), _line(error)]

    def _said(self, diagnosis: Diagnosis) -> Row:
        called = {one.key: one.positive for one in diagnosis.decisions}
        words = {True: "positive", False: "negative", None: ""}
        evidence = diagnosis.evidence
        parts = [None if evidence is None else getattr(evidence, part) for part in _EVIDENCE]
        concerns = "; ".join(f"{one.kind}: {one.found}" for one in diagnosis.concerns)
        return [
            diagnosis.status,
            _line(concerns),
            _number(diagnosis.probability),
            _number(diagnosis.prevalence),
            *(words[called.get(key)] for key in self.keys),
            *(_number(part) for part in parts),
            _number(diagnosis.logit),
            _number(diagnosis.distance),
            "",
        ]


def _new_names(wanted: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Name columns so that none is there twice.

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
