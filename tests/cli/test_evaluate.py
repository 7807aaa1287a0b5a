"""melanoscope evaluate, from a run or a bundle to the page."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.data.sources import parse_spec
from melanoscope.errors import BundleError
from melanoscope.inference.bundle import open_bundle
from melanoscope.training.config import TrainConfig

from .conftest import Call

PLAN = BenchmarkConfig(
    data=(parse_spec("simulated=240"),),
    backbones=("standard_cnn",),
    transfer=("scratch",),
    folds=2,
    image_size=32,
    train=TrainConfig(epochs=2, batch_size=32),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on simulated lesions, with its cache beside it."""
    from melanoscope.benchmark.run import run_benchmark
    from melanoscope.progress import RunProgress

    folder = tmp_path_factory.mktemp("evaluated")
    run_benchmark(PLAN, folder / "run", folder / "cache", RunProgress(quiet=True))
    return folder / "run"


@pytest.fixture(scope="module")
def own(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's network, evaluated on the archive that it was developed on."""
    from melanoscope.cli.evaluate import evaluate

    out = tmp_path_factory.mktemp("own") / "out"

    def refuse(*_: object) -> None:
        raise BundleError("a gradient graph", "none in this test", "none")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("melanoscope.export.bundle_writer.export_gradient", refuse)
        data = ["simulated=240"]
        evaluate(run, data=data, out=out, replicates=100, cache=run.parent / "cache")
    return out


def test_on_its_own_archive_a_network_has_its_own_result(own: Path) -> None:
    """What it learned from is left out, and what is left is its own test, to the last digit."""
    manifest = open_bundle(own / "bundle").manifest
    document = json.loads((own / "evaluation.json").read_text())
    assert document["photographs"] == manifest.heldout.photographs
    assert document["overlap"]["held_out"] == manifest.heldout.photographs
    assert document["overlap"]["left_out"] == 240 - manifest.heldout.photographs
    auroc = document["carried"]["auroc"]
    assert auroc["external"]["estimate"] == pytest.approx(auroc["internal"]["estimate"], abs=1e-9)
    for threshold in document["thresholds"]:
        for metric in ("sensitivity", "specificity", "ppv", "npv"):
            internal, external = threshold["internal"][metric], threshold["external"][metric]
            assert (internal is None) == (external is None)
            if internal is not None:
                assert external["estimate"] == pytest.approx(internal["estimate"])
                assert external["low"] == pytest.approx(internal["low"])


def test_the_page_says_what_it_rests_on(own: Path) -> None:
    page = (own / "index.html").read_text()
    assert "Simulated lesions: this says nothing about skin." in page
    assert "photographs were left out" in page
    assert "Refused and unreadable ones called negative" in page
    assert all((own / f"{name}.svg").is_file() for name in ("roc", "calibration"))


def test_the_report_of_the_run_tells_it(own: Path, run: Path, call: Call) -> None:
    status, text, err = call("report", run, "--external", own, "--replicates", "100", "--json")
    assert status == 0, err
    found = json.loads((own / "evaluation.json").read_text())
    (mine,) = json.loads(text)["evidence"]["external"]
    assert mine["photographs"] == found["photographs"]
    assert mine["external"] == found["carried"]["auroc"]["external"]
    page = (run / "report" / "index.html").read_text()
    assert "Another archive" in page
    assert "which no network was trained on." in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"development": "00" * 32}, "other photographs"),
        ({"carried": {}}, "auroc"),
        ({"carried": {"auroc": {"internal": {}, "external": {}, "change": {}}}}, "estimate"),
    ],
)
def test_an_evaluation_of_something_else_is_refused(
    own: Path, run: Path, call: Call, tmp_path: Path, change: dict, said: str
) -> None:
    content = json.loads((own / "evaluation.json").read_text())
    (tmp_path / "evaluation.json").write_text(json.dumps(content | change))
    status, _, err = call("report", run, "--external", tmp_path, "--replicates", "100")
    assert (status, err.count("\n")) == (1, 1)
    assert said in err


def test_predictions_can_be_compared(own: Path, call: Call, tmp_path: Path) -> None:
    answers = pl.read_csv(own / "predictions.csv")
    assert answers.height == 240
    words = ("compare", own / "predictions.csv", "--positive", "1", "--replicates", "100")
    status, text, err = call(*words, "--out", tmp_path / "out", "--json")
    assert status == 0, err
    assert json.loads(text)["photographs"] == 240


def test_a_bundle_on_other_photographs_needs_no_run(own: Path, call: Call, tmp_path: Path) -> None:
    words = ("evaluate", own / "bundle", "--data", "simulated=300", "--replicates", "100")
    status, text, err = call(*words, "--out", tmp_path / "out", "--json")
    assert status == 0, err
    document = json.loads(text)
    assert document == json.loads((tmp_path / "out" / "evaluation.json").read_text())
    overlap = document["overlap"]
    assert (
        document["photographs"]
        == 300 - overlap["left_out"]
        == document["gate"]["ways"][0]["photographs"]
    )
    assert overlap["near_duplicates"] is None


def test_nothing_left_is_said(own: Path, call: Call, tmp_path: Path) -> None:
    """An archive of the training's photographs alone is refused."""
    rows = pl.read_csv(own / "predictions.csv")
    with_all = {"photograph": "image", "label": "target"}
    table = rows.select("image_id", **{new: old for old, new in with_all.items()})
    document = json.loads((own / "evaluation.json").read_text())
    assert document["overlap"]["left_out"] > 0
    table.head(0).write_csv(tmp_path / "none.csv")
    status, _, err = call(
        *("evaluate", own / "bundle", "--data", f"table={tmp_path / 'none.csv'}"),
        *("--out", tmp_path / "out"),
    )
    assert status == 1
    assert err.count("\n") == 1
