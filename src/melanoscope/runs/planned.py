"""What a run was to do, from its run.json: which rows and cells its predictions may be of."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from melanoscope.errors import RunError
from melanoscope.runs.cell import RowKey
from melanoscope.runs.record_schema import Configuration, RunRecord


def planned_rows(record: RunRecord) -> tuple[RowKey, ...]:
    """Return every row of the tables that run.json, `record`, plans, without the skipped ones."""
    configuration = record.configuration
    skipped = {(entry.backbone, entry.transfer) for entry in record.skipped}
    rows = [(b, t) for t in configuration.transfer for b in configuration.backbones]
    return tuple(row for row in rows if row not in skipped)


def refuse_unplanned(
    predictions: pl.DataFrame, planned: Sequence[RowKey], configuration: Configuration
) -> None:
    """Refuse other networks before a file of theirs is looked for: names may hold paths."""
    there = predictions.select("backbone", "transfer").unique().sort("backbone", "transfer")
    strangers = [row for row in there.rows() if row not in planned]
    if strangers:
        raise RunError(
            "predictions of planned networks only",
            "-".join(strangers[0]),
            "do not mix files of several runs",
        )
    planned_numbers = {
        "repeat": configuration.repeats,
        "fold": configuration.folds,
        "seed_index": configuration.seeds,
    }
    for column, most in planned_numbers.items():
        beyond = predictions.filter(~pl.col(column).is_between(0, most - 1))
        if beyond.height:
            raise RunError(
                f"predictions of {column} 0 to {most - 1}",
                f"{column} {beyond[column][0]}",
                "do not mix files of several runs",
            )
