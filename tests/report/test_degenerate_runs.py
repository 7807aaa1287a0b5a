"""One network, fold or patient of which nothing can be computed costs that, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from melanoscope.report.build import Report, build
from melanoscope.report.context import ReportContext
from melanoscope.report.from_run import result_of
from melanoscope.runs.reader import read_run
from tests.conftest import record_all
from tests.report.degenerate import VARIANTS

SKILL = {("resnet50", "scratch"): 1.1, ("resnet50", "finetune"): 2.6, ("vgg16", "finetune"): 1.8}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, writer: Callable[..., Path]) -> Path:
    return writer(tmp_path_factory.mktemp("sound") / "run", SKILL, folds=3, photographs=120)


@pytest.fixture(scope="module", params=list(VARIANTS))
def report(
    request: pytest.FixtureRequest,
    sound: Path,
    labels: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Report]:
    """The report of a run, one of whose parts allows no number."""
    folder = tmp_path_factory.mktemp("degenerate") / "run"
    shutil.copytree(sound, folder)
    VARIANTS[request.param](folder)
    record_all(folder)
    context = ReportContext(run=read_run(folder), labels=labels, replicates=100)
    return request.param, build(context)


def _refuse(constant: str) -> None:
    pytest.fail(f"{constant} is no JSON")


def test_the_report_is_whole(report: tuple[str, Report]) -> None:
    folder = report[1].page.parent
    assert {file.name for file in folder.iterdir()} == {
        *("index.html", "evidence.json", "tables", "figures"),
    }
    for table in ("a", "b"):
        for kind in ("csv", "md", "tex"):
            text = (folder / "tables" / f"table_{table}.{kind}").read_text()
            assert "ResNet-50" in text
            assert "nan" not in text.lower().replace("nan, the first nan", "")  # why there is none


def test_json_has_no_nan(report: tuple[str, Report]) -> None:
    text = (report[1].page.parent / "evidence.json").read_text()
    assert json.loads(text, parse_constant=_refuse) == report[1].evidence
    json.dumps(result_of(report[1]), allow_nan=False)


def test_what_is_missing_says_why_on_the_page_and_in_the_evidence(
    report: tuple[str, Report],
) -> None:
    name, written = report
    evidence, page = written.evidence, written.page.read_text()
    gaps: list[dict[str, Any]] = evidence.get("unavailable") or []
    photographs = [gap for gap in gaps if gap["what"] == "Worst misses"]  # there are none here
    gaps = [gap for gap in gaps if gap not in photographs]
    missing = [section for section, numbers in evidence.items() if numbers is None]
    complete = ("equal thresholds", "one finished fold")  # there every number can be computed
    assert bool(gaps) == (name not in complete)
    for gap in gaps:
        assert gap["why"].split("expected ")[1].count("; found ") == 1
        assert page.count(gap["why"].replace("'", "&#39;")) >= 1
    assert len([gap for gap in gaps if gap["what"][0].isupper()]) == len(gaps)
    for section in missing:
        assert f'<section id="{section}">' in page
    assert page.count("Not shown:") == len(missing)


def test_other_networks_stand(report: tuple[str, Report]) -> None:
    name, written = report
    context = written.context
    if name in ("a fold without positives", "a fold without negatives", "one finished fold"):
        assert context.best is None  # no network is complete
        assert len(context.summary.rows[0].keys) == (1 if "finished" in name else 2)
        return
    assert ("vgg16", "finetune") in context.predictions
    if name == "one patient":
        assert context.interval(("vgg16", "finetune"), "auroc") is None
        return
    other = context.interval(("vgg16", "finetune"), "calibration_slope")
    assert other is not None
    assert other.low < other.estimate < other.high
    assert written.evidence["intervals"]


def test_a_network_whose_training_diverged_is_never_the_best(
    sound: Path, labels: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(sound, folder)
    VARIANTS["NaN probabilities"](folder)
    record_all(folder)
    context = ReportContext(run=read_run(folder), labels=labels, replicates=100)
    row = context.summary.row("resnet50", "finetune")
    assert row is not None
    assert list(row.failed) == [(0, 1, 0)]
    assert not row.complete
    assert context.best == ("vgg16", "finetune")
