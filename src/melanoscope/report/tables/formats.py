"""Tables as files: CSV for programs, Markdown for readers, LaTeX for papers."""

from __future__ import annotations

import csv
from io import StringIO
from math import isnan

from melanoscope.report.figures.style import TRANSFER_NAMES
from melanoscope.report.tables.tables import MINUS, NAMES, Line, Table, Value
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.summary import REFERENCES

SIMULATED = "Simulated, says nothing about skin."
_MARKS = {"gp": "above general practitioners", "dermatologists": "above dermatologists"}
_COLOURS = {"gp": "1B7837", "dermatologists": "2166AC"}
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
    """Write every number of a table at full precision, one line per network or physicians.

    Columns: network, backbone, transfer, cells, planned, prevalence, above, simulated, and per
    metric its mean, bounds, stars, difference from the reference with bounds, and adjusted p-value.
    """
    out = StringIO()
    parts = ("", "_low", "_high", "_stars", "_gain", "_gain_low", "_gain_high", "_p_holm")
    head = [
        *("network", "backbone", "transfer", "cells", "planned", "prevalence", "above"),
        "simulated",
    ]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*head, *(f"{metric}{part}" for metric in METRICS for part in parts)])
    for line in table.lines:
        network = not line.physicians
        writer.writerow(
            [
                line.label,
                line.backbone,
                table.transfer if network else "physicians",
                line.finished if network else "",
                line.planned if network else "",
                "" if isnan(line.prevalence) else line.prevalence,
                line.above,
                str(table.simulated).lower() if network else "",
                *(x for metric in METRICS for x in _numbers(line.values.get(metric))),
            ]
        )
    return out.getvalue()


def _numbers(value: Value | None) -> list[float | str]:
    if value is None:
        return [""] * 8
    bounds: list[float | str] = ["", ""]
    gain: list[float | str] = [""] * 4
    if value.interval:
        bounds = [value.interval.low, value.interval.high]
    if value.comparison:
        d = value.comparison.test.difference
        gain = [d.estimate, d.low, d.high, value.comparison.p_holm]
    return [value.estimate, *bounds, value.stars, *gain]


def as_markdown(table: Table) -> str:
    """Write a table as Markdown; beside every star stands the effect with its interval."""
    heads = ["Network", *_heads(table)]
    rows = [heads, ["---", *["---:"] * len(METRICS)]]
    for line in table.lines:
        rows.append([_name(line).replace("|", r"\|"), *(_markdown(line, m) for m in METRICS)])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    notes = [SIMULATED] if table.simulated else []
    notes += [f"Not run: {name} ({why})" for name, why in table.skipped]
    notes.append(legend(table).replace("*", r"\*"))
    text = [f"**Table ({table.letter}). {table.title}**", "", *lines, "", "  \n".join(notes)]
    return "\n".join(text) + "\n"


def _markdown(line: Line, metric: str) -> str:
    value = line.values.get(metric)
    if value is None:
        return "\N{EN DASH}"
    text = (line.published or value.text) + value.stars.replace("*", r"\*")
    if value.stars:
        text += f"<br>{value.effect}"
    if metric == "auroc" and line.above:
        text += f"<br>*{_MARKS[line.above]}*"
    return text


def as_latex(table: Table) -> str:
    """Write a table as LaTeX for booktabs and xcolor."""
    rows = [" & ".join(["Network", *map(_escape, _heads(table))]) + r" \\", r"\midrule"]
    for line in table.lines:
        cells = [_escape(_name(line)), *(_latex(line, metric) for metric in METRICS)]
        rows.append(" & ".join(cells) + r" \\")
    notes = f"{SIMULATED} " if table.simulated else ""
    notes += "".join(f"Not run: {name} ({why}). " for name, why in table.skipped)
    caption = f"({table.letter}) {table.title}. {notes}{legend(table)}"
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


def _latex(line: Line, metric: str) -> str:
    value = line.values.get(metric)
    if value is None:
        return "--"
    text = _escape(line.published or value.text)
    if metric == "auroc" and line.above:
        text = rf"\textcolor[HTML]{{{_COLOURS[line.above]}}}{{{text}}}"
    if value.stars:
        text += rf"$^{{{value.stars}}}$ {{\scriptsize {_escape(value.effect)}}}"
    return text


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _name(line: Line) -> str:
    if line.physicians:
        return f"{line.label} ({line.physicians.studies} studies)"
    return f"{line.label} ({line.unfinished})" if line.unfinished else line.label


def _heads(table: Table) -> list[str]:
    beside = "" if isnan(table.prevalence) else f" (prevalence {table.prevalence:.3f})"
    return [NAMES[m] + (beside if m == "auprc" else "") for m in METRICS]


def legend(table: Table) -> str:
    """Say how to read a table, without colours."""
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
