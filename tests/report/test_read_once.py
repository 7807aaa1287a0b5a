"""One command reads a run once and summarizes it once."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

import melanoscope.benchmark.photo_checks  # noqa: F401 - its own files are not those of a run
from melanoscope.benchmark import demo
from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.cli.app import app
from melanoscope.data.sources import parse_spec
from melanoscope.runs import files
from melanoscope.stats import summary
from melanoscope.training.config import TrainConfig

TINY = (
    *("--data", "simulated=60", "--backbones", "standard_cnn", "--transfer", "scratch"),
    *("--folds", "2", "--epochs", "1", "--size", "32", "--batch-size", "16"),
)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the reading of each file of a run, and the summaries."""
    counts: Counter[str] = Counter()
    read_json, read_table, whole = files.read_json, files.read_table, summary.Summary

    def json_file(path: Path) -> object:
        counts[path.name] += 1
        return read_json(path)

    def table(path: Path, columns: files.Schema) -> object:
        counts[path.name] += 1
        return read_table(path, columns)

    def summarized(*args: object, **named: object) -> object:
        counts["summary"] += 1
        return whole(*args, **named)

    monkeypatch.setattr(files, "read_json", json_file)
    monkeypatch.setattr(files, "read_table", table)
    monkeypatch.setattr(summary, "Summary", summarized)
    return counts


def call(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return json.loads(result.stdout)


def test_benchmark_and_report(
    counted: Counter[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cache = str(tmp_path / "run"), str(tmp_path / "cache")
    once = Counter(
        {
            **dict.fromkeys(("run.json", "catalog.parquet", "near_duplicates.parquet"), 1),
            **dict.fromkeys(("baselines.parquet", "predictions.parquet"), 1),
            "validation.parquet": 1,
            "summary": 1,
            "done.json": 2,
        }
    )
    # By the writer, of each cell: its record, before its own two tables are joined with the others.
    cells = ("done.json", "validation.parquet", "predictions.parquet")
    checked = Counter(dict.fromkeys(cells, 2))
    first = call("benchmark", *TINY, "--out", run, "--cache", cache, "--json")
    assert counted == once + checked
    counted.clear()
    again = call("report", run, "--json")
    assert counted == once
    assert again == first
    poster = str(tmp_path / "poster")
    call("benchmark", *TINY, "--protocol", "poster", "--out", poster, "--cache", cache, "--json")
    counted.clear()
    call("report", run, "--beside", poster, "--json")
    assert counted == once + once

    config = BenchmarkConfig(
        data=(parse_spec("simulated=60"),),
        backbones=("standard_cnn",),
        transfer=("scratch",),
        folds=2,
        image_size=32,
        train=TrainConfig(epochs=1, batch_size=16),
    )
    monkeypatch.setattr(demo, "demo_config", lambda *_: config)
    counted.clear()
    call("demo", "--out", str(tmp_path / "demo"), "--cache", cache, "--json")
    assert counted == once + checked
