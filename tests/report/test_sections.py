"""The sections of the page on random predictions, and a run of the poster beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.multitest import multipletests

from melanoscope.data.content_hash import file_hash
from melanoscope.errors import RunError
from melanoscope.imaging.decode import write_image
from melanoscope.report.context import ReportContext
from melanoscope.report.figures.poster_figures import figure_2, figure_4
from melanoscope.report.figures.report_figure import ReportFigure
from melanoscope.report.from_run import report_run, result_of
from melanoscope.report.html import render_template
from melanoscope.report.sections.calibration import calibrated_predictions, calibration_section
from melanoscope.report.sections.decisions import decisions_section
from melanoscope.report.sections.leaks import (
    count_conflicting_pairs,
    count_divided_groups,
    crossing_pairs,
)
from melanoscope.report.sections.misses import misses_section
from melanoscope.report.sections.poster_table import poster_table_section
from melanoscope.report.sections.section import Section
from melanoscope.report.sections.subgroups import direction, subgroups_section
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import as_predictions
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.reference.poster_table import published_rows
from tests.conftest import record_all


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
    record_all(folder)


@pytest.fixture
def context(run_folder: Path, labels: dict[str, str]) -> ReportContext:
    _complete(run_folder)
    return ReportContext(run=read_run(run_folder), labels=labels, replicates=100)


def test_predictions_line_up_with_cells(context: ReportContext) -> None:
    for key, one in context.predictions.items():
        cells = [c for c in context.run.cells if (c.backbone, c.transfer) == key]
        mean = np.mean([auroc(c.target, c.probability) for c in cells])
        assert context.bootstrapped[key].estimate["auroc"] == pytest.approx(mean, abs=1e-12)
        names = context.column("image_id")[one.image_index]
        target = dict(context.run.catalog.select("image_id", "target").iter_rows())
        assert [target[name] for name in names] == one.target.tolist()


def test_temperatures_come_from_validation_alone(context: ReportContext, run_folder: Path) -> None:
    before = calibrated_predictions(context, context.best).probability
    table = pl.read_parquet(run_folder / "validation.parquet")
    sure = table.with_columns(probability=(pl.col("probability") * 0.2 + 0.4))
    sure.write_parquet(run_folder / "validation.parquet")
    record_all(run_folder)
    run = read_run(run_folder)
    again = ReportContext(run=run, labels=context.labels, replicates=100)
    after = calibrated_predictions(again, again.best).probability
    assert not np.allclose(before, after)
    order = np.argsort(before[: (context.predictions[context.best].fold_id == 0).sum()])
    assert np.all(np.diff(after[order]) >= 0)  # a temperature keeps the order within a part


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


def test_printed_rows_stand_beside_complete_networks(context: ReportContext) -> None:
    """Each network and transfer beside its own row as printed; frozen backbones have none."""
    rows = {row.label: row for row in poster_table_section(context).numbers}
    assert list(rows) == [
        *("Standard CNN, from scratch", "ResNet-50, from scratch", "VGG-16, from scratch"),
        *("ResNet-50, fine-tuned", "VGG-16, fine-tuned"),
    ]
    row = rows["VGG-16, fine-tuned"]
    assert (row.printed_label, row.note) == ("VGG [30]**", "")
    printed = {metric: (i.low, i.estimate, i.high) for metric, i in row.printed.items()}
    assert printed == {
        "accuracy": pytest.approx((0.956, 0.959, 0.962)),
        "auroc": pytest.approx((0.861, 0.874, 0.887)),
        "auprc": pytest.approx((0.724, 0.740, 0.756)),
        "f1": pytest.approx((0.822, 0.835, 0.848)),
    }
    ours = context.summary.row("vgg16", "finetune").intervals
    assert row.ours == {metric: ours[metric] for metric in printed}
    assert rows["ResNet-50, from scratch"].note == "reference 6 is He et al.: ResNet-50"
    assert rows["ResNet-50, from scratch"].printed["auroc"].estimate == 0.869


def test_unfinished_networks_and_others_have_no_printed_row(context: ReportContext) -> None:
    cells = [c for c in context.run.cells if c.fold != 0 or c.backbone != "vgg16"]
    run = context.run
    unfinished = replace(run, cells=tuple(cells))
    rows = poster_table_section(replace(context, run=unfinished)).numbers
    assert not [row for row in rows if row.label.startswith("VGG")]
    frozen = [c for c in run.cells if c.transfer == "frozen"]
    planned = [key for key in run.planned if key[1] == "frozen"]
    others = replace(run, cells=tuple(frozen), planned=tuple(planned))
    assert poster_table_section(replace(context, run=others)) is None


def test_validation_that_lacks_a_cell_is_refused(context: ReportContext, run_folder: Path) -> None:
    table = pl.read_parquet(run_folder / "validation.parquet")
    table.filter(pl.col("fold") != 0).write_parquet(run_folder / "validation.parquet")
    with pytest.raises(RunError, match="run the same benchmark command again"):
        read_run(run_folder)


def test_leaks_are_counted(context: ReportContext, run_folder: Path) -> None:
    run = context.run
    catalog = run.catalog
    by_hand = catalog.group_by("group_id").agg(pl.col("fold_r0").n_unique() > 1)["fold_r0"].sum()
    assert count_divided_groups(run) == by_hand
    a, b = catalog["fold_r0"][0], catalog["fold_r0"][1]
    assert crossing_pairs(run).height == int(a != b)
    assert count_conflicting_pairs(run) == int(catalog["target"][0] != catalog["target"][1])


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


def test_no_predictions_are_refused(context: ReportContext) -> None:
    from melanoscope.errors import StatisticsError

    with pytest.raises(StatisticsError):
        as_predictions(context.run, context.run.predictions.filter(backbone="no such"))


def test_without_a_calibration_curve_the_section_says_why(context: ReportContext) -> None:
    """Classes that are apart have no curve and no slope; the other numbers stand."""
    best = context.best
    one = context.predictions[best]
    apart = one.with_probability(np.where(one.target == 1, 0.8, 0.1))
    context.predictions[best] = apart
    section = calibration_section(context)
    shown = section.numbers["calibration"]
    assert shown.before["calibration_slope"] is None
    assert shown.before["calibration_error"] is not None
    assert shown.distance_before == {}
    assert len(shown.missing) == len(set(shown.missing)) >= 1
    assert "perfect separation" in " ".join(shown.missing)
    assert "perfect separation" in section.numbers["curve_before"]


def _write_photographs(context: ReportContext, folder: Path) -> ReportContext:
    folder.mkdir()
    paths = []
    for i, image_id in enumerate(context.run.catalog["image_id"]):
        write_image(folder / f"{image_id}.png", np.full((8, 8, 3), i % 256, np.uint8))
        paths.append(str(folder / f"{image_id}.png"))
    catalog = context.run.catalog.with_columns(
        path=pl.Series(paths), content=pl.Series([file_hash(path) for path in paths])
    )
    return replace(context, run=replace(context.run, catalog=catalog))


def test_misses_are_the_extremes_of_each_class(context: ReportContext, tmp_path: Path) -> None:
    gone = misses_section(context)
    assert "no file" in gone.missing
    assert not gone.figures
    section = misses_section(_write_photographs(context, tmp_path / "photographs"))
    rows = context.run.predictions.filter(backbone=context.best[0], transfer=context.best[1]).sort(
        "probability"
    )
    missed = rows.filter(target=1).head(6).select("image_id", "probability").to_dicts()
    alarms = rows.filter(target=0).tail(6).reverse().select("image_id", "probability").to_dicts()
    assert section.numbers["missed_positives"] == missed
    assert section.numbers["false_alarms"] == alarms


def test_only_photographs_of_the_run_are_shown(context: ReportContext, tmp_path: Path) -> None:
    """A stranger's catalog names whatever lies on the reader's machine."""
    context = _write_photographs(context, tmp_path / "photographs")
    mine = tmp_path / "mine.png"
    write_image(mine, np.full((8, 8, 3), 200, np.uint8))
    for other in ({"path": pl.lit(str(mine))}, {"content": pl.lit(None, pl.String)}):
        catalog = context.run.catalog.with_columns(**other)
        strange = replace(context, run=replace(context.run, catalog=catalog))
        for found in (misses_section(strange).missing, figure_2(strange.run)):
            assert "another file under the name of one" in found
        assert isinstance(figure_4(strange), str)
    assert isinstance(figure_2(context.run), ReportFigure)


def test_fewer_melanomas_than_panels_are_not_filled_up_with_others(
    tmp_path: Path, labels: dict[str, str], writer
) -> None:
    folder = writer(tmp_path / "few", {("vgg16", "scratch"): 1.0}, folds=2, photographs=25)
    run = read_run(folder)
    context = ReportContext(run=run, labels=labels, replicates=50)
    section = misses_section(_write_photographs(context, tmp_path / "photographs"))
    melanomas = set(run.catalog.filter(target=1)["image_id"])
    missed = [miss["image_id"] for miss in section.numbers["missed_positives"]]
    assert len(missed) == len(melanomas) == 5
    assert set(missed) == melanomas
    assert len(section.numbers["false_alarms"]) == 6


def test_a_useful_run_with_holes_is_said_run_by_run(context: ReportContext) -> None:
    """Min and max of the risks once spanned the holes between them."""
    section = decisions_section(context)
    runs = [(0.02, 0.024), (0.004, 0.01), (0.05, 0.05)]
    numbers = section.numbers | {"useful_runs": runs, "prevalence": 0.022}
    words = _rendered(context, replace(section, content=numbers))
    assert (
        "lower bound included, at risks from 2.0 % to 2.4 % (which hold the prevalence), from "
        "0.4 % to 1.0 % and of 5.0 %, and nowhere else between 0.2 % and 20.0 %."
    ) in words
    none = _rendered(context, replace(section, content=numbers | {"useful_runs": []}))
    assert "At no risk threshold between 0.2 % and 20.0 %" in none


def test_the_guaranteed_sensitivity_is_said(context: ReportContext) -> None:
    """12 melanomas a validation part cannot guarantee 95 %."""
    section = decisions_section(context)
    least = section.numbers["guaranteed_sensitivity"]
    assert 0.5 < least < 0.95
    assert section.numbers["points"][0].name == f"Sensitivity, at least {int(100 * least)} %"
    words = _rendered(context, section)
    assert "guaranteed in the fold that knows least" in words
    assert "Korn & Graubard 1998" in words
    factor = 1 + 4 * 60 / (60 + _n_train(context))
    assert section.numbers["widening"] == pytest.approx(factor)


def _n_train(context: ReportContext) -> float:
    return context.summary.row(*context.best).n_train


def test_subgroups_are_one_family_and_say_their_direction(context: ReportContext) -> None:
    section = subgroups_section(context)
    tested = [d for v in section.numbers["variables"] for d in v.differences]
    assert section.numbers["tests"] == len(tested)
    by_variable = {v.name: len(v.differences) for v in section.numbers["variables"]}
    assert by_variable["Sex"] == 2  # one hypothesis for AUROC, one for sensitivity
    adjusted = multipletests([d.p_value for d in tested], method="holm")[1]
    assert [d.p_holm for d in tested] == pytest.approx(adjusted)
    assert f"{len(tested)} hypotheses were tested" in _rendered(context, section)
    age = replace(
        tested[0],
        variable="Age",
        level="30 to 49",
        metric="auroc",
        difference=replace(tested[0].difference, estimate=-0.1, low=-0.2, high=-0.05),
        p_holm=0.0004,
    )
    assert direction(age) == "lower AUROC at ages 30 to 49"
    found = {"words": direction(age), "difference": age}
    words = _rendered(context, replace(section, content=section.content | {"significant": [found]}))
    assert "1 is significant: lower AUROC at ages 30 to 49 (−0.100, −0.200 to −0.050" in words  # noqa: RUF001
    assert "p < 0.001" in words


def _rendered(context: ReportContext, section: Section) -> str:
    html = render_template(
        section.template,
        {"content": section.content, "section": section, "target": context.run.target},
    )
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).replace("\xa0", " ").split())


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


def test_the_order_of_the_posters_table_is_said(context: ReportContext) -> None:
    """It goes by accuracy and F1, and neither is the order of AUROC."""
    for letter in "ab":
        rows = [row for row in published_rows() if row.table == letter]
        for metric in ("accuracy", "f1"):
            printed = [getattr(row, metric).estimate for row in rows]
            assert printed == sorted(printed)
    area = [row.auroc.estimate for row in published_rows() if row.table == "a"]
    assert area != sorted(area)
    words = _rendered(context, poster_table_section(context))
    assert "orders each part of its Table 1 by accuracy and F1" in words
    assert "go from worst to best AUROC" in words
