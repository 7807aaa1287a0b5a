"""A benchmark and an evaluation from Python, on simulated lesions."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

import melanoscope
from melanoscope.api.evaluation import OWN_TEST
from melanoscope.inference.bundle import open_bundle


def test_a_benchmark_from_python_is_one_of_the_command(tmp_path: Path):
    options = {"epochs": 1, "image_size": 32, "folds": 2, "cache": tmp_path / "cache"}
    words = ("simulated=200", tmp_path / "run")
    run = melanoscope.run_benchmark(
        *words, backbones="standard_cnn", transfer="scratch", quiet=True, **options
    )
    assert run.models == ["standard_cnn, scratch"]
    assert run.simulated
    assert "Simulated" in run._repr_html_()
    again = melanoscope.read_run(tmp_path / "run")
    assert again.to_polars().equals(run.to_polars())
    assert run.save().is_file()


def test_an_evaluation_stands_beside_the_own_test(small_bundle: Path, tmp_path: Path):
    found = melanoscope.evaluate(
        small_bundle, "simulated=480", replicates=100, cache=tmp_path / "cache", quiet=True
    )
    assert found.models == ["here", OWN_TEST]
    manifest = open_bundle(small_bundle).manifest
    assert found.values[OWN_TEST] == {
        metric: manifest.metrics.get(metric) for metric in ("auroc", "calibration_slope")
    }
    sample = found.results.sample
    assert found.values["here"]["auroc"].estimate == pytest.approx(
        roc_auc_score(sample.target, sample.logit)
    )
    assert found.save(tmp_path / "out").is_file()
