"""Run folders, and the report of one."""

from __future__ import annotations

import pytest

from melanoscope.report.build import build
from melanoscope.report.context import ReportContext
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import RunResults
from runs.folders import LABELS, write_run


@pytest.fixture(scope="session")
def labels():
    return LABELS


@pytest.fixture
def run_folder(tmp_path):
    """A fresh run folder that a test may spoil."""
    return write_run(tmp_path / "run")


@pytest.fixture(scope="session")
def writer():
    return write_run


@pytest.fixture(scope="session")
def build_page():
    """Write the report of a run folder and return the path of its page."""

    def write(folder, *, beside=(), prevalence=0.02, replicates=2000, **parts):
        context = ReportContext(
            run=read_run(folder),
            labels=LABELS,
            beside=tuple(RunResults(run=read_run(other)) for other in beside),
            prevalence=prevalence,
            replicates=replicates,
        )
        return build(context, **parts).page

    return write
