"""The interval of any cross-validated metric: by its own kind of error, widened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult
from melanoscope.stats.calibration.calibration_intervals import (
    brier_interval,
    calibration_line_intervals,
)
from melanoscope.stats.intervals.auroc_interval import auroc_degrees_of_freedom
from melanoscope.stats.intervals.clustered import DISJOINT_PAIRS
from melanoscope.stats.intervals.crossval_interval import (
    CrossValidation,
    Variance,
    crossval_interval,
    crossval_variance,
)
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.intervals.proportion import exact_bounds
from melanoscope.stats.predictions import Predictions

_TOP = {"pauc_above_sensitivity": 0.2}
_LINE = ("calibration_slope", "calibration_intercept")


def crossval_metric(
    predictions: Predictions,
    bootstrapped: BootstrapResult,
    metric: str,
    design: CrossValidation,
    values: Sequence[float] | None = None,
) -> Interval:
    """Return a metric of one network with the interval that is reported.

    Brier score, calibration slope and intercept have robust intervals over groups, since replicates
    keep the number of positives nearly fixed; the others have the group bootstrap's. All are
    widened for cross-validation (`crossval_variance`).

    Args:
        predictions: Test predictions of the network.
        bootstrapped: The same predictions, resampled.
        metric: Name of the metric; it must have been resampled, unless it has a robust interval.
        design: How the predictions were obtained.
        values: The metric of each cell, at least two; None where it pools the folds.

    Returns:
        The interval.

    Raises:
        StatisticsError: Separated classes, or too few groups.
    """
    if metric == "brier" or metric in _LINE:
        return widened(_robust(predictions, metric), design)
    estimate, top = bootstrapped.estimate[metric], _TOP.get(metric, 1.0)
    by_patients = Variance(bootstrapped.variance(metric), auroc_degrees_of_freedom(predictions))
    if values is not None and len(values) < 2:
        values = None
    if estimate in (0.0, top):
        return _exact(predictions, estimate, top, design)
    return crossval_interval(
        estimate,
        crossval_variance(by_patients, design, values),
        groups=bootstrapped.n_groups,
        top=top,
    )


def widened(interval: Interval, design: CrossValidation) -> Interval:
    """Widen an `interval` over groups by the root of `CrossValidation.factor`, on its own scale."""
    by = float(np.sqrt(design.factor))
    return replace(
        interval,
        low=interval.estimate - by * (interval.estimate - interval.low),
        high=interval.estimate + by * (interval.high - interval.estimate),
        standard_error=interval.standard_error * by,
        method=f"{interval.method}, widened for cross-validation",
    )


def _robust(predictions: Predictions, metric: str) -> Interval:
    values = predictions.target, predictions.probability, predictions.group
    if metric == "brier":
        return brier_interval(*values)
    return calibration_line_intervals(*values)[metric == _LINE[1]]


def _exact(
    predictions: Predictions, estimate: float, top: float, design: CrossValidation
) -> Interval:
    # Nothing varies: each pair of a positive's and another's group that shares none with the others
    # is right, or wrong.
    pairs = pooled_auroc(predictions).pairs
    low, high = exact_bounds(estimate / top, pairs / design.factor)
    return Interval(
        estimate=estimate,
        low=top * low,
        high=top * high,
        standard_error=0.0,
        n=pairs,
        method=DISJOINT_PAIRS,
        unit="groups",
    )
