"""The page of `melanoscope compare`: which model, by how much, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from melanoscope.atomic import write_together
from melanoscope.comparison.evidence import (
    ComparisonEvidence,
    ModelEvidence,
    as_matrix,
    collect_evidence,
    warnings_of,
)
from melanoscope.comparison.results import ComparisonResults
from melanoscope.json_text import json_text
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.report.figures.model_figures import comparison_figures
from melanoscope.report.figures.report_figure import ReportFigure, files_of
from melanoscope.report.html import render_template
from melanoscope.report.sections.intervals import COLUMNS as WITH_INTERVALS
from melanoscope.report.sections.section import plain
from melanoscope.report.tables.tables import NAMES
from melanoscope.stats.intervals.interval import ALPHA

COLUMNS = {
    **NAMES,
    **WITH_INTERVALS,
    "macro_f1": "Macro F1",
    "macro_auroc": "Macro AUROC",
}


def write_comparison(results: ComparisonResults, folder: Path) -> Path:
    """Write the page, the document and the figures of a comparison.

    Args:
        results: What was compared.
        folder: Where index.html, comparison.json and the figures go; it may hold other files.

    Returns:
        Path of the page.

    Raises:
        RunError: The disk is full; what was there before is as it was.
        StatisticsError: The predictions allow no honest number.
    """
    evidence = collect_evidence(results)
    figures = comparison_figures(results, evidence)
    page = render_template("comparison.html.j2", _values(results, evidence, figures))
    document = json_text(comparison_document(results, evidence), indent=1) + "\n"
    contents = files_of(figures.values()) | {
        "comparison.json": document.encode(),
        "index.html": page.encode(),
    }
    with explain_machine_faults(folder):
        write_together(folder, contents)
    return folder / "index.html"


def comparison_document(
    results: ComparisonResults, evidence: ComparisonEvidence | None = None
) -> dict[str, Any]:
    """Return a comparison as plain values, for comparison.json and ``--json``."""
    joined = results.joined
    evidence = evidence or collect_evidence(results)
    document: dict[str, Any] = {
        "question": results.question,
        "classes": _class_counts(results),
        "photographs": joined.target.size,
        "groups": results.weights.groups.size,
        "unit": joined.group_unit,
        "folds": results.folds,
        "primary": results.primary,
        **plain(results.settings),
        "prevalence": results.prevalence,
        "notes": list(joined.notes),
        **plain(evidence),
    }
    return document


def _class_counts(results: ComparisonResults) -> dict[str, int]:
    joined = results.joined
    counts = np.bincount(joined.target, minlength=len(joined.classes)).tolist()
    return dict(zip(joined.classes, counts, strict=True))


def _values(
    results: ComparisonResults, evidence: ComparisonEvidence, figures: Mapping[str, ReportFigure]
) -> dict[str, Any]:
    """Return what the template sees."""
    joined, settings = results.joined, results.settings
    pairs = evidence.pairs.get(results.primary, ())
    points = {one.label: one.point for one in evidence.models if one.point is not None}
    columns = {
        metric: COLUMNS.get(metric) or f"AUROC of {joined.classes[int(metric.split('_')[1])]}"
        for metric in results.metrics
        # Those of binary questions have exact intervals, beside what follows from them.
        if metric not in ("sensitivity", "specificity")
    }
    return {
        "question": results.question,
        "binary": joined.is_binary,
        "models": evidence.models,
        "primary_words": "AUROC" if joined.is_binary else "balanced accuracy",
        "columns": columns,
        "names": COLUMNS,
        "pairs": pairs,
        "told": [pair for pair in pairs if pair.p_holm < ALPHA],
        "equivalent": [pair for pair in pairs if (pair.p_equivalence_holm or 0) < ALPHA],
        "other_pairs": {m: p for m, p in evidence.pairs.items() if m != results.primary},
        "matrix": as_matrix(pairs),
        "delong": evidence.delong,
        "clustered": results.clustered,
        "flattery": evidence.flattery,
        "missing": evidence.missing,
        "warnings": warnings_of(results),
        "n": joined.target.size,
        "groups": results.weights.groups.size,
        "unit": joined.group_unit,
        "folds": results.folds,
        "classes": _class_counts(results),
        "positive": joined.classes[1],
        "positives": results.positives,
        "prevalence": results.prevalence,
        "threshold": settings.threshold,
        "margin": settings.margin,
        "replicates": settings.replicates,
        "points": points,
        "subgroups": subgroup_rows(evidence.models),
        "significant": evidence.significant,
        "tests": evidence.subgroup_tests,
        "figures": figures,
        "notes": joined.notes,
        "families": _families(evidence, columns),
    }


def subgroup_rows(models: Sequence[ModelEvidence]) -> dict[str, list[dict[str, Any]]]:
    """Return variable -> its levels, each with the AUROC of every one of `models`."""
    best, *others = models
    rows: dict[str, list[dict[str, Any]]] = {}
    for i, variable in enumerate(best.subgroups):
        rows[variable.name] = [
            {
                "name": level.name,
                "n": level.n,
                "positives": level.positives,
                "groups": level.groups,
                "too_small": level.too_small,
                "auroc": {
                    one.label: one.subgroups[i].levels[j].metrics.get("auroc")
                    for one in (best, *others)
                },
            }
            for j, level in enumerate(variable.levels)
        ]
    return rows


def _families(
    evidence: ComparisonEvidence, columns: Mapping[str, str]
) -> list[dict[str, str | int]]:
    families: list[dict[str, str | int]] = [
        {
            "name": f"Differences of every two models: {COLUMNS.get(metric) or columns[metric]}",
            "tests": len(pairs),
            "adjusted": "Holm over the pairs",
        }
        for metric, pairs in evidence.pairs.items()
    ]
    if evidence.subgroup_tests:
        families.append(
            {
                "name": "Subgroups of all models, AUROC and sensitivity",
                "tests": evidence.subgroup_tests,
                "adjusted": "Holm over all of them",
            }
        )
    return families
