"""The record of a run of the long form: outcome, seconds and counts of each test, as JSON."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from melanoscope.atomic import atomic_path
from melanoscope.hardware import describe_hardware
from melanoscope.json_text import json_text
from melanoscope.locks import lock_file

Row = dict[str, Any]
"""Of one test: outcome, seconds, commit, and what it counted."""

_NO_COUNTS = ("outcome", "seconds", "commit")
_LARGEST = "_at_most"


def add_row(path: Path, name: str, row: Row) -> None:
    """Put one test into the record, in the place of its row of an earlier run.

    Args:
        path: The record; runs of parts add up in it, also two that write it at one time.
        name: Name of the test.
        row: Its row.
    """
    with lock_file(Path(tempfile.gettempdir(), "melanoscope-torture-record.lock"), wait=True):
        old = json.loads(path.read_text()) if path.exists() else {}
        tests = dict(sorted({**old.get("tests", {}), name: row}.items()))
        record = {"machine": describe_hardware(), "sums": sums(tests), "tests": tests}
        with atomic_path(path) as partial:
            partial.write_text(json_text(record, indent=1) + "\n")


def sums(tests: dict[str, Row]) -> Row:
    """Return the number of tests by outcome, their seconds, and the sum of each count.

    A count whose name ends in "_at_most" is a largest value: of these the largest is taken.

    >>> row = {"outcome": "passed", "seconds": 2.0, "kills": 3, "epochs_lost_at_most": 1}
    >>> sums({"a": row, "b": row})
    {'passed': 2, 'seconds': 4.0, 'kills': 6, 'epochs_lost_at_most': 1}
    """
    outcomes = Counter(row["outcome"] for row in tests.values())
    counts: dict[str, float] = {}
    for row in tests.values():
        for name, value in row.items():
            if name in _NO_COUNTS or not isinstance(value, int | float):
                continue
            before = counts.get(name, 0)
            counts[name] = max(before, value) if name.endswith(_LARGEST) else before + value
    seconds = round(sum(row["seconds"] for row in tests.values()), 1)
    return {**outcomes, "seconds": seconds, **counts}
