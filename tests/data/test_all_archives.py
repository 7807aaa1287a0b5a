"""Each archive, drawn in its published layout, through reading, summary, folds and a tiny run."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from melanoscope.benchmark.config import BenchmarkConfig
from melanoscope.benchmark.run import run_benchmark
from melanoscope.data.archive import ReadOptions, SourceTable
from melanoscope.data.catalog import build_catalog
from melanoscope.data.folds import assign_folds
from melanoscope.data.sources import ARCHIVES, DataSpec, find_archives, read_sources
from melanoscope.data.summary import find_unreadable, summarize
from melanoscope.data.targets import parse_target
from melanoscope.progress import RunProgress
from melanoscope.training.config import TrainConfig

from .drawn_archives import DRAWN, Drawn

KINDS = sorted(DRAWN)
# Only melanomas: nothing to divide or to learn. Ours is drawn, and tested by itself.
TRAINABLE = [kind for kind in KINDS if kind not in ("isic2019-melanoma", "simulated")]


@pytest.fixture(scope="module")
def spec(request, tmp_path_factory, draw) -> DataSpec:
    drawn: Drawn = DRAWN[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    drawn.make(folder, draw)
    return DataSpec(request.param, drawn.path if drawn.path != "." else str(folder))


def read(spec: DataSpec, cache: Path) -> SourceTable:
    return read_sources([spec], ReadOptions(cache))[0]


def test_every_archive_is_drawn():
    assert set(DRAWN) == set(ARCHIVES)


@pytest.mark.parametrize("spec", KINDS, indirect=True)
def test_reading_and_summary(spec, tmp_path):
    drawn, source = DRAWN[spec.kind], read(spec, tmp_path)
    assert source.kind == spec.kind
    assert source.rows.height == drawn.rows
    rows = {row["image_id"]: row for row in source.rows.to_dicts()}
    for name, about in drawn.about.items():
        assert {key: rows[name][key] for key in about} == about
    assert all(any(part in note for note in source.notes) for part in drawn.said)
    catalog = build_catalog([source])
    summary = summarize(catalog, find_unreadable(catalog))
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["unreadable"] == []
    if spec.kind == "simulated":
        return
    assert summary["positives"] == drawn.melanomas
    assert summary["absent"] == (1 if spec.kind == "fitzpatrick17k" else 0)
    n_left_out = len(summary["unlabelled"])
    assert n_left_out == (1 if spec.kind == "fitzpatrick17k" else 0)
    assert catalog.frame["group_id"].n_unique() == drawn.groups - n_left_out


@pytest.mark.parametrize("spec", TRAINABLE, indirect=True)
def test_malignancy_is_asked(spec, tmp_path):
    drawn, source = DRAWN[spec.kind], read(spec, tmp_path)
    catalog = build_catalog([source], parse_target("malignant"))
    assert catalog.frame["target"].sum() == drawn.malignant
    counted = build_catalog([source], parse_target("malignant", "malignant"))
    assert counted.frame["target"].sum() == drawn.malignant + drawn.indeterminate


@pytest.mark.parametrize("spec", TRAINABLE, indirect=True)
def test_folds_keep_groups_whole(spec, tmp_path):
    frame = build_catalog([read(spec, tmp_path)]).frame
    folds = assign_folds(frame["group_id"].to_list(), frame["target"].to_numpy(), 2, seed=0)
    frame = frame.with_columns(fold=pl.Series(folds))
    assert frame.group_by("group_id").agg(pl.col("fold").n_unique())["fold"].max() == 1
    assert frame.group_by("fold").agg(pl.col("target").n_unique())["target"].to_list() == [2, 2]


@pytest.mark.parametrize("spec", TRAINABLE, indirect=True)
def test_a_tiny_run(spec, tmp_path):
    config = BenchmarkConfig(
        (spec,),
        ("standard_cnn",),
        ("scratch",),
        folds=2,
        image_size=32,
        train=TrainConfig(epochs=1, batch_size=16),
    )
    run_benchmark(config, tmp_path / "run", tmp_path / "cache", RunProgress(quiet=True))
    predictions = pl.read_parquet(tmp_path / "run" / "predictions.parquet")
    n_lacking = 2 if spec.kind == "fitzpatrick17k" else 0
    assert predictions["image_id"].n_unique() == DRAWN[spec.kind].rows - n_lacking
    assert predictions["probability"].is_between(0, 1).all()


@pytest.mark.parametrize("spec", KINDS, indirect=True)
def test_archives_are_recognised_by_their_tables(spec):
    if ARCHIVES[spec.kind].table_names:
        assert spec.kind in [found.kind for found in find_archives(Path(spec.path))]


@pytest.mark.parametrize("kind", KINDS)
def test_what_leaks_is_never_read(kind):
    archive = ARCHIVES[kind]
    assert not set(archive.leaks) & set(archive.columns)
