"""Tables as files: CSV for programs, Markdown for readers, LaTeX for papers."""

from __future__ import annotations

import csv
from io import StringIO
from math import isnan

from melanoscope.report.figures.style import SIMULATED
from melanoscope.report.tables.tables import MINUS, NAMES, MetricValue, Table, TableRow
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.transfers import REFERENCES, TRANSFER_NAMES

_MARKS = {"gp": "above general practitioners", "dermatologists": "above dermatologists"}
_COLORS = {"gp": "1B7837", "dermatologists": "2166AC"}
_LATEX = {
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    MINUS: "$-$",
    "<": "$<$",
    ">": "$>$",
}


def as_csv(table: Table) -> str:
    """Write every number of a table at full precision, one line per network or physicians."""
    out = StringIO()
    suffixes = ("", "_low", "_high", "_stars", "_gain", "_gain_low", "_gain_high", "_p_holm")
    columns = ["network", "backbone", "transfer", "cells", "planned", "prevalence", "above"]
    columns.append("simulated")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, *(metric + suffix for metric in METRICS for suffix in suffixes)])
    for row in table.rows:
        network = not row.physicians
        writer.writerow(
            [
                row.label,
                row.backbone,
                table.transfer if network else "physicians",
                row.finished if network else "",
                row.planned if network else "",
                "" if isnan(row.prevalence) else row.prevalence,
                row.above,
                str(table.simulated).lower() if network else "",
                *(number for metric in METRICS for number in _numbers(row.values.get(metric))),
            ]
        )
    return out.getvalue()


def _numbers(value: MetricValue | None) -> list[float | str]:
    if value is None:
        return [""] * 8
    bounds: list[float | str] = ["", ""]
    gain: list[float | str] = [""] * 4
    if value.interval:
        bounds = [value.interval.low, value.interval.high]
    if value.comparison:
        difference = value.comparison.test.difference
        gain = [difference.estimate, difference.low, difference.high, value.comparison.p_holm]
    return [value.estimate, *bounds, value.stars, *gain]


def as_markdown(table: Table) -> str:
    """Write a table as Markdown; beside every star stands the effect with its interval."""
    rows = [["Network", *_heads(table)], ["---", *["---:"] * len(METRICS)]]
    for row in table.rows:
        rows.append([_name(row).replace("|", r"\|"), *(_markdown(row, m) for m in METRICS)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    notes = [f"{SIMULATED}."] if table.simulated else []
    notes += [f"Not run: {name} ({why})" for name, why in table.skipped]
    notes.append(_legend(table).replace("*", r"\*"))
    text = [f"**Table ({table.letter}). {table.title}**", "", *lines, "", "  \n".join(notes)]
    return "\n".join(text) + "\n"


def _markdown(row: TableRow, metric: str) -> str:
    value = row.values.get(metric)
    if value is None:
        return "\N{EN DASH}"
    text = (row.published or value.text) + value.stars.replace("*", r"\*")
    if value.stars:
        text += f"<br>{value.effect}"
    if metric == "auroc" and row.above:
        text += f"<br>*{_MARKS[row.above]}*"
    return text


def as_latex(table: Table) -> str:
    """Write a table as LaTeX for the packages booktabs and xcolor."""
    rows = [" & ".join(["Network", *map(_escape, _heads(table))]) + r" \\", r"\midrule"]
    for row in table.rows:
        cells = [_escape(_name(row)), *(_latex(row, metric) for metric in METRICS)]
        rows.append(" & ".join(cells) + r" \\")
    notes = f"{SIMULATED}. " if table.simulated else ""
    notes += "".join(f"Not run: {name} ({why}). " for name, why in table.skipped)
    caption = f"({table.letter}) {table.title}. {notes}{_legend(table)}"
    return "\n".join(
        [
            r"% needs \usepackage{booktabs} and \usepackage{xcolor}",
            r"\begin{table}",
            rf"\caption{{{_escape(caption)}}}",
            r"\begin{tabular}{l" + "r" * len(METRICS) + "}",
            r"\toprule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex(row: TableRow, metric: str) -> str:
    value = row.values.get(metric)
    if value is None:
        return "--"
    text = _escape(row.published or value.text)
    if metric == "auroc" and row.above:
        text = rf"\textcolor[HTML]{{{_COLORS[row.above]}}}{{{text}}}"
    if value.stars:
        text += rf"$^{{{value.stars}}}$ {{\scriptsize {_escape(value.effect)}}}"
    return text


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _name(row: TableRow) -> str:
    if row.physicians:
        return f"{row.label} ({row.physicians.auroc.n} studies)"
    return f"{row.label} ({row.unfinished})" if row.unfinished else row.label


def _heads(table: Table) -> list[str]:
    beside = "" if isnan(table.prevalence) else f" (prevalence {table.prevalence:.3f})"
    return [NAMES[m] + (beside if m == "auprc" else "") for m in METRICS]


def _legend(table: Table) -> str:
    """Say how to read a table, in words that need no color."""
    text = "Mean ± half of the corrected 95 % interval over folds; worst to best AUROC."
    if table.transfer != "scratch":
        text += (
            f" * p < 0.05, ** p < 0.001: better than {TRANSFER_NAMES[REFERENCES[table.transfer]]}, "
            "one-sided corrected resampled "
            "t-test, Holm over networks; beside a star the difference with its 95 % interval."
        )
    return text + (
        " Above physicians: one-sided Welch test with both standard errors, p < 0.05, not adjusted;"
        " published AUROC on other lesions at another prevalence."
    )
