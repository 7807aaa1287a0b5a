"""The report of a run folder."""

from __future__ import annotations

import pytest

from melanoscope.report.build import build
from melanoscope.report.context import ReportContext
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import RunResults


@pytest.fixture(scope="session")
def build_page(labels):
    """Write the report of a run folder and return the path of its page."""

    def write(folder, *, beside=(), prevalence=0.02, replicates=2000, **parts):
        context = ReportContext(
            run=read_run(folder),
            labels=labels,
            beside=tuple(RunResults(run=read_run(other)) for other in beside),
            prevalence=prevalence,
            replicates=replicates,
        )
        return build(context, **parts).page

    return write
