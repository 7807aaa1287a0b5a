"""What could be had without the lesion: the archive, age, sex and site; and what is left without.

"Each archive alone" and "within archives" compare photographs of one archive only, so that telling
archives apart gains nothing; "balanced" weighs photographs so that each archive has one prevalence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.report.sections.section import Section
from melanoscope.runs.results import as_predictions
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.intervals.crossval_interval import crossval_test
from melanoscope.stats.subgroups.source_balanced_auroc import (
    source_balanced_auroc,
    within_archive_auroc,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from melanoscope.report.context import ReportContext
    from melanoscope.runs.cell import RowKey
    from melanoscope.stats.intervals.interval import Interval, PairedTest


@dataclass(frozen=True)
class Baseline:
    """A prediction without the photograph."""

    name: str
    auroc: Interval


@dataclass(frozen=True)
class WithoutShortcut:
    """One network where the archive's name cannot help.

    Attributes:
        label: Name for readers.
        overall: AUROC over all photographs.
        within: Only photographs of one archive are compared.
        balanced: Each archive weighed to one prevalence; None where no two archives hold both
            classes.
        alone: Archive -> AUROC within it; None where it holds one class or too few patients.
    """

    label: str
    overall: Interval
    within: Interval | None
    balanced: Interval | None
    alone: dict[str, Interval | None]


def shortcuts(study: ReportContext) -> Section | None:
    """Compare every network with what needs no photograph, and look at it without the archive."""
    if not study.predictions:
        return None
    datasets = sorted(study.run.catalog["dataset"].unique())
    rows = [_without(study, key, datasets) for key in study.predictions]
    rows.sort(key=lambda row: -row.overall.estimate)
    numbers = {
        "baselines": baselines(study),
        "networks": rows,
        "static_data_adds": static_adds(study),
    }
    return Section(
        "shortcuts",
        "Shortcuts",
        {**numbers, "datasets": datasets if len(datasets) > 1 else []},
        numbers,
    )


def baselines(study: ReportContext) -> list[Baseline]:
    """AUROC of each prediction without the photograph, over the networks' own folds."""
    table = study.run.baselines
    found = []
    for name in table["baseline"].unique(maintain_order=True):
        rows = table.filter(baseline=name).drop("baseline")
        drawn = group_bootstrap(
            as_predictions(study.run, rows), metrics=("auroc",), replicates=study.replicates
        )
        found.append(Baseline(str(name), drawn.interval("auroc")))
    return found


def static_adds(study: ReportContext) -> dict[str, PairedTest]:
    """By how much age, sex and site raise AUROC: fine-tuned with them minus without, paired.

    The interval is widened for cross-validation, as that of AUROC itself.
    """
    found = {}
    for (backbone, transfer), without in study.bootstrapped.items():
        rows = [study.summary.row(backbone, arm) for arm in ("finetune", "image_only")]
        if transfer != "image_only" or (backbone, "finetune") not in study.bootstrapped:
            continue
        if rows[0] is None or rows[1] is None or len(rows[0].keys) < 2:
            continue
        drawn = study.bootstrapped[backbone, "finetune"]
        replicates = drawn.replicates["auroc"] - without.replicates["auroc"]
        found[study.labels.get(backbone, backbone)] = crossval_test(
            np.subtract(rows[0].values["auroc"], rows[1].values["auroc"]),
            float(replicates.var(ddof=1)),
            folds=int(study.run.record["configuration"]["folds"]),
            n_train=rows[0].n_train,
            n_test=rows[0].n_test,
            groups=drawn.n_groups,
        )
    return found


def _without(study: ReportContext, key: RowKey, datasets: list[str]) -> WithoutShortcut:
    one, draws = study.predictions[key], study.weights
    archive = study.column("dataset")[one.photograph]
    several = len(datasets) > 1

    def within(name: str) -> Interval:
        mine = archive == name
        return within_archive_auroc(one.where(mine), draws, archive[mine])

    return WithoutShortcut(
        study.label(key),
        study.bootstrapped[key].interval("auroc"),
        _or_none(lambda: within_archive_auroc(one, draws, archive)) if several else None,
        _or_none(lambda: source_balanced_auroc(one, draws, archive)) if several else None,
        {name: _or_none(partial(within, name)) for name in (datasets if several else [])},
    )


def _or_none(compute: Callable[[], Interval]) -> Interval | None:
    """What cannot be computed is shown as a dash; the template says why."""
    try:
        return compute()
    except StatisticsError:
        return None
