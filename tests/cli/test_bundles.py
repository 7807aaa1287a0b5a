"""melanoscope train and export, as people call and miscall them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import polars as pl
import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.cli import bundles
from melanoscope.data.sources import parse_spec
from melanoscope.errors import BundleError
from melanoscope.export.trained_model import choose_cell
from melanoscope.inference.bundle import open_bundle
from melanoscope.runs.reader import read_run
from melanoscope.target import MALIGNANT, custom_target
from melanoscope.training.config import TrainConfig
from tests.conftest import record_all
from tests.targets import strays

from .conftest import Call

DATA = ("--data", "simulated=240")


PLAN = BenchmarkConfig(
    data=(parse_spec("simulated=240"),),
    backbones=("standard_cnn", "squeezenet1_1"),
    transfer=("scratch",),
    folds=2,
    image_size=32,
    train=TrainConfig(epochs=1, batch_size=32),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run of two networks on simulated lesions."""
    from melanoscope.benchmark.run import run_benchmark
    from melanoscope.progress import RunProgress

    folder = tmp_path_factory.mktemp("finished")
    run_benchmark(PLAN, folder / "run", folder / "cache", RunProgress(quiet=True))
    return folder


@pytest.fixture
def without_gradient(monkeypatch):
    """Leave the gradient's graph out, whose export takes longer than all else together."""

    def refuse(*_):
        raise BundleError("a gradient graph", "none in this test", "none")

    monkeypatch.setattr("melanoscope.export.bundle_writer.export_gradient", refuse)


def test_the_best_network_of_a_run_is_exported_and_answers(
    call: Call, finished, simulated_photograph, tmp_path
):
    out = tmp_path / "bundle"
    words = ("export", finished / "run", "--best", "--out", out, "--cache", finished / "cache")
    status, printed, err = call(*words, "--no-int8", "--json")
    assert status == 0, err
    manifest = open_bundle(out).manifest
    assert json.loads(printed)["seal"] == manifest.seal
    chosen = manifest.training.selection
    assert (chosen.among, chosen.by) == (2, "highest mean AUROC over the folds")
    best = max(
        read_run(finished / "run").cells,
        key=lambda cell: (
            choose_cell(read_run(finished / "run"), backbone=cell.backbone, transfer=cell.transfer)[
                1
            ].auroc.estimate
        ),
    )
    assert manifest.network.backbone == best.backbone
    assert json.loads(printed)["graphs"]["int8"] == {"why": "not asked for"}
    status, answered, _ = call("predict", out, simulated_photograph, "--json", "--force")
    assert status == 0
    assert json.loads(answered)["answers"][0]["simulated"]


@pytest.mark.parametrize("name", ["predictions.parquet", "validation.parquet"])
def test_a_run_that_was_divided_otherwise_is_not_exported(call: Call, finished, tmp_path, name):
    # The network may have learnt from what it would be tested on.
    run = shutil.copytree(finished / "run", tmp_path / "run")
    table = pl.read_parquet(run / name)
    tested = [
        table.filter(pl.col("fold") == fold, pl.col("target") == 0)["image_id"] for fold in (0, 1)
    ]
    one = next(i for i in tested[0] if i not in set(tested[1]))
    other = next(i for i in tested[1] if i not in set(tested[0]))
    swapped = pl.col("image_id").replace({one: other, other: one})
    table.with_columns(swapped).write_parquet(run / name)
    record_all(run)
    words = ("export", run, "--best", "--out", tmp_path / "bundle", "--cache", finished / "cache")
    status, printed, err = call(*words)
    assert (status, printed) == (1, "")
    assert "the held-out photographs" in err.splitlines()[-1]
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--backbone", "resnet5"), "a network with all its folds"),
        (("--backbone", "standard_cnn", "--fold", "7"), "a fold of the run"),
        (("--best", "--data", "simulated=120"), "the photographs of the run"),
        (("--best", "--data", "simulatd=120"), "nearest: simulated"),
        (("--best", "--prevalence", "5"), "a prevalence between 0 and 1"),
    ],
)
def test_what_cannot_be_exported_is_one_line(call: Call, finished, tmp_path, options, hint):
    out = tmp_path / "bundle"
    words = ("export", finished / "run", "--out", out, "--cache", finished / "cache")
    status, printed, err = call(*words, *options)
    assert (status, printed) == (1, "")
    assert hint in err.splitlines()[-1]
    assert not out.exists()


def test_a_bundle_of_an_own_grouping_learns_and_says_that_grouping(
    call: Call, finished, without_gradient, tmp_path, monkeypatch
):
    out = tmp_path / "bundle"
    words = ("--backbone", "standard_cnn", "--transfer", "scratch", "--size", 32, "--epochs", 1)
    target = ("--target", "keratosis=benign keratosis", "--no-int8")
    command = ("train", *DATA, *words, *target, "--cache", finished / "cache", "--out", out)
    with monkeypatch.context() as patch:
        patch.setattr(bundles.shutil, "rmtree", lambda *_, **__: None)  # as a kill leaves it
        status, printed, err = call(*command)
    assert status == 0, err
    left, fingerprint = tmp_path / "bundle.training", open_bundle(out).fingerprint
    assert left.is_dir()
    assert call(*command, "--seed", 5)[0] == 1  # another training does not take it for its own
    status, again, _ = call(*command)
    assert (status, again) == (0, printed)
    assert not left.exists()
    assert open_bundle(out).fingerprint == fingerprint
    assert strays(printed + err) == []
    manifest = open_bundle(out).manifest
    assert manifest.target == custom_target("keratosis", ("benign keratosis",))
    counts = {one.diagnosis: one for one in manifest.data.diagnoses}
    assert {name for name, one in counts.items() if one.positive} == {"benign keratosis"}
    assert manifest.data.positives == counts["benign keratosis"].photographs > 0
    assert f"{manifest.heldout.positives} lesions of keratosis" in printed


def test_export_takes_the_target_of_the_run(call: Call, finished, without_gradient, tmp_path):
    from melanoscope.benchmark.run import run_benchmark
    from melanoscope.progress import RunProgress

    run, out, cache = tmp_path / "run", tmp_path / "bundle", finished / "cache"
    target = replace(MALIGNANT, indeterminate="malignant")
    plan = replace(PLAN, backbones=("standard_cnn",), target=target)
    run_benchmark(plan, run, cache, RunProgress(quiet=True))
    words = ("--best", "--no-int8", "--json", "--out", out, "--cache", cache)
    status, printed, err = call("export", run, *words)
    assert status == 0, err
    manifest = open_bundle(out).manifest
    assert manifest.target == replace(MALIGNANT, indeterminate="malignant")
    assert json.loads(printed)["target"] == manifest.target.to_dict()
    assert manifest.prevalence_note


def test_export_wants_to_know_which(call: Call, finished, tmp_path):
    out = ("--out", tmp_path / "bundle")
    assert call("export", finished / "run", *out)[0] == 2
    assert call("export", finished / "run", *out, "--best", "--backbone", "vgg16")[0] == 2


def test_no_run_is_one_line(call: Call, tmp_path):
    status, _, err = call("export", tmp_path, "--best", "--out", tmp_path / "bundle")
    assert (status, err.count("\n")) == (1, 1)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--backbone", "mobilenet_v22"), "nearest: mobilenet_v2"),
        (("--backbone", "vgg16,resnet50"), "one backbone and one transfer"),
        (("--backbone", "vgg16", "--transfer", "finetun"), "nearest: finetune"),
        (("--backbone", "standard_cnn", "--transfer", "finetune"), "which has none"),
        (("--backbone", "standard_cnn", "--transfer", "scratch", "--size", "8"), "at least 32 px"),
        (("--backbone", "vgg16", "--prevalence", "5"), "a prevalence between 0 and 1"),
        (("--backbone", "vgg16", "--target", "malign"), "--target melanoma, malignant or NAME="),
        (("--backbone", "vgg16", "--indeterminate", "malignant"), "only with --target malignant"),
        (("--backbone", "vgg16", "--target", "mine=nevuss"), "nearest: nevus"),
    ],
)
def test_what_cannot_be_trained_is_one_line(call: Call, tmp_path, options, hint):
    status, printed, err = call("train", *DATA, "--out", tmp_path / "bundle", *options)
    assert (status, printed, err.count("\n")) == (1, "", 1)
    assert hint in err
    assert not list(tmp_path.glob("bundle*"))


def test_a_place_that_is_taken_is_refused_before_training(call: Call, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "mine").write_text("x")
    words = ("train", *DATA, "--backbone", "standard_cnn", "--transfer", "scratch")
    status, _, err = call(*words, "--out", tmp_path / "bundle")
    assert (status, err.count("\n")) == (1, 1)
    assert "a new or empty folder" in err
