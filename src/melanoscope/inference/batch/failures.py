"""Why rows of a table failed: counted in flat memory, and said in few lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_TEXTS = 1_000  # different errors that are counted one by one
_NAMED = 5  # findings that a line names
_PLACE = re.compile(r",? in line \d+(?: of '[^']*')?")


@dataclass(frozen=True, slots=True)
class FailureReason:
    """A kind of failure: how many rows it made fail, and what was found there, in one line."""

    rows: int
    reason: str


class FailureCounter:
    """Counts errors of rows by what was expected, and by what was found instead."""

    def __init__(self) -> None:
        self._findings: dict[str, Counter[str]] = {}
        self._mends: dict[str, str] = {}
        self._size = 0

    def add(self, error: str) -> None:
        """Count the error of one more row, "expected X; found Y; how to mend it"."""
        expected, _, rest = _PLACE.sub("", error, count=1).partition("; found ")
        found, _, mend = rest.rpartition("; ")
        findings = self._findings.setdefault(expected, Counter())
        if found not in findings:
            if self._size >= _TEXTS:
                found = "others"
            self._size += 1
            self._mends.setdefault(expected, mend)
        findings[found] += 1

    def reasons(self) -> tuple[FailureReason, ...]:
        """Return the kinds of failures, the most frequent first."""
        kinds = sorted(self._findings.items(), key=lambda kind: -kind[1].total())
        return tuple(
            FailureReason(findings.total(), self._line(expected, findings))
            for expected, findings in kinds
        )

    def _line(self, expected: str, findings: Counter[str]) -> str:
        found = ", ".join(f"{what} ({rows})" for what, rows in findings.most_common(_NAMED))
        more = len(findings) - _NAMED
        rest = f" and {more} more" if more > 0 else ""
        mend = f"; {self._mends[expected]}" if len(findings) == 1 else ""
        return f"{expected}; found {found}{rest}{mend}"
