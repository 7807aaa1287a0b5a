"""Every metric of every network with the interval that is reported, and what is beside AUROC's."""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.stats.intervals.crossval_interval import prediction_interval
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.between_groups_auroc import between_groups_auroc

COLUMNS = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "pauc_above_sensitivity": "pAUC above 80 % sensitivity",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}


@dataclass(frozen=True)
class _NetworkIntervals:
    """The intervals of one network.

    Attributes:
        label: Name for readers.
        auroc: AUROC, mean over cells.
        metrics: Metric -> the interval that is reported.
        next_study: What the AUROC of the next study of this size would lie in; None without an
            interval.
        over_folds: Corrected resampled t interval of AUROC; None with one cell.
        between_groups: AUROC over pairs of different groups.
    """

    label: str
    auroc: float
    metrics: dict[str, Interval | None]
    next_study: Interval | None
    over_folds: Interval | None
    between_groups: float


def intervals_section(context: ReportContext) -> Section:
    """Collect the intervals of all complete networks, best AUROC first."""
    networks = [_network_intervals(context, key) for key in context.bootstrapped]
    networks.sort(key=lambda network: -network.auroc)
    content = {
        "networks": networks,
        "columns": COLUMNS,
        "folds": context.run.configuration.folds,
        "replicates": context.weights.replicates,
        "groups": context.weights.groups.size,
        "factor": context.design(next(iter(context.bootstrapped))).factor,
    }
    return Section("intervals", "How sure", content, networks)


def _network_intervals(context: ReportContext, key: RowKey) -> _NetworkIntervals:
    row, auroc = context.by_cells.row(*key), context.interval(key, "auroc")
    over_folds = row.over_folds.get("auroc") if row else None
    return _NetworkIntervals(
        label=context.label(key),
        auroc=context.bootstrapped[key].estimate["auroc"],
        metrics={metric: context.interval(key, metric) for metric in COLUMNS},
        next_study=_next_study(auroc),
        over_folds=None if context.run.protocol == "poster" else over_folds,
        between_groups=between_groups_auroc(context.predictions[key]),
    )


def _next_study(interval: Interval | None) -> Interval | None:
    try:
        return interval and prediction_interval(interval)
    except StatisticsError:  # all pairs are right
        return None
