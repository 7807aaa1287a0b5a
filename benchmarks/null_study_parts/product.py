"""Every interval and claim that a report prints, by the package's functions, beside the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult, bootstrap_many
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.crossval_interval import CrossValidation, prediction_interval
from melanoscope.stats.intervals.interval import ALPHA, Interval
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.metrics.classification import METRICS
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.selection.best import compare_with_best
from melanoscope.stats.selection.paired_differences import paired_differences
from melanoscope.stats.summary import Summary, summarize
from null_study_parts.population import truths
from null_study_parts.product_sections import calibration, decisions, subgroups
from null_study_parts.record import Record
from null_study_parts.simulate import Setting
from null_study_parts.trained import Trained, trained

RESAMPLED = (
    "auroc",
    "auprc",
    "pauc_above_sensitivity",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "sensitivity",
    "specificity",
)
NEXT = "auroc, next study"
BEST = "distance to the best"
FEW_ARMS = 2
"""Arms that the slower sections are computed for: of a report only the best network has them."""


def product(setting: Setting, seed: list[int], replicates: int) -> Record:
    """Simulate one study, and return what its report would print, with what is true."""
    rng = np.random.default_rng(seed)
    study = trained(setting, rng)
    record = Record()
    arms = range(setting.arms)
    true = [truths(setting, study.cells, arm) for arm in arms]
    predictions = {str(arm): study.predictions(arm) for arm in arms}
    summary = _summary(study)
    design = _design(setting, study)
    resampled: dict[str, BootstrapResult] = {}
    with suppress(StatisticsError):  # too few patients: the report says so
        resampled = bootstrap_many(
            predictions, metrics=RESAMPLED, replicates=replicates, seed=int(rng.integers(2**31))
        )
    _metrics(record, predictions, resampled, summary, true, design)
    _comparisons(record, setting, summary, true)
    if resampled:
        _selection(record, resampled, predictions, summary, true, design)
    for arm in range(FEW_ARMS):
        calibration(record, study, arm, design.factor)
        decisions(record, study, arm, design.factor)
    subgroups(record, study, design.factor, rng)
    return record


def _name(arm: int) -> tuple[str, str]:
    """Return backbone and transfer of an arm: A was fine-tuned, B began from scratch."""
    return f"network {arm // 2}", ("finetune", "scratch")[arm % 2]


def _summary(study: Trained) -> Summary:
    arms = range(study.setting.arms)
    cells = []
    for arm in arms:
        backbone, transfer = _name(arm)
        cells += study.of_arm(arm, transfer, backbone)
    return summarize(cells, planned=[_name(arm) for arm in arms], cells_per_row=len(study.cells))


def _design(setting: Setting, study: Trained) -> CrossValidation:
    return CrossValidation(
        setting.folds,
        float(np.mean([cell.n_train for cell in study.cells])),
        float(np.mean([cell.rows.size for cell in study.cells])),
    )


def _metrics(
    record: Record,
    predictions: dict[str, Predictions],
    resampled: dict[str, BootstrapResult],
    summary: Summary,
    true: list[dict[str, float]],
    design: CrossValidation,
) -> None:
    """The tables' metrics: widened, and by the cells alone."""
    for metric in RESAMPLED:
        found: list[Interval | None] = []
        for name, one in predictions.items():
            row = summary.row(*_name(int(name)))
            values = row.values.get(metric) if row is not None else None
            found.append(
                _known(crossval_metric, one, resampled[name], metric, design, values)
                if resampled
                else None
            )
        wanted = [one[metric] for one in true]
        record.intervals(metric, found, wanted)
        if metric == "auroc":
            following = [None if i is None else _known(prediction_interval, i) for i in found]
            record.intervals(NEXT, following, wanted)
        if metric in METRICS:
            rows = [summary.row(*_name(arm)) for arm in range(len(true))]
            by_cells = [None if row is None else row.over_folds.get(metric) for row in rows]
            record.intervals(f"{metric}, corrected t", by_cells, wanted)


def _comparisons(
    record: Record, setting: Setting, summary: Summary, true: list[dict[str, float]]
) -> None:
    """Stars of every metric, their intervals, equivalence, and the mean over networks."""
    for metric in METRICS:
        tests = [
            summary.comparison(_name(2 * i)[0], "finetune", metric) for i in range(setting.networks)
        ]
        apart = _apart(true, metric)
        intervals = [None if one is None else one.test.difference for one in tests]
        record.intervals(f"{metric}, difference", intervals, apart)
        known = [one for one in tests if one is not None]
        record.claims(f"{metric}: star before Holm", [c.test.p_value < ALPHA for c in known])
        record.claims(f"{metric}: star", [any(c.p_holm < ALPHA for c in known)])
        record.claims(f"{metric}: a network's star", [c.p_holm < ALPHA for c in known])
        if metric == "auroc":
            record.claims(
                "auroc: equivalent within the margin",
                [c.p_equivalence is not None and c.p_equivalence < ALPHA for c in known],
            )
            bounds = [c.lower_bound for c in known]
            record.below("auroc, lower bound beside the star", bounds, apart)
    for test in summary.overall.values():
        mean = float(np.mean(_apart(true, "auroc")))
        record.intervals("auroc, difference over all networks", [test.difference], [mean])
        record.claims("auroc: difference over all networks", [test.p_value < ALPHA])


def _apart(true: list[dict[str, float]], metric: str) -> list[float]:
    return [a[metric] - b[metric] for a, b in zip(true[::2], true[1::2], strict=True)]


def _selection(
    record: Record,
    resampled: dict[str, BootstrapResult],
    predictions: dict[str, Predictions],
    summary: Summary,
    true: list[dict[str, float]],
    design: CrossValidation,
) -> None:
    """Comparisons with the best: intervals that hold together, the set, and non-inferiority."""
    rows = [summary.row(*_name(arm)) for arm in range(len(true))]
    first = predictions["0"]
    holders = [np.unique(first.group[first.target == side]).size for side in (0, 1)]
    differences = paired_differences(
        np.array([row.values["auroc"] for row in rows if row is not None]),
        np.stack([resampled[name].replicates["auroc"] for name in predictions]),
        folds=design.folds,
        n_train=design.n_train,
        n_test=design.n_test,
        degrees_of_freedom=min(holders) - 1.0,
    )
    found = compare_with_best(differences, n=first.n_groups)
    record.together(BEST, [one.interval for one in found], [one["auroc"] for one in true])
    record.best(
        [one.may_be_best for one in found],
        [one.non_inferior for one in found],
        [one["auroc"] for one in true],
        MARGIN,
    )


def _known(function: Callable[..., Interval], *values: object) -> Interval | None:
    with suppress(StatisticsError):
        return function(*values)
    return None
