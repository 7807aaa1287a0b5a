"""The answers' file while it grows: whole rows, kept through a kill, never over another's work.

`.NAME.partial` holds what is answered, `.NAME.partial.json` says what it is the beginning of. Rows
are kept by whole batches, so that a batch holds the same photographs whether or not there was a
break: a network's last digits may depend on what is answered together.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from melanoscope.atomic import atomic_path
from melanoscope.errors import DataError

Row = list[str]


class GrowingTable:
    """A CSV that is written batch by batch and appears under its name when it is whole.

    Args:
        out: Where it will lie; must not exist.
        job: What it answers, plain values: only the beginning of the same job is gone on with.
        header: Names of its columns.
        rows: How many it will have.
        batch: Rows that are answered together.

    Raises:
        DataError: `out` exists, or another job's beginning, or another process is at it.
    """

    def __init__(
        self, out: Path, job: dict[str, Any], header: Row, *, delimiter: str, rows: int, batch: int
    ) -> None:
        self.out, self.header, self.delimiter = out, header, delimiter
        self.partial = out.with_name(f".{out.name}.partial")
        self.record = out.with_name(f".{out.name}.partial.json")
        self._refuse_others(job)
        # Opened for appending: creates, and never cuts what is there.
        self._file: BinaryIO = self.partial.open("a+b")
        try:
            _lock(self._file, self.partial)
            self._write_record(job)
            good = self._whole_rows()
            self.kept = good if good == rows else good - good % batch
            self._cut()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> GrowingTable:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def kept_rows(self) -> Iterator[Row]:
        """Go through the rows that an earlier run has answered."""
        for number, (row, _) in enumerate(self._rows(), -1):
            if 0 <= number < self.kept:
                yield row

    def add(self, rows: Sequence[Row]) -> None:
        """Write a batch to the end, so that a kill leaves it there."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.delimiter).writerows(rows)
        self._file.write(text.getvalue().encode())
        self._file.flush()

    def finish(self) -> None:
        """Give the file its name.

        Raises:
            DataError: Somebody put another file there in the meantime.
        """
        os.fsync(self._file.fileno())
        _refuse_existing(self.out)
        self._file.close()
        os.rename(self.partial, self.out)  # noqa: PTH104 - fails where Windows finds a file
        self.record.unlink(missing_ok=True)

    def _refuse_others(self, job: dict[str, Any]) -> None:
        _refuse_existing(self.out)
        if not self.out.parent.is_dir():
            raise DataError(
                f"a folder for '{self.out}'", f"no folder '{self.out.parent}'", "make it first"
            )
        if not self.partial.exists() or self.partial.stat().st_size == 0:
            return
        begun: object = None
        with contextlib.suppress(OSError, ValueError):
            begun = json.loads(self.record.read_bytes())
        if begun != job:
            found = "no word of what it is"
            if isinstance(begun, dict):
                found = "another " + ", ".join(k for k in job if begun.get(k) != job[k])
            raise DataError(
                f"the beginning of this job in '{self.partial}'",
                found,
                "remove that file or name another --out",
            )

    def _write_record(self, job: dict[str, Any]) -> None:
        with atomic_path(self.record) as partial:
            partial.write_text(json.dumps(job, indent=1), encoding="utf-8")

    def _rows(self) -> Iterator[tuple[Row, int]]:
        """Go through whole rows of the file, the header among them, and where each ends.

        A kill may have torn the last one anywhere: in a quoted line break, or in a character.
        """
        self._file.seek(0)
        end, last = 0, b""

        def lines() -> Iterator[str]:
            nonlocal end, last
            for last in self._file:
                end += len(last)
                yield last.decode()

        reader = csv.reader(lines(), delimiter=self.delimiter, strict=True)
        with contextlib.suppress(csv.Error, UnicodeDecodeError):
            for number, row in enumerate(reader):
                whole = len(row) == len(self.header) and last.endswith(b"\r\n")
                if not whole or (number == 0 and row != self.header):
                    return
                yield row, end

    def _whole_rows(self) -> int:
        """Count them, without the header; -1 where there is none."""
        return sum(1 for _ in self._rows()) - 1

    def _cut(self) -> None:
        """Cut off what is not kept, and begin with the header."""
        end = 0
        for number, (_, place) in enumerate(self._rows(), -1):
            if number < self.kept:
                end = place
        self._file.truncate(end)
        self._file.seek(end)
        if end == 0:
            self.kept = 0
            self.add([self.header])


def _refuse_existing(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise DataError(
            f"a new file at '{out}'",
            "a folder" if out.is_dir() else "one that is there already",
            "remove it or name another --out",
        )


def _lock(file: BinaryIO, path: Path) -> None:
    """Keep a second process out, where the system can; a kill opens the lock."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DataError(
            f"nobody else writing '{path}'", "another process", "wait for it or name another --out"
        ) from None
    except OSError:
        return  # some network file systems know no locks
