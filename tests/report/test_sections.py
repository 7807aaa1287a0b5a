"""The sections of the page on random predictions, and a run of the poster beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.errors import RunError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.calibration import calibrated
from melanoscope.report.sections.leaks import crossing_pairs, divided_groups, pairs_that_conflict
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import predictions_of
from melanoscope.stats.metrics.classification import auroc


def _complete(folder: Path, *, seed: int = 0) -> None:
    """Give a run folder other static data, and a pair of near-duplicates."""
    rng = np.random.default_rng(seed)
    catalog = pl.read_parquet(folder / "catalog.parquet")
    n = catalog.height
    if "fold_r0" not in catalog.columns:
        fold = pl.read_parquet(folder / "predictions.parquet").unique("image_id")
        catalog = catalog.join(
            fold.select("image_id", pl.col("fold").alias("fold_r0")), on="image_id", how="left"
        )
    catalog = catalog.with_columns(
        sex=pl.Series(rng.choice(["female", "male", "unknown"], n, p=[0.45, 0.45, 0.1])),
        age=pl.Series(rng.choice([25.0, 45.0, 65.0, 80.0], n)),
        site=pl.Series(rng.choice(["torso", "head/neck"], n)),
        ita=pl.Series(rng.normal(45, 20, n)),
        diagnosis=pl.Series(["unknown"] * n),
    )
    catalog.write_parquet(folder / "catalog.parquet")
    predictions = pl.read_parquet(folder / "predictions.parquet")
    moved = predictions.with_columns(fold=(pl.col("fold") + 1) % 5)
    moved.write_parquet(folder / "validation.parquet")
    one = predictions.filter(backbone=predictions["backbone"][0], transfer="scratch")
    baselines = one.select("image_id", "target", "fold", "repeat", "probability")
    baselines.with_columns(baseline=pl.lit("archive only")).write_parquet(
        folder / "baselines.parquet"
    )
    first, second = catalog["image_id"][0], catalog["image_id"][1]
    pl.DataFrame(
        {"a": [first], "b": [second], "likeness": [0.97], "relation": ["cropped"]}
    ).write_parquet(folder / "near_duplicates.parquet")


@pytest.fixture
def study(run_folder: Path, labels: dict[str, str]) -> ReportContext:
    _complete(run_folder)
    return ReportContext(run=read_run(run_folder), labels=labels, replicates=100)


def test_predictions_line_up_with_cells(study: ReportContext) -> None:
    for key, one in study.predictions.items():
        cells = [c for c in study.run.cells if (c.backbone, c.transfer) == key]
        mean = np.mean([auroc(c.target, c.probability) for c in cells])
        assert study.bootstrapped[key].estimate["auroc"] == pytest.approx(mean, abs=1e-12)
        names = study.column("image_id")[one.photograph]
        target = dict(study.run.catalog.select("image_id", "target").iter_rows())
        assert [target[name] for name in names] == one.target.tolist()


def test_temperatures_come_from_validation_alone(study: ReportContext, run_folder: Path) -> None:
    before = calibrated(study, study.best).probability
    table = pl.read_parquet(run_folder / "validation.parquet")
    sure = table.with_columns(probability=(pl.col("probability") * 0.2 + 0.4))
    sure.write_parquet(run_folder / "validation.parquet")
    again = ReportContext(run=read_run(run_folder), labels=study.labels, replicates=100)
    after = calibrated(again, again.best).probability
    assert not np.allclose(before, after)
    order = np.argsort(before[: (study.predictions[study.best].part == 0).sum()])
    assert np.all(np.diff(after[order]) >= 0)  # a temperature keeps the order within a part


def test_every_section_is_on_the_page(
    study: ReportContext, build_page: Callable[..., Path]
) -> None:
    page = build_page(study.run.path, replicates=100, prevalence=0.02)
    html = page.read_text(encoding="utf-8")
    found = re.findall(r'<section id="([\w-]+)"', html)
    for name in (
        *("intervals", "shortcuts", "leaks", "protocols", "calibration", "decisions"),
        *("subgroups", "checklist"),
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


def test_validation_that_lacks_a_cell_is_refused(study: ReportContext, run_folder: Path) -> None:
    table = pl.read_parquet(run_folder / "validation.parquet")
    table.filter(pl.col("fold") != 0).write_parquet(run_folder / "validation.parquet")
    with pytest.raises(RunError, match="run the same benchmark command again"):
        read_run(run_folder)


def test_leaks_are_counted(study: ReportContext, run_folder: Path) -> None:
    run = study.run
    catalog = run.catalog
    by_hand = catalog.group_by("group_id").agg(pl.col("fold_r0").n_unique() > 1)["fold_r0"].sum()
    assert divided_groups(run) == by_hand
    a, b = catalog["fold_r0"][0], catalog["fold_r0"][1]
    assert crossing_pairs(run).height == int(a != b)
    assert pairs_that_conflict(run) == int(catalog["target"][0] != catalog["target"][1])


def test_the_posters_run_beside(
    study: ReportContext, build_page: Callable[..., Path], tmp_path: Path
) -> None:
    """The same folder under the poster's name: what it prints is the rounded AUROC."""
    import shutil

    other = tmp_path / "poster"
    shutil.copytree(study.run.path, other)
    record = json.loads((other / "run.json").read_text())
    record["configuration"]["protocol"] = "poster"
    (other / "run.json").write_text(json.dumps(record))
    page = build_page(study.run.path, replicates=50, beside=[other])
    numbers = json.loads((page.parent / "evidence.json").read_text())["protocols"]
    assert len(numbers["beside"]) == len(study.predictions)
    for one in numbers["beside"]:
        assert one["printed_auroc"] == pytest.approx(one["corrected"]["estimate"], abs=1e-9)
        assert one["printed"]["estimate"] < one["printed_auroc"]
    alone = build_page(other, replicates=50).read_text(encoding="utf-8")
    assert "Computed as the poster computed it" in alone
    assert "significantly above" not in alone


def test_predictions_of_an_unknown_row_are_refused(study: ReportContext) -> None:
    from melanoscope.errors import StatisticsError

    with pytest.raises(StatisticsError):
        predictions_of(study.run, "vgg16", "image_only")


def test_reliability_at_rates_of_nought_and_one(study: ReportContext) -> None:
    """Found by the demo: a Wilson bound may miss a share of 0 or 1 by a rounding."""
    from melanoscope.report.sections.calibration import _reliability_figure
    from melanoscope.stats.calibration.temperature_scaling import CalibrationBin

    bins = (
        CalibrationBin(0.01, 0.0, 1e-17, 0.2, 20),
        CalibrationBin(0.99, 1.0, 0.8, 1 - 1e-16, 20),
    )
    _reliability_figure([bins, bins], simulated=True)
