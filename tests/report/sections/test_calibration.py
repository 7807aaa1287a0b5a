"""Calibration: temperatures, and classes that are apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.calibration import calibrated_predictions, calibration_section
from melanoscope.runs.reader import read_run
from tests.conftest import record_all


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
