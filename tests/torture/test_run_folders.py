"""Run folders from strangers, through the whole report: it is written or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from melanoscope.errors import MelanoscopeError
from melanoscope.report.build import build
from melanoscope.report.context import ReportContext
from melanoscope.report.figures import report_figure
from melanoscope.runs.reader import read_run
from tests.runs.mutations import VALUES, mutations

pytestmark = pytest.mark.torture
TEXT = VALUES[2]  # what may be drawn
SKILL = {("resnet50", "scratch"): 1.1, ("resnet50", "finetune"): 2.6}


@pytest.mark.parametrize("name", ["run.json", "cells/resnet50-finetune-r0-f0/done.json"])
def test_every_value_of_the_records(
    tmp_path: Path,
    writer: Callable[..., Path],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    render = report_figure._render
    folder = writer(tmp_path / "run", SKILL, folds=2, photographs=40)
    file = folder / name
    document = json.loads(file.read_text())
    tried = written = 0
    for place, changed in mutations(document, VALUES):
        tried += 1
        file.write_text(json.dumps(changed))
        # To render takes three quarters of the time, and only words can be wrong in it.
        drawn = render if place.endswith(repr(TEXT)) else lambda _, kind: kind.encode()
        monkeypatch.setattr(report_figure, "_render", drawn)
        try:
            context = ReportContext(run=read_run(folder), labels={}, replicates=100)
            page = build(context).page.read_text(encoding="utf-8")
        except MelanoscopeError as error:
            said = str(error)
        else:
            said, written = "", written + 1
            assert "<script" not in page, place
        assert said.isprintable() or not said, place
    record_property("records", tried)
    record_property("reports_written", written)
    assert 0 < written < tried / 4
