"""A small table in any form, and why one is not opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from melanoscope.errors import DataError
from melanoscope.tables.table_file import open_table

KNOWN = ("path", "target", "age")


ROWS = [["path", "target", "age"], ["a b.jpg", "1", "45"], ["Gr\u00fcn.jpg", "0", ""]]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text(delimiter: str = ",", end: str = "\n", rows: list[list[str]] | None = None) -> str:
    return "".join(delimiter.join(row) + end for row in rows or ROWS)


def why_not_opened(path: Path, known=KNOWN) -> str:
    """Say in one line why a table is refused, when it is opened or read."""
    with pytest.raises(DataError) as caught:
        list(open_table(path, known).rows())
    assert "\n" not in str(caught.value)
    assert str(path.name) in str(caught.value)
    return f"{caught.value.expected}: {caught.value.found}; {caught.value.mend}"
