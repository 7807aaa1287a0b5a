"""Every metric of every network with its interval over patients, and AUROC's by four methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from melanoscope.report.sections.section import Section
from melanoscope.stats.intervals.crossval_interval import crossval_interval
from melanoscope.stats.intervals.influence_interval import influence_interval

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext
    from melanoscope.runs.cell import RowKey
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
class NetworkIntervals:
    """One network.

    Attributes:
        label: Name for readers.
        auroc: Mean over cells.
        metrics: Metric -> interval over patients (`study.interval_of`).
        widened: AUROC with the interval that held the truth in our study of statistics; None with
            one cell.
        over_folds: AUROC with the corrected resampled t interval, or None with one cell.
        influence: AUROC with LeDell's interval.
    """

    label: str
    auroc: float
    metrics: dict[str, Interval | None]
    widened: Interval | None
    over_folds: Interval | None
    influence: Interval


def intervals(study: ReportContext) -> Section | None:
    """Collect the intervals of all complete networks, best AUROC first."""
    if not study.bootstrapped:
        return None
    found = []
    for (backbone, transfer), drawn in study.bootstrapped.items():
        row = study.summary.row(backbone, transfer)
        found.append(
            NetworkIntervals(
                study.label((backbone, transfer)),
                drawn.estimate["auroc"],
                {metric: study.interval((backbone, transfer), metric) for metric in COLUMNS},
                widened_auroc(study, (backbone, transfer)),
                row.intervals.get("auroc") if row else None,
                influence_interval(study.predictions[backbone, transfer]),
            )
        )
    found.sort(key=lambda one: -one.auroc)
    content = {
        "networks": found,
        "columns": COLUMNS,
        "replicates": study.weights.replicates,
        "groups": study.weights.groups.size,
    }
    return Section("intervals", "How sure", content, found)


def widened_auroc(study: ReportContext, key: RowKey) -> Interval | None:
    """AUROC of a row with its widened interval; None with one cell."""
    row = study.summary.row(*key)
    if row is None or len(row.keys) < 2:
        return None
    drawn = study.bootstrapped[key]
    return crossval_interval(
        row.values["auroc"],
        float(drawn.replicates["auroc"].var(ddof=1)),
        folds=int(study.run.record["configuration"]["folds"]),
        n_train=row.n_train,
        n_test=row.n_test,
        groups=drawn.n_groups,
    )
