"""The page of `melanoscope evaluate`: does a network hold on another archive."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from melanoscope.atomic import atomic_path, write_together
from melanoscope.data.sources import ARCHIVES
from melanoscope.evaluation.calibration_shift import AS_IS, PRIOR_SHIFT, calibrations
from melanoscope.evaluation.evaluation_warnings import warnings_of
from melanoscope.evaluation.predict_catalog import ANSWERS
from melanoscope.evaluation.results import EvaluationResults
from melanoscope.json_text import json_text
from melanoscope.machine_faults import explain_machine_faults
from melanoscope.report.comparison_page import COLUMNS, subgroup_rows
from melanoscope.report.figures.corruptions import corruption_figure
from melanoscope.report.figures.model_curves import roc_panels
from melanoscope.report.figures.model_figures import calibration_panels
from melanoscope.report.figures.report_figure import ReportFigure, files_of
from melanoscope.report.figures.style import mark_simulated
from melanoscope.report.html import render_template
from melanoscope.report.sections.section import plain
from melanoscope.stats.intervals.crossval_interval import UNTOUCHED
from melanoscope.stats.metrics.roc_band import roc_band
from melanoscope.stats.predictions import Predictions


def write_evaluation(results: EvaluationResults, folder: Path) -> Path:
    """Write the page, the document, the figures and the answers of an evaluation.

    Args:
        results: What was evaluated.
        folder: Where index.html, evaluation.json, predictions.csv and the figures go; it may hold
            other files.

    Returns:
        Path of the page.

    Raises:
        RunError: The disk is full; what was there before is as it was.
        StatisticsError: The photographs allow no honest number.
    """
    figures = _figures(results)
    page = render_template("evaluation.html.j2", _values(results, figures))
    document = json_text(evaluation_document(results), indent=1) + "\n"
    contents = files_of(figures.values()) | {
        "evaluation.json": document.encode(),
        "index.html": page.encode(),
    }
    with explain_machine_faults(folder):
        write_together(folder, contents)
        with atomic_path(folder / ANSWERS) as partial:
            shutil.copyfile(results.answers, partial)
    return folder / "index.html"


def evaluation_document(results: EvaluationResults) -> dict[str, Any]:
    """Return an evaluation as plain values, for evaluation.json and ``--json``."""
    manifest = results.bundle.manifest
    return {
        "network": results.name,
        "bundle": results.bundle.fingerprint,
        "development": manifest.data.fingerprint,
        "variant": results.variant,
        "target": manifest.target.name,
        "disclaimer": manifest.disclaimer,
        "simulated": results.simulated,
        "archives": results.archives,
        "licences": results.terms,
        "listed": len(results.catalog),
        "photographs": results.sample.readable.height,
        "positives": int(results.sample.target.sum()),
        "groups": results.evidence.primary.n,
        "unit": results.group_unit,
        "unlabelled": results.unlabelled,
        "internal": plain(_internal(results)),
        "overlap": plain(results.overlap),
        "carried": plain(dict(results.metrics)),
        "metrics": plain(results.evidence.metrics),
        "case_mix": plain(results.case_mix),
        "calibration": plain(results.calibration),
        "thresholds": plain(results.thresholds),
        "gate": plain(results.gate),
        "robustness": plain(results.robustness),
        "subgroups": plain(results.evidence.subgroups),
        "subgroup_tests": results.subgroup_tests,
        "warnings": warnings_of(results),
        **plain(results.settings),
    }


def _internal(results: EvaluationResults) -> dict[str, Any]:
    manifest = results.bundle.manifest
    return {
        "photographs": manifest.heldout.photographs,
        "positives": manifest.heldout.positives,
        "groups": manifest.heldout.groups,
        "archives": [source.kind for source in manifest.data.sources],
    }


def _figures(results: EvaluationResults) -> dict[str, ReportFigure]:
    model, target = results.as_model, results.bundle.manifest.target
    answered = model.predictions[results.name]
    assert isinstance(answered, Predictions)  # noqa: S101 - the question is binary
    found, _ = calibrations(results.sample, results.settings.seed)
    steps = {name: results.sample.predictions(one) for name, one in found.items()}
    roc = roc_panels({results.name: roc_band(answered, model.weights)})
    mark_simulated(roc.figure, results.simulated)
    figures = {}
    if results.robustness is not None:
        figures["corruptions"] = corruption_figure(results.robustness, simulated=results.simulated)
    return {
        **figures,
        "roc": roc,
        "calibration": calibration_panels(
            steps, target.plural, widening=UNTOUCHED, simulated=results.simulated
        ),
    }


def _values(results: EvaluationResults, figures: dict[str, ReportFigure]) -> dict[str, Any]:
    """Return what the template sees."""
    sample, manifest, evidence = results.sample, results.bundle.manifest, results.evidence
    variants = {one.name: one for one in results.calibration.variants}
    return {
        "name": results.name,
        "target": manifest.target,
        "archives": results.archives,
        "attribution": [
            (ARCHIVES[kind].title, ARCHIVES[kind].license, ARCHIVES[kind].attribution)
            for kind in results.kinds
            if kind in ARCHIVES
        ],
        "simulated": results.simulated,
        "disclaimer": manifest.disclaimer,
        "bundle": results.bundle.fingerprint,
        "variant": results.variant,
        "internal": _internal(results),
        "n": sample.readable.height,
        "positives": int(sample.target.sum()),
        "groups": evidence.primary.n,
        "unit": results.group_unit,
        "auroc": results.metrics["auroc"],
        "slope": results.metrics["calibration_slope"],
        "columns": {m: COLUMNS[m] for m in evidence.metrics if m in COLUMNS},
        "metrics": evidence.metrics,
        "mix": results.case_mix,
        "calibration": results.calibration,
        "as_is": variants[AS_IS],
        "shifted": variants[PRIOR_SHIFT],
        "thresholds": results.thresholds,
        "gate": results.gate,
        "robustness": results.robustness,
        "models": [evidence],
        "subgroups": subgroup_rows([evidence]),
        "significant": results.significant,
        "tests": results.subgroup_tests,
        "overlap": results.overlap,
        "unlabelled": results.unlabelled,
        "warnings": warnings_of(results),
        "replicates": results.settings.replicates,
        "figures": figures,
    }
