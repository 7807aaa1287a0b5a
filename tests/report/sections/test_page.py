"""Every section on one page, and a run of the poster's protocol alone and beside another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from melanoscope.report.context import ReportContext
from melanoscope.report.from_run import report_run, result_of
from tests.conftest import record_all


def test_every_section_is_on_the_page(
    context: ReportContext, build_page: Callable[..., Path]
) -> None:
    page = build_page(context.run.path, replicates=100, prevalence=0.02)
    html = page.read_text(encoding="utf-8")
    found = re.findall(r'<section id="([\w-]+)"', html)
    for name in (
        *("intervals", "shortcuts", "leaks", "protocols", "calibration", "decisions"),
        *("subgroups", "poster_table", "checklist"),
    ):
        assert name in found, name
        assert f'href="#{name}"' in html
    first = html[html.index("<header") : html.index("</header>")]
    for question in (
        *("Which network?", "How sure?", "Does transfer learning help?"),
        "What is suspicious about the data?",
    ):
        assert question in first
    assert "TO FILL" in html
    assert "2.0&nbsp;%" in html
    numbers = json.loads((page.parent / "evidence.json").read_text())
    best = max(numbers["intervals"], key=lambda one: one["metrics"]["auroc"]["estimate"])
    assert best["metrics"]["auroc"]["unit"] == "groups"
    assert best["metrics"]["auroc"]["low"] < best["metrics"]["auroc"]["estimate"]
    assert {"sensitivity", "ppv", "prevalence"} <= set(numbers["decisions"]["points"][0])
    for observed in numbers["calibration"]["bins_before"] + numbers["calibration"]["bins_after"]:
        assert list(observed) == ["predicted", "observed", "n"]
        assert 0 <= observed["observed"] <= 1
    for curve in (numbers["calibration"]["curve_before"], numbers["calibration"]["curve_after"]):
        bounds = np.array([curve[name] for name in ("low", "observed", "high")])
        assert (np.diff(bounds, axis=0) >= 0).all()
    shown = numbers["calibration"]["calibration"]
    for found in (shown["before"]["calibration_error"], shown["after"]["calibration_error"]):
        assert 0 <= found["low"] <= found["estimate"] <= found["high"]
        assert found["method"].endswith("widened for cross-validation")
    assert shown["distance_before"].keys() == {"ici", "e50", "e90"}
    assert "xpected calibration error" not in html
    fewest = min(int(cell.target.sum()) for cell in context.run.cells)
    assert (f"{fewest} melanomas in the smallest test fold" in html) == (fewest < 50)
    assert "melanomas in a fold" in html
    assert "Wilson" not in html[html.index('id="calibration"') : html.index('id="decisions"')]
    assert [row["printed_label"] for row in numbers["poster_table"]] == [
        *("Standard_CNN", "ResNeXt-50 [6]", "VGG [30]", "ResNeXt-50 [6]", "VGG [30]**")
    ]
    assert numbers["poster_table"][0]["printed"]["auroc"]["estimate"] == 0.759


def test_the_posters_run_beside(
    context: ReportContext, build_page: Callable[..., Path], tmp_path: Path
) -> None:
    """The same folder under the poster's name: what it prints is the rounded AUROC."""
    import shutil

    other = tmp_path / "poster"
    shutil.copytree(context.run.path, other)
    record = json.loads((other / "run.json").read_text())
    record["configuration"]["protocol"] = "poster"
    (other / "run.json").write_text(json.dumps(record))
    record_all(other)
    page = build_page(context.run.path, replicates=50, beside=[other])
    numbers = json.loads((page.parent / "evidence.json").read_text())["protocols"]
    assert len(numbers["beside"]) == len(context.predictions)
    for one in numbers["beside"]:
        assert one["printed_auroc"] == pytest.approx(one["corrected"]["estimate"], abs=1e-9)
        assert one["printed"]["estimate"] < one["printed_auroc"]
    alone = build_page(other, replicates=50).read_text(encoding="utf-8")
    assert "Computed as the poster computed it" in alone
    assert "significantly above" not in alone
    assert "The poster's table beside this run" in alone
    assert "this run's are computed in the same way" in alone
    assert "this run's are those of probabilities" in page.read_text(encoding="utf-8")


def test_a_run_of_the_poster_never_speaks_of_corrected_tests(
    run_folder: Path, build_page: Callable[..., Path]
) -> None:
    """Page, tables, figures and evidence.json, all of them."""
    record = json.loads((run_folder / "run.json").read_text())
    record["configuration"]["protocol"] = "poster"
    (run_folder / "run.json").write_text(json.dumps(record))
    record_all(run_folder)
    report = build_page(run_folder, replicates=100).parent
    texts = [
        f
        for f in report.rglob("*")
        if f.suffix in (".html", ".csv", ".md", ".tex", ".json", ".svg")
    ]
    assert len(texts) > 10
    for file in texts:
        words = re.sub(r'src="data:[^"]*"', "", file.read_text(encoding="utf-8"))
        found = re.findall(
            r"(?i).{0,40}(?:\bholm|_holm|corrected|resampled t|nadeau).{0,40}", words
        )
        assert not found, (file.name, found)
    table = (report / "tables" / "table_b.csv").read_text()
    assert "auroc_p_poster" in table.splitlines()[0]
    document = result_of(report_run(run_folder, replicates=100))
    assert "p_holm" not in json.dumps(document)
    assert "p_poster" in document["comparisons"][0]
