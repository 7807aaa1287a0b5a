"""The report of a run folder: what ``melanoscope report`` and ``benchmark`` write and print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from melanoscope.errors import StatisticsError
from melanoscope.models.backbones import labels
from melanoscope.report.build import build
from melanoscope.report.context import PREVALENCE, REPLICATES
from melanoscope.report.figures.poster_figures import figure_2, figure_4
from melanoscope.runs.reader import read_run
from melanoscope.stats.summary import Summary, summarize


def report_run(
    folder: Path,
    beside: Sequence[Path] = (),
    prevalence: float = PREVALENCE,
    replicates: int = REPLICATES,
) -> Path:
    """Write RUN/report and return the path of its page.

    Args:
        folder: The run.
        beside: Other runs to be set beside it, of the poster's protocol for example.
        prevalence: Share of melanomas at which predictive values are given.
        replicates: Of each bootstrap.

    Raises:
        RunError: The folder holds no run.
        StatisticsError: Its predictions allow no honest number, or a prevalence out of range.
    """
    if not 0 < prevalence < 1:
        raise StatisticsError(
            "a prevalence between 0 and 1", f"{prevalence:g}", "state 1.8 % as 0.018"
        )
    if replicates < 100:
        raise StatisticsError("at least 100 replicates", str(replicates), "use 2000")
    run = read_run(folder)
    return build(
        folder,
        labels=labels(),
        figure2=figure_2(run),
        figure4=figure_4(run, labels()),
        command=command_of(run.record["configuration"]),
        beside=[read_run(one) for one in beside],
        prevalence=prevalence,
        replicates=replicates,
    )


def command_of(configuration: dict[str, Any]) -> str:
    """Return the command line that makes a run of this configuration."""
    words = ["melanoscope benchmark", *(f"--data {spec}" for spec in configuration["data"])]
    words.append(f"--backbones {','.join(configuration['backbones'])}")
    words.append(f"--transfer {','.join(configuration['transfer'])}")
    words += [f"--{name} {configuration[name]}" for name in ("folds", "repeats")]
    recipe = configuration["recipe"]
    words.append(f"--epochs {recipe['epochs']} --batch-size {recipe['batch_size']}")
    words += [f"--{name} {configuration[name]}" for name in ("size", "seed")]
    if configuration.get("protocol", "corrected") != "corrected":
        words.append(f"--protocol {configuration['protocol']}")
    elif not configuration.get("near_duplicates", False):
        words.append("--no-near-duplicates")
    if configuration.get("weights"):
        words.append(f"--weights {configuration['weights']}")
    return " ".join([*words, "--out RUN"])


def result_of(folder: Path) -> dict[str, Any]:
    """Return a run's tables as plain values, for ``--json``."""
    run = read_run(folder)
    summary = summarize(
        run.cells, planned=run.planned, cells_per_row=run.cells_per_row, protocol=run.protocol
    )
    evidence = folder / "report" / "evidence.json"
    return {
        "run": str(folder),
        "report": str(folder / "report" / "index.html"),
        "simulated": run.simulated,
        "data_fingerprint": run.record["data"]["fingerprint"],
        "protocol": run.protocol,
        "evidence": json.loads(evidence.read_text()) if evidence.is_file() else {},
        "rows": _rows(summary),
        "comparisons": [
            {
                "backbone": c.backbone,
                "transfer": c.transfer,
                "metric": c.metric,
                "difference": _interval(c.test.difference),
                "p_value": c.test.p_value,
                "p_holm": c.p_holm,
                "stars": c.stars,
            }
            for c in summary.comparisons
        ],
    }


def _rows(summary: Summary) -> list[dict[str, Any]]:
    return [
        {
            "backbone": row.backbone,
            "transfer": row.transfer,
            "cells": len(row.keys),
            "planned": row.planned,
            "prevalence": row.prevalence,
            "metrics": {name: _interval(i) for name, i in row.intervals.items()},
            "above_physicians_p": row.above,
        }
        for row in summary.rows
    ]


def _interval(interval: Any) -> dict[str, Any]:
    return {
        "estimate": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "n": interval.n,
        "method": interval.method,
    }
