"""Every metric of every network with its interval over patients, and AUROC's by four methods."""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import StatisticsError
from melanoscope.report.context import ReportContext
from melanoscope.report.sections.section import Section
from melanoscope.runs.cell import RowKey
from melanoscope.stats.intervals.auroc_interval import influence_interval
from melanoscope.stats.intervals.crossval_interval import crossval_interval
from melanoscope.stats.intervals.interval import Interval

COLUMNS = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "pauc_above_sensitivity": "pAUC above 80 % sensitivity",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "brier": "Brier score",
    "expected_calibration_error": "Expected calibration error",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
}


@dataclass(frozen=True)
class _NetworkIntervals:
    """The intervals of one network.

    Attributes:
        label: Name for readers.
        auroc: AUROC, mean over cells.
        metrics: Metric -> interval over patients (`ReportContext.interval`).
        widened: Interval of AUROC widened for cross-validation; None with one cell.
        over_folds: Corrected resampled t interval of AUROC; None with one cell.
        influence: LeDell's influence curve interval of AUROC; None where no fold has enough groups.
    """

    label: str
    auroc: float
    metrics: dict[str, Interval | None]
    widened: Interval | None
    over_folds: Interval | None
    influence: Interval | None


def intervals_section(context: ReportContext) -> Section:
    """Collect the intervals of all complete networks, best AUROC first."""
    networks = [_network_intervals(context, key) for key in context.bootstrapped]
    networks.sort(key=lambda network: -network.auroc)
    content = {
        "networks": networks,
        "columns": COLUMNS,
        "replicates": context.weights.replicates,
        "groups": context.weights.groups.size,
    }
    return Section("intervals", "How sure", content, networks)


def _network_intervals(context: ReportContext, key: RowKey) -> _NetworkIntervals:
    row = context.summary.row(*key)
    return _NetworkIntervals(
        label=context.label(key),
        auroc=context.bootstrapped[key].estimate["auroc"],
        metrics={metric: context.interval(key, metric) for metric in COLUMNS},
        widened=_crossval_auroc(context, key),
        over_folds=row.intervals.get("auroc") if row else None,
        influence=_influence(context, key),
    )


def _influence(context: ReportContext, key: RowKey) -> Interval | None:
    try:
        return influence_interval(context.predictions[key])
    except StatisticsError:
        return None


def _crossval_auroc(context: ReportContext, key: RowKey) -> Interval | None:
    """Return the AUROC of a row with its cross-validation interval; None with one cell."""
    row = context.summary.row(*key)
    if row is None or len(row.keys) < 2:
        return None
    bootstrapped = context.bootstrapped[key]
    if context.interval(key, "auroc") is None:
        return None
    return crossval_interval(
        row.values["auroc"],
        float(bootstrapped.replicates["auroc"].var(ddof=1)),
        folds=context.run.configuration.folds,
        n_train=row.n_train,
        n_test=row.n_test,
        groups=bootstrapped.n_groups,
    )
