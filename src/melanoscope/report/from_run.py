"""The report of a run folder: what `melanoscope report` and `benchmark` write and print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from melanoscope.errors import RunError, StatisticsError
from melanoscope.models.backbones import labels
from melanoscope.report.build import Report, build
from melanoscope.report.context import ReportContext
from melanoscope.report.external import read_external
from melanoscope.report.figures.poster_figures import figure_2, figure_4
from melanoscope.report.protocol_words import words_of
from melanoscope.report.sections.section import plain
from melanoscope.report.tables.tables import failures
from melanoscope.runs.reader import read_run
from melanoscope.runs.results import RunResults
from melanoscope.stats.bootstrap.group_weights import REPLICATES
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.summary import Summary

_MAX_REPLICATES = 100_000  # some minutes, and memory in proportion
_INTERVAL = ("estimate", "low", "high", "n", "method")


def report_run(
    folder: Path,
    beside: Sequence[Path] = (),
    external: Sequence[Path] = (),
    prevalence: float | None = None,
    replicates: int = REPLICATES,
) -> Report:
    """Read a run and write RUN/report.

    Args:
        folder: The run folder.
        beside: Folders of runs to set beside it, of the poster's protocol for example.
        external: Folders of `melanoscope evaluate` of the run's networks.
        prevalence: Share of positives, above 0 and below 1, at which predictive values are given;
            None for that of ISIC 2020 where melanoma is the target, else for that of the data.
        replicates: Number of replicates of each bootstrap, 100 to 100,000.

    Returns:
        The report.

    Raises:
        RunError: A folder holds no run or no evaluation of it, or a run beside it has another
            target.
        StatisticsError: The run's predictions allow no honest number, or the prevalence or the
            replicates are out of range.
    """
    if prevalence is not None and not 0 < prevalence < 1:
        raise StatisticsError(
            "a prevalence between 0 and 1", f"{prevalence:g}", "state 1.8 % as 0.018"
        )
    if not 100 <= replicates <= _MAX_REPLICATES:
        expected = f"100 to {_MAX_REPLICATES} replicates"
        raise StatisticsError(expected, str(replicates), "use 2000")
    run = read_run(folder)
    others = tuple(RunResults(run=read_run(other)) for other in beside)
    for other in others:
        if other.run.target != run.target:
            raise RunError(
                f"runs of the target {run.target.name}",
                f"'{other.run.path}' of {other.run.target.name}",
                "leave it out of --beside",
            )
    context = ReportContext(
        run=run,
        labels=labels(),
        beside=others,
        external=tuple(read_external(one, run) for one in external),
        prevalence=prevalence,
        replicates=replicates,
    )
    return build(context, figure_2=figure_2(context.run), figure_4=figure_4(context))


def result_of(report: Report) -> dict[str, Any]:
    """Return a run's tables and evidence as plain values, for `--json`.

    Args:
        report: The report of the run.

    Returns:
        What is printed.
    """
    run, summary = report.context.run, report.context.summary
    document: dict[str, Any] = plain(
        {
            "run": str(run.path),
            "report": str(report.page),
            "simulated": run.simulated,
            "data_fingerprint": run.record.data.fingerprint,
            "protocol": run.protocol,
            "target": run.target.to_dict(),
            "evidence": report.evidence,
            "rows": _rows(summary),
            "comparisons": [
                {
                    "backbone": comparison.backbone,
                    "transfer": comparison.transfer,
                    "metric": comparison.metric,
                    "difference": _interval(comparison.test.difference),
                    "p_value": comparison.test.p_value,
                    words_of(run.protocol).p_column: comparison.p_holm,
                    "lower_bound": comparison.lower_bound,
                    "p_equivalence": comparison.p_equivalence,
                    "stars": comparison.stars,
                }
                for comparison in summary.comparisons
            ],
        }
    )
    return document


def _rows(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "backbone": row.backbone,
            "transfer": row.transfer,
            "cells": row.finished,
            "planned": row.planned,
            "prevalence": row.prevalence,
            "metrics": {name: _interval(i) for name, i in row.intervals.items()},
            "above_physicians_p": row.above,
            "failed": failures(row),
        }
        for row in summary.rows
    ]


def _interval(interval: Interval) -> dict[str, Any]:
    values = interval.to_dict()
    return {name: values[name] for name in _INTERVAL}
