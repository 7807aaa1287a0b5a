"""What can be predicted without the photograph."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from melanoscope.benchmark.baselines import ARCHIVE_ONLY, STATIC_ONLY, baseline_predictions
from melanoscope.benchmark.splits import Split
from melanoscope.stats.metrics.classification import auroc


@pytest.fixture
def frame() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    n = 400
    target = rng.random(n) < 0.4
    return pl.DataFrame(
        {
            "image_id": [f"I{i}" for i in range(n)],
            "dataset": np.where(rng.random(n) < np.where(target, 0.8, 0.3), "b", "a"),
            "target": pl.Series(target).cast(pl.Int8),
            "age": np.where(target, 65.0, 40.0),
            "sex": ["male"] * n,
            "site": ["torso"] * n,
        }
    )


def test_rules_learn_from_the_training_part_only(frame: pl.DataFrame) -> None:
    parts = Split(np.arange(250), np.arange(250, 300), np.arange(300, 400))
    found = baseline_predictions(frame, parts)
    assert found.columns == ["image_id", "target", "baseline", "probability"]
    archive = found.filter(baseline=ARCHIVE_ONLY)
    learnt = frame[:300].group_by("dataset").agg(pl.col("target").mean())
    share = dict(learnt.iter_rows())
    assert archive["probability"].to_list() == [share[d] for d in frame["dataset"][300:]]
    static = found.filter(baseline=STATIC_ONLY)
    assert auroc(static["target"].to_numpy(), static["probability"].to_numpy()) == 1.0
    # Other labels in the test part change nothing.
    flipped = frame.with_columns(
        target=pl.when(pl.int_range(pl.len()) >= 300).then(1 - pl.col("target")).otherwise("target")
    )
    again = baseline_predictions(flipped.cast({"target": pl.Int8}), parts)
    assert again["probability"].equals(found["probability"])


def test_an_archive_that_was_not_learnt_from(frame: pl.DataFrame) -> None:
    moved = frame.with_columns(
        dataset=pl.when(pl.int_range(pl.len()) >= 300).then(pl.lit("new")).otherwise("dataset")
    )
    parts = Split(np.arange(250), np.arange(250, 300), np.arange(300, 400))
    found = baseline_predictions(moved, parts).filter(baseline=ARCHIVE_ONLY)
    assert found["probability"].n_unique() == 1
    assert found["probability"][0] == pytest.approx(frame["target"][:300].mean())
