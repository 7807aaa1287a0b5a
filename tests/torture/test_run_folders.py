"""Run folders from strangers, through the whole report: it is written or refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from melanoscope.errors import MelanoscopeError
from melanoscope.report.build import build
from melanoscope.report.context import ReportContext
from melanoscope.runs.reader import read_run
from tests.runs.mutations import VALUES, mutations

pytestmark = pytest.mark.torture
SKILL = {("resnet50", "scratch"): 1.1, ("resnet50", "finetune"): 2.6}


@pytest.mark.parametrize("name", ["run.json", "cells/resnet50-finetune-r0-f0/done.json"])
def test_every_value_of_the_records(tmp_path: Path, writer: Callable[..., Path], name: str) -> None:
    folder = writer(tmp_path / "run", SKILL, folds=2, photographs=40)
    file = folder / name
    document = json.loads(file.read_text())
    written = 0
    for place, changed in mutations(document, VALUES):
        file.write_text(json.dumps(changed))
        try:
            context = ReportContext(run=read_run(folder), labels={}, replicates=100)
            page = build(context).page.read_text(encoding="utf-8")
        except MelanoscopeError as error:
            said = str(error)
        else:
            said, written = "", written + 1
            assert "<script" not in page, place
        assert said.isprintable() or not said, place
    assert written
