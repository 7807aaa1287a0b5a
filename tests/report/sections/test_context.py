"""What every section takes its numbers from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from melanoscope.errors import RunError
from melanoscope.report.context import ReportContext
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import as_predictions
from melanoscope.stats.metrics.classification import auroc


def test_predictions_line_up_with_cells(context: ReportContext) -> None:
    for key, one in context.predictions.items():
        cells = [c for c in context.run.cells if (c.backbone, c.transfer) == key]
        mean = np.mean([auroc(c.target, c.probability) for c in cells])
        assert context.bootstrapped[key].estimate["auroc"] == pytest.approx(mean, abs=1e-12)
        names = context.column("image_id")[one.image_index]
        target = dict(context.run.catalog.select("image_id", "target").iter_rows())
        assert [target[name] for name in names] == one.target.tolist()


def test_validation_that_lacks_a_cell_is_refused(context: ReportContext, run_folder: Path) -> None:
    table = pl.read_parquet(run_folder / "validation.parquet")
    table.filter(pl.col("fold") != 0).write_parquet(run_folder / "validation.parquet")
    with pytest.raises(RunError, match="run the same benchmark command again"):
        read_run(run_folder)


def test_no_predictions_are_refused(context: ReportContext) -> None:
    from melanoscope.errors import StatisticsError

    with pytest.raises(StatisticsError):
        as_predictions(context.run, context.run.predictions.filter(backbone="no such"))
