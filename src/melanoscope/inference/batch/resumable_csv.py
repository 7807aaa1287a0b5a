"""A CSV that is written batch by batch, goes on after a kill, and never overwrites another's work.

`.NAME.partial` holds the rows so far, `.NAME.partial.json` says which job they belong to. Rows are
kept by whole batches, so that a batch holds the same photographs whether or not there was a break:
a network's last digits may depend on what it is given together.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from melanoscope.atomic import atomic_path, remove_partials_of
from melanoscope.checksums import file_sha256
from melanoscope.errors import DataError
from melanoscope.locks import lock_file

Row = list[str]

_WHOLE = "sha256"  # in the record of a job, of its answers once they are whole


class ResumableCsv:
    """A CSV that is written batch by batch; after a kill it goes on with rows of the same `job`."""

    def __init__(
        self,
        out: Path,
        job: dict[str, Any],
        header: Row,
        *,
        delimiter: str,
        rows: int,
        batch_size: int,
    ) -> None:
        if not out.name:
            raise DataError("a file to write", f"'{out}'", "name another with --out")
        self._out, self._header, self._delimiter = out, header, delimiter
        self.partial = out.with_name(f".{out.name}.partial")
        self._job_file = out.with_name(f".{out.name}.partial.json")
        self._job = job
        _require_parent(out)
        lock = out.with_name(f".{out.name}.lock")
        with contextlib.ExitStack() as stack:
            stack.enter_context(lock_file(lock, wait=False, place=out, remove=True))
            self._take_back_finished()
            _refuse_existing(out)
            self._refuse_other_job(job)
            # Opened for appending: creates, and never cuts what is there.
            self._file: BinaryIO = stack.enter_context(self.partial.open("a+b"))
            remove_partials_of(self._job_file)
            self._write_job(job)
            self.kept = self._keep_whole_batches(rows, batch_size)
            self._held = stack.pop_all()

    def close(self) -> None:
        """Close the file; what is written stays for a later run."""
        self._held.close()

    def kept_rows(self) -> Iterator[Row]:
        """Iterate over the rows that an earlier run has written."""
        return (row for row, _ in islice(self._rows(), 1, None))

    def append(self, rows: Sequence[Row]) -> None:
        """Write `rows`, a batch, to the end of the file, where a kill leaves them."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._delimiter).writerows(rows)
        self._file.write(text.getvalue().encode())
        self._file.flush()

    def finish(self) -> None:
        """Give the whole file its name; raise DataError if another one is there by now."""
        os.fsync(self._file.fileno())
        _refuse_existing(self._out)
        self._write_job({**self._job, _WHOLE: file_sha256(self.partial)})
        self._file.close()
        self.partial.rename(self._out)  # fails where Windows finds a file
        self._job_file.unlink(missing_ok=True)

    def _take_back_finished(self) -> None:
        """Let a call go on whose last one was killed after the rename: it has nothing left to do.

        The answers are this job's where its record, which is removed last, holds their hash.
        """
        begun = self._begun()
        if isinstance(begun, dict) and self._out.is_file() and not self.partial.exists():
            whole = begun.pop(_WHOLE, None)
            if begun == self._job and whole == file_sha256(self._out):
                self._out.rename(self.partial)

    def _write_job(self, record: dict[str, Any]) -> None:
        with atomic_path(self._job_file) as partial:
            partial.write_text(json.dumps(record, indent=1), encoding="utf-8")

    def _begun(self) -> object:
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self._job_file.read_bytes())
        return None

    def _refuse_other_job(self, job: dict[str, Any]) -> None:
        if not self.partial.exists() or self.partial.stat().st_size == 0:
            return
        begun = self._begun()
        if isinstance(begun, dict):
            begun.pop(_WHOLE, None)
        if begun != job:
            found = "no word of what it is"
            if isinstance(begun, dict):
                found = "another " + ", ".join(k for k in job if begun.get(k) != job[k])
            raise DataError(
                f"the beginning of this job in '{self.partial}'",
                found,
                "remove that file or name another --out",
            )

    def _keep_whole_batches(self, rows: int, batch_size: int) -> int:
        """Cut off what is no whole batch; return the number of rows that are left."""
        kept = sum(1 for _ in self._rows()) - 1  # without the header
        if kept < 0:
            self._file.seek(0)
            self._file.truncate()
            self.append([self._header])
            return 0
        if kept != rows:
            kept -= kept % batch_size
        _, end = next(islice(self._rows(), kept, None))
        self._file.seek(end)
        self._file.truncate()
        return kept

    def _rows(self) -> Iterator[tuple[Row, int]]:
        """Iterate over whole rows of the file, header included, and the byte where each ends.

        A kill may have torn the last one anywhere: in a quoted line break, or in a character.
        """
        self._file.seek(0)
        end, last = 0, b""

        def lines() -> Iterator[str]:
            nonlocal end, last
            for last in self._file:
                end += len(last)
                yield last.decode()

        reader = csv.reader(lines(), delimiter=self._delimiter, strict=True)
        with contextlib.suppress(csv.Error, UnicodeDecodeError):
            for number, row in enumerate(reader):
                whole = len(row) == len(self._header) and last.endswith(b"\r\n")
                if not whole or (number == 0 and row != self._header):
                    return
                yield row, end


def _refuse_existing(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise DataError(
            f"a new file at '{out}'",
            "a folder" if out.is_dir() else "one that is there already",
            "remove it or name another --out",
        )


def _require_parent(out: Path) -> None:
    if not out.parent.is_dir():
        raise DataError(f"a folder for '{out}'", f"no folder '{out.parent}'", "make it first")
