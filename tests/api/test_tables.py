"""Results as tables: what they hold is what the commands write."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

import melanoscope
from melanoscope.api.result_table import ResultTable
from melanoscope.errors import MelanoscopeError
from melanoscope.report.from_run import report_run, result_of
from melanoscope.stats.intervals.interval import Interval

SKILL = {("resnet50", "scratch"): 0.6, ("resnet50", "finetune"): 2.2}


@pytest.fixture(autouse=True)
def _no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    mpl.use("Agg")


def interval(estimate: float) -> Interval:
    return Interval(
        estimate=estimate,
        low=estimate - 0.1,
        high=estimate + 0.1,
        standard_error=0.05,
        n=30,
        method="made up",
        unit="groups",
    )


TABLE = ResultTable(
    title="<b>what</b>",
    values={"$one$<i>": {"auroc": interval(0.8), "f1": None}, "two": {"auroc": interval(0.7)}},
)


def test_polars_has_a_row_for_each_model_and_metric():
    table = TABLE.to_polars()
    assert table.columns[:5] == ["model", "metric", "estimate", "low", "high"]
    assert table.select("model", "metric", "estimate").rows() == [
        ("$one$<i>", "auroc", 0.8),
        ("$one$<i>", "f1", None),
        ("two", "auroc", 0.7),
    ]


def test_pandas_has_what_polars_has():
    pandas = pytest.importorskip("pandas")
    frame = TABLE.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == TABLE.to_polars().columns
    assert frame["estimate"].iloc[0] == 0.8
    assert frame["estimate"].isna().to_list() == [False, True, False]


def test_a_notebook_gets_html_with_nothing_of_a_name_in_it():
    html = TABLE._repr_html_()
    assert "&lt;b&gt;what&lt;/b&gt;" in html
    assert "<i>" not in html
    assert "0.800 (0.700 to 0.900)" in html
    assert "not a medical device" in html


def test_a_figure_is_drawn_on_axes_made_or_given():
    axes = TABLE.plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["$one$<i>", "two"]
    lines = [line.get_xdata() for line in axes.lines]
    assert [list(map(float, np.atleast_1d(one))) for one in lines[:2]] == [
        pytest.approx([0.7, 0.9]),
        [0.8],
    ]
    axes.figure.canvas.draw()  # a formula in a name would fail here
    assert TABLE.plot("f1", ax=axes) is axes
    with pytest.raises(MelanoscopeError, match="auroc"):
        TABLE.plot("aurok")


@pytest.fixture(scope="module")
def folder(writer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return writer(tmp_path_factory.mktemp("api") / "run", SKILL, folds=3, photographs=150)


def test_a_run_is_what_its_report_says(folder: Path):
    run = melanoscope.read_run(folder, replicates=200)
    assert run.models == ["resnet50, finetune", "resnet50, scratch"]
    assert run.metrics[0] == "auroc"
    document = result_of(report_run(folder, replicates=200))
    for row in document["rows"]:
        mine = run.values[f"{row['backbone']}, {row['transfer']}"]
        for metric, wanted in row["metrics"].items():
            assert mine[metric].estimate == wanted["estimate"]
            assert (mine[metric].low, mine[metric].high) == (wanted["low"], wanted["high"])
    assert run.predictions.height == 2 * 150


def test_a_comparison_is_what_the_command_writes(tmp_path: Path):
    rng = np.random.default_rng(0)
    target = np.arange(120) % 2
    files = []
    for name, skill in (("one", 1.0), ("two", 3.0)):
        p = 1 / (1 + np.exp(-skill * (target - 0.5) - rng.normal(size=120)))
        rows = [f"i{i},{x:.6f},{t}" for i, (x, t) in enumerate(zip(p, target, strict=True))]
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text("\n".join(["image_id,probability,target", *rows]))
    comparison = melanoscope.compare(files, positive="1", replicates=100)
    page = comparison.save(tmp_path / "out")
    document = json.loads((page.parent / "comparison.json").read_text())
    for model in document["models"]:
        for metric, wanted in model["metrics"].items():
            mine = comparison.values[model["label"]][metric]
            assert (mine and mine.to_dict()) == wanted
    (pair,) = comparison.pairs().rows(named=True)
    wanted = document["pairs"]["auroc"][0]
    assert (pair["a"], pair["b"]) == (wanted["a"], wanted["b"])
    assert pair["difference"] == wanted["difference"]["estimate"]
    assert pair["p_holm"] == wanted["p_holm"]


def test_what_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'comparee'"):
        melanoscope.comparee  # noqa: B018
    assert {"compare", "evaluate", "load", "read_run", "run_benchmark"} <= set(dir(melanoscope))
