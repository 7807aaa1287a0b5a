"""What could be had without the lesion: the archive, age, sex and site; and what is left without.

"Each archive alone" and "within archives" compare photographs of one archive only, so that telling
archives apart gains nothing; "balanced" weighs photographs so that each archive has one prevalence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.runs.results import as_predictions
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.auroc_interval import auroc_degrees_of_freedom
from melanoscope.stats.intervals.crossval_interval import (
    Variance,
    crossval_test,
    crossval_variance,
)
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.subgroups.source_balanced_auroc import (
    source_balanced_auroc,
    within_archive_auroc,
)


@dataclass(frozen=True)
class Baseline:
    """A prediction made without the photograph, from what `name` says."""

    name: str
    auroc: Interval | None


@dataclass(frozen=True)
class _WithoutShortcut:
    """One network where the archive's name cannot help.

    Attributes:
        label: Name for readers.
        overall: AUROC over all photographs; None without an interval.
        within: AUROC over pairs of photographs of one archive; None with one archive.
        balanced: AUROC with each archive weighed to one prevalence; None where that cannot be.
        alone: Archive -> AUROC within it; None where it holds one class or too few patients.
    """

    label: str
    overall: Interval | None
    within: Interval | None
    balanced: Interval | None
    alone: dict[str, Interval | None]


def shortcuts_section(context: ReportContext) -> Section:
    """Compare every network with what needs no photograph, and look at it without the archive."""
    datasets = sorted(context.run.catalog["dataset"].unique())
    datasets = datasets if len(datasets) > 1 else []
    networks = [_without_shortcut(context, key, datasets) for key in context.predictions]
    networks.sort(key=lambda one: -one.overall.estimate if one.overall else 0.0)
    numbers = {
        "baselines": _baselines(context),
        "networks": networks,
        "static_data_adds": _static_data_adds(context),
    }
    return Section("shortcuts", "Shortcuts", {**numbers, "datasets": datasets}, numbers)


def _baselines(context: ReportContext) -> list[Baseline]:
    table = context.run.baselines
    baselines = []
    for name in table["baseline"].unique(maintain_order=True):
        rows = table.filter(baseline=name).drop("baseline")
        baselines.append(Baseline(str(name), _or_none(partial(_baseline_auroc, context, rows))))
    return baselines


def _baseline_auroc(context: ReportContext, rows: pl.DataFrame) -> Interval:
    predictions = as_predictions(context.run, rows)
    resampled = group_bootstrap(predictions, metrics=("auroc",), replicates=context.replicates)
    design = context.design(next(iter(context.predictions)))
    return crossval_metric(predictions, resampled, "auroc", design)


def _static_data_adds(context: ReportContext) -> dict[str, PairedTest]:
    """Test by how much age, sex and site raise AUROC: fine-tuned with them minus without, paired.

    The interval is widened for cross-validation, as that of AUROC itself.
    """
    tests = {}
    for backbone, transfer in context.bootstrapped:
        with_static = context.summary.row(backbone, "finetune")
        without = context.summary.row(backbone, "image_only")
        if transfer != "image_only" or (backbone, "finetune") not in context.bootstrapped:
            continue
        if with_static is None or without is None or len(with_static.keys) < 2:
            continue
        bootstrapped = context.bootstrapped[backbone, "finetune"]
        differences = (
            bootstrapped.replicates["auroc"]
            - context.bootstrapped[backbone, "image_only"].replicates["auroc"]
        )
        gains = np.subtract(with_static.values["auroc"], without.values["auroc"])
        by_patients = Variance(
            float(differences.var(ddof=1)),
            auroc_degrees_of_freedom(context.predictions[backbone, "finetune"]),
        )
        tests[context.labels.get(backbone, backbone)] = crossval_test(
            float(gains.mean()),
            crossval_variance(by_patients, context.design((backbone, "finetune")), gains),
            groups=bootstrapped.n_groups,
        )
    return tests


def _without_shortcut(
    context: ReportContext, key: RowKey, datasets: Sequence[str]
) -> _WithoutShortcut:
    predictions, widening = context.predictions[key], context.design(key).factor
    archive = context.column("dataset")[predictions.image_index]

    def alone(name: str) -> Interval:
        mask = archive == name
        return within_archive_auroc(predictions.where(mask), archive[mask], widening)

    within = partial(within_archive_auroc, predictions, archive, widening)
    balanced = partial(source_balanced_auroc, predictions, archive, widening)
    return _WithoutShortcut(
        label=context.label(key),
        overall=context.interval(key, "auroc"),
        within=_or_none(within) if datasets else None,
        balanced=_or_none(balanced) if datasets else None,
        alone={name: _or_none(partial(alone, name)) for name in datasets},
    )


def _or_none(compute: Callable[[], Interval]) -> Interval | None:
    """Return None for what cannot be computed: a dash, of which the template says why."""
    try:
        return compute()
    except StatisticsError:
        return None
