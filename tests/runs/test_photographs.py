"""A report notices photographs that are no longer those of its run."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import polars as pl
import pytest

from melanoscope.data.content_hash import content_hash
from melanoscope.report.context import ReportContext
from melanoscope.report.warnings import collect_warnings
from melanoscope.runs.photographs import compare_photographs
from melanoscope.runs.reader import Run, read_run
from tests.conftest import record_all


@pytest.fixture
def run(run_folder: Path, tmp_path: Path) -> Run:
    """A run whose first hundred photographs are there, of 10 bytes each."""
    file = run_folder / "catalog.parquet"
    catalog = pl.read_parquet(file)
    names = catalog["image_id"].to_list()
    for name in names[:100]:
        (tmp_path / name).write_bytes(name.ljust(10).encode())
    catalog.with_columns(
        path=pl.Series([str(tmp_path / name) for name in names]),
        content=pl.Series([content_hash(name.ljust(10).encode()) for name in names]),
    ).write_parquet(file)
    record_all(run_folder)
    return read_run(run_folder)


def test_unchanged_photographs_need_no_word(run: Run) -> None:
    found = compare_photographs(run)
    assert (found.photographs, found.compared, found.absent) == (300, 100, 200)
    assert found.warning is None


def test_a_photograph_changed_at_equal_size_and_time_is_named(run: Run) -> None:
    file = Path(run.catalog["path"][7])
    before = file.stat()
    file.write_bytes(b"another".ljust(10))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = compare_photographs(run)
    assert found.changed == (run.catalog["image_id"][7],)
    assert "1 of 100 photographs" in (found.warning or "")


def test_of_a_large_archive_an_even_sample_is_compared(run: Run) -> None:
    found = compare_photographs(run, max_bytes=250)  # of 1,000: every fourth
    assert (found.compared, found.absent) == (25, 200)


def test_the_report_says_what_has_changed_since(run: Run) -> None:
    context = ReportContext(run=run, labels={}, replicates=100)
    assert not [one for one in collect_warnings(context, []) if "compared" in one.text]
    Path(run.catalog["path"][7]).write_bytes(b"another".ljust(10))
    cell, record = next(iter(run.records.items()))
    run.records[cell] = msgspec.structs.replace(record, software={"torch": "1.0"})
    context = ReportContext(run=run, labels={}, replicates=100)
    said = [one.text for one in collect_warnings(context, [])]
    assert "1 of 100 photographs that were compared" in said[0]
    assert [text for text in said if "trained under 2 sets of versions" in text]
