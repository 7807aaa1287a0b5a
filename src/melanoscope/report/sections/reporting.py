"""The reporting checklists, filled from a run and the other sections of its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import polars as pl

from melanoscope.data.skin_tone import skin_tone_band
from melanoscope.data.subgroup_variables import UNKNOWN, age_band
from melanoscope.report.checklists.checklist import checklist_content
from melanoscope.report.checklists.facts import Facts, Intervals
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.stats.bootstrap.weighted_metrics import ALL_METRICS
from melanoscope.stats.metrics.operating_points import OperatingPoint
from melanoscope.stats.reference.physicians import SOURCE

_ATTRIBUTION = (
    "Integrated Gradients of one test photograph (Figure 4), and the exact sum of evidences that "
    "the linear head allows"
)
_THRESHOLD = "Highest F1 on validation photographs, never on test photographs"
_RECALIBRATION = "Temperature scaling, fitted for each fold on its validation groups"
_PERFORMANCE = {"auroc": "AUROC", "auprc": "AUPRC", "calibration_slope": "calibration slope"}


def checklist_section(context: ReportContext, sections: Sequence[Section]) -> Section:
    """Fill TRIPOD+AI, CLAIM and CLEAR Derm with what a run and the other `sections` show."""
    content = checklist_content(_facts(context, sections))
    entries = {"entries": content["entries"]}
    return Section("checklist", "Reporting checklists", content, entries)


def _facts(context: ReportContext, sections: Sequence[Section]) -> Facts:
    run, catalog = context.run, context.run.catalog
    content: dict[str, dict[str, Any]] = {section.name: section.content for section in sections}
    leaks, misses = content.get("leaks", {}), content.get("misses", {})
    points = content.get("decisions", {}).get("points")
    variables = content.get("subgroups", {}).get("variables")
    figures = [figure.name for section in sections for figure in section.figures]
    return Facts(
        record=run.record.to_dict(),
        used=_used(catalog),
        labels=context.labels,
        n_train=_mean(context, "n_train"),
        n_validation=_mean(context, "n_validation"),
        n_test=_mean(context, "n_test"),
        networks=len(run.cells),
        missing=_missing(catalog),
        characteristics=_characteristics(catalog),
        divided_groups=leaks.get("divided_groups"),
        near_duplicates=leaks.get("pairs"),
        metrics=tuple(name.replace("_", " ") for name in ALL_METRICS),
        plots=("ROC curves", *(name.replace("_", " ") for name in figures)),
        replicates=context.replicates,
        threshold_rule=_THRESHOLD,
        operating_points=tuple(point.name for point in points) if points else None,
        performance=_performance(context),
        diagnostic=_diagnostic(points[0]) if points else None,
        subgroups=tuple(variable.name for variable in variables) if variables else None,
        clusters=_clusters(context, content),
        baselines=_baselines(content),
        physicians=SOURCE if context.as_published else None,
        recalibration=_RECALIBRATION if "calibration" in content else None,
        imbalance="",
        ensembling="",
        external=tuple(one.words for one in context.external),
        attribution=_ATTRIBUTION,
        failures=sum(len(misses.get(kind, ())) for kind in ("missed_positives", "false_alarms")),
        image_types=_by_frequency(catalog["image_type"].drop_nulls()),
        skin_tones=_by_frequency(skin_tone_band(angle) for angle in catalog["ita"]),
    )


def _used(catalog: pl.DataFrame) -> dict[str, tuple[int, int]]:
    counts = catalog.group_by("dataset").agg(pl.len(), pl.col("target").cast(pl.Int64).sum())
    return {name: (n, positives) for name, n, positives in counts.iter_rows()}


def _mean(context: ReportContext, key: str) -> float:
    return fmean(getattr(record, key) for record in context.run.records.values())


def _missing(catalog: pl.DataFrame) -> dict[str, int]:
    return {
        "patient": catalog["patient_id"].null_count(),
        "age": catalog["age"].null_count(),
        "sex": int((catalog["sex"] == UNKNOWN).sum()),
        "site": int((catalog["site"] == UNKNOWN).sum()),
    }


def _characteristics(catalog: pl.DataFrame) -> dict[str, dict[str, int]]:
    return {
        "sex": _by_frequency(catalog["sex"]),
        "site": _by_frequency(catalog["site"]),
        "dataset": _by_frequency(catalog["dataset"]),
        "center": _by_frequency(catalog["center"].drop_nulls()),
        "age": _by_frequency(age_band(age) for age in catalog["age"]),
    }


def _by_frequency(levels: Iterable[str]) -> dict[str, int]:
    return dict(Counter(levels).most_common())


def _performance(context: ReportContext) -> Intervals | None:
    if context.best is None:
        return None
    label = context.label(context.best)
    return {
        f"{label}: {name}": interval
        for metric, name in _PERFORMANCE.items()
        if (interval := context.interval(context.best, metric)) is not None
    }


def _diagnostic(point: OperatingPoint) -> Intervals:
    intervals = {
        "sensitivity": point.sensitivity,
        "specificity": point.specificity,
        "PPV": point.ppv,
        "NPV": point.npv,
    }
    return {f"{point.name}: {name}": i for name, i in intervals.items() if i is not None}


def _clusters(context: ReportContext, content: Mapping[str, Any]) -> Intervals | None:
    shortcuts = content.get("shortcuts")
    if shortcuts is None or context.best is None or not shortcuts["datasets"]:
        return None
    label = context.label(context.best)
    best = next(network for network in shortcuts["networks"] if network.label == label)
    return {f"{name}: AUROC": interval for name, interval in best.alone.items() if interval}


def _baselines(content: Mapping[str, Any]) -> Intervals | None:
    shortcuts = content.get("shortcuts")
    if shortcuts is None:
        return None
    baselines = shortcuts["baselines"]
    return {f"{one.name}: AUROC": one.auroc for one in baselines if one.auroc is not None}
