"""The reporting checklists, filled from a study and its other sections."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import polars as pl

from melanoscope.data.skin_tone import skin_tone_band
from melanoscope.data.subgroup_variables import age_band
from melanoscope.report.checklists.checklist import Estimate, Facts, checklist, checklist_content
from melanoscope.report.sections.section import Section
from melanoscope.stats.bootstrap.group_bootstrap import ALL_METRICS
from melanoscope.stats.reference.physicians import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from melanoscope.report.context import ReportContext
    from melanoscope.stats.intervals.interval import Interval

_UNCERTAINTY = (
    "95 % intervals: percentile bootstrap of whole groups ({} draws, within folds and outcomes), "
    "influence curve by group, and corrected resampled t over folds"
)
_COMPARISON = (
    "One-sided corrected resampled t-test on paired folds, adjusted after Holm over networks"
)
_ATTRIBUTION = (
    "Integrated Gradients of one test photograph (Figure 4), and the exact sum of evidences that "
    "the linear head allows"
)
_THRESHOLD = "Highest F1 on validation photographs, never on test photographs"


def reporting(study: ReportContext, sections: Sequence[Section]) -> Section:
    """Fill TRIPOD+AI, CLAIM and CLEAR Derm with what this run shows."""
    facts = _facts(study, {section.name: section for section in sections})
    entries = checklist(facts)
    return Section(
        "checklist", "Reporting checklists", checklist_content(facts), {"entries": entries}
    )


def _facts(study: ReportContext, by_name: Mapping[str, Section]) -> Facts:
    run, catalog = study.run, study.run.catalog
    found = {name: section.content for name, section in by_name.items()}
    leak = found.get("leaks", {})
    return Facts(
        record=run.record,
        used=_used(catalog),
        unreadable=None,
        labels=study.labels,
        n_train=_mean(study, "n_train"),
        n_validation=_mean(study, "n_validation"),
        n_test=_mean(study, "n_test"),
        networks=len(run.cells),
        missing=_missing(catalog),
        characteristics=_characteristics(catalog),
        divided_groups=leak.get("divided_groups"),
        near_duplicates=leak.get("pairs"),
        metrics=tuple(name.replace("_", " ") for name in ALL_METRICS),
        plots=("ROC curves", *_plots(by_name.values())),
        uncertainty=_UNCERTAINTY.format(f"{study.replicates:,}"),
        comparison=_COMPARISON,
        threshold_rule=_THRESHOLD,
        operating_points=_points(found),
        performance=_performance(study),
        diagnostic=_diagnostic(found),
        subgroups=_subgroups(found),
        clusters=_clusters(study, found),
        baselines=_baselines(found),
        physicians=SOURCE,
        recalibration=_recalibration(found),
        imbalance="",
        ensembling="",
        external=(),
        attribution=_ATTRIBUTION,
        failures=_failures(found),
        skin_tones=_tones(catalog),
    )


def _plots(sections: Iterable[Section]) -> list[str]:
    return [one.name.replace("_", " ") for section in sections for one in section.drawings]


def _estimate(label: str, metric: str, interval: Interval) -> Estimate:
    return Estimate(label, metric, interval.estimate, interval.low, interval.high)


def _used(catalog: pl.DataFrame) -> dict[str, tuple[int, int]]:
    table = catalog.group_by("dataset").agg(
        pl.len().alias("n"), pl.col("target").cast(pl.Int64).sum().alias("m")
    )
    return {str(name): (int(n), int(m)) for name, n, m in table.sort("dataset").iter_rows()}


def _mean(study: ReportContext, key: str) -> float | None:
    values = [record[key] for record in study.run.records.values()]
    return float(sum(values) / len(values)) if values else None


def _missing(catalog: pl.DataFrame) -> dict[str, int]:
    found = {"patient": catalog["patient_id"].null_count()}
    if "age" in catalog.columns:
        found["age"] = catalog["age"].null_count()
    for name in ("sex", "site"):
        if name in catalog.columns:
            found[name] = int((catalog[name] == "unknown").sum())
    return found


def _characteristics(catalog: pl.DataFrame) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for name in ("sex", "site", "dataset"):
        if name in catalog.columns:
            found[name] = dict(Counter(catalog[name].to_list()).most_common())
    if "age" in catalog.columns:
        found["age"] = dict(Counter(age_band(age) for age in catalog["age"]).most_common())
    return found


def _tones(catalog: pl.DataFrame) -> dict[str, int] | None:
    if "ita" not in catalog.columns:
        return None
    return dict(Counter(skin_tone_band(angle) for angle in catalog["ita"]).most_common())


def _points(found: Mapping[str, Any]) -> tuple[str, ...] | None:
    points = found.get("decisions", {}).get("points")
    return None if points is None else tuple(point.name for point in points)


def _performance(study: ReportContext) -> tuple[Estimate, ...] | None:
    if study.best is None or not study.bootstrapped:
        return None
    label = study.label(study.best)
    names = {"auroc": "AUROC", "auprc": "AUPRC", "calibration_slope": "calibration slope"}
    return tuple(
        _estimate(label, words, interval)
        for name, words in names.items()
        if (interval := study.interval(study.best, name)) is not None
    )


def _diagnostic(found: Mapping[str, Any]) -> tuple[Estimate, ...] | None:
    content = found.get("decisions")
    if content is None:
        return None
    point = content["points"][0]
    values = {
        "sensitivity": point.sensitivity,
        "specificity": point.specificity,
        "PPV": point.ppv,
        "NPV": point.npv,
    }
    return tuple(_estimate(point.name, name, i) for name, i in values.items() if i is not None)


def _subgroups(found: Mapping[str, Any]) -> tuple[str, ...] | None:
    content = found.get("subgroups")
    return None if content is None else tuple(v.name for v in content["variables"])


def _clusters(study: ReportContext, found: Mapping[str, Any]) -> tuple[Estimate, ...] | None:
    content = found.get("shortcuts")
    if content is None or study.best is None or not content["datasets"]:
        return None
    mine = next(n for n in content["networks"] if n.label == study.label(study.best))
    return tuple(
        _estimate(name, "AUROC", interval) for name, interval in mine.alone.items() if interval
    )


def _baselines(found: Mapping[str, Any]) -> tuple[Estimate, ...] | None:
    content = found.get("shortcuts")
    if content is None:
        return None
    return tuple(_estimate(one.name, "AUROC", one.auroc) for one in content["baselines"])


def _recalibration(found: Mapping[str, Any]) -> str | None:
    if "calibration" not in found:
        return None
    return "Temperature scaling, fitted for each fold on its validation groups"


def _failures(found: Mapping[str, Any]) -> int | None:
    content = found.get("misses")
    return None if content is None else sum(len(content[k]) for k in _KINDS_OF_MISSES)


_KINDS_OF_MISSES = ("missed_melanomas", "false_alarms")
