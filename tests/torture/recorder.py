"""MELANOSCOPE_TORTURE_RECORD=FILE: each test of the long form adds its row to FILE.

A test reports its counts with `record_property("kills", 24)`.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from .record import Row, add_row

_ROW = pytest.StashKey[Row]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note the outcome and seconds of each part of a test; write its row after the last."""
    report = yield
    row = item.stash.setdefault(_ROW, {"outcome": "passed", "seconds": 0.0})
    row["seconds"] = round(row["seconds"] + report.duration, 1)
    if not report.passed:
        row["outcome"] = report.outcome
    file = os.environ.get("MELANOSCOPE_TORTURE_RECORD")
    if file and report.when == "teardown" and item.get_closest_marker("torture"):
        add_row(Path(file), item.nodeid, row | dict(item.user_properties) | {"commit": _commit()})
    return report


@functools.cache
def _commit() -> str | None:
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
