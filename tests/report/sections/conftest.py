"""The sections of the page, on random predictions of a small run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.report.context import ReportContext
from melanoscope.runs.reader import read_run
from tests.conftest import record_all


def complete(folder: Path, *, seed: int = 0) -> None:
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
    complete(run_folder)
    return ReportContext(run=read_run(run_folder), labels=labels, replicates=100)
