"""Tables as files: CSV for programs, Markdown for readers, LaTeX for papers."""

from __future__ import annotations

import csv
from io import StringIO
from math import isnan

from melanoscope.errors import one_line
from melanoscope.report.figures.style import SIMULATED
from melanoscope.report.html import render_template
from melanoscope.report.tables.tables import NAMES, MetricValue, Table
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.tables.formulas import as_text
from melanoscope.transfers import REFERENCES, TRANSFER_NAMES

_COLUMNS = ["network", "backbone", "transfer", "target", "cells", "planned", "prevalence", "above"]
_SUFFIXES = ("", "_low", "_high", "_stars", "_gain", "_gain_low", "_gain_high", "_gain_bound")


def as_csv(table: Table) -> str:
    """Write every number of a table at full precision, one line per network or physicians."""
    p_column = f"_{table.words.p_column}"
    suffixes = (*_SUFFIXES, p_column)
    columns = [*_COLUMNS, "simulated", *(m + suffix for m in METRICS for suffix in suffixes)]
    out = StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for row in table.rows:
        record: dict[str, float | str] = {"network": row.label, "transfer": "physicians"}
        if not row.physicians:
            record |= {
                "backbone": row.backbone,
                "transfer": table.transfer,
                "target": table.target.name,
                "cells": row.finished,
                "planned": row.planned,
                "prevalence": "" if isnan(row.prevalence) else row.prevalence,
                "above": row.above,
                "simulated": str(table.simulated).lower(),
            }
        for metric, value in row.values.items():
            record |= {
                metric + suffix: number for suffix, number in _numbers(value, p_column).items()
            }
        writer.writerow({name: _cell(value) for name, value in record.items()})
    return out.getvalue()


def _cell(value: float | str) -> float | str:
    return as_text(one_line(value)) if isinstance(value, str) else value


def _numbers(value: MetricValue, p_column: str) -> dict[str, float | str]:
    numbers: dict[str, float | str] = {"": value.estimate, "_stars": value.stars}
    if value.interval:
        numbers |= {"_low": value.interval.low, "_high": value.interval.high}
    if value.comparison:
        gain = value.comparison.test.difference
        numbers |= {"_gain": gain.estimate, "_gain_low": gain.low, "_gain_high": gain.high}
        numbers["_gain_bound"] = value.comparison.lower_bound
        numbers[p_column] = value.comparison.p_holm
    return numbers


def as_markdown(table: Table) -> str:
    """Write a table as Markdown; beside every star stands the effect with its interval."""
    return _render("tables/table.md.j2", table)


def as_latex(table: Table) -> str:
    """Write a table as LaTeX for the packages booktabs and xcolor."""
    return _render("tables/table.tex.j2", table)


def _render(template: str, table: Table) -> str:
    context = {
        "table": table,
        "names": NAMES,
        "references": {name: TRANSFER_NAMES[other] for name, other in REFERENCES.items()},
        "simulated_words": SIMULATED,
    }
    return render_template(template, context) + "\n"
