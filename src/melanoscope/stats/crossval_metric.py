"""The interval of any cross-validated metric: by its own kind of error, widened."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult
from melanoscope.stats.calibration.probability_metrics import (
    PROBABILITY_METRICS,
    probability_interval,
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
from melanoscope.stats.intervals.metric_influence import (
    fewest_degrees_of_freedom,
    metric_influences,
)
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.intervals.proportion import exact_bounds
from melanoscope.stats.intervals.wald import ROUNDING
from melanoscope.stats.multiclass_predictions import (
    AnyPredictions,
    MulticlassPredictions,
    fewest_groups,
)
from melanoscope.stats.predictions import Predictions

GROUPS_OF_RAREST = "exact bounds by the groups of the rarest class"
_TOP = {"pauc_above_sensitivity": 0.2}


def crossval_metric(
    predictions: AnyPredictions,
    bootstrapped: BootstrapResult,
    metric: str,
    design: CrossValidation,
    values: Sequence[float] | None = None,
) -> Interval:
    """Return a metric of one network with the interval that is reported.

    Brier score, calibration error, slope and intercept have intervals of their own, since
    replicates keep the number of positives nearly fixed; the others have the group bootstrap's. All
    are widened for cross-validation (`crossval_variance`).

    Args:
        predictions: Test predictions of the network.
        bootstrapped: The same predictions, resampled.
        metric: Name of the metric; it must have been resampled, unless it is one of probabilities.
        design: How the predictions were obtained.
        values: The metric of each cell, at least two; None where it pools the folds.

    Returns:
        The interval.

    Raises:
        StatisticsError: Separated classes, or too few groups.
    """
    if isinstance(predictions, Predictions) and metric in PROBABILITY_METRICS:
        return probability_interval(predictions, metric, widening=design.factor)
    estimate, top = bootstrapped.estimate[metric], _TOP.get(metric, 1.0)
    by_patients = Variance(bootstrapped.variance(metric), _degrees_of_freedom(predictions, metric))
    if values is not None and len(values) < 2:
        values = None
    if estimate in (0.0, top):
        return _exact(predictions, estimate, top, design)
    if by_patients.value <= ROUNDING**2 and not values:
        raise StatisticsError(
            "answers that vary between patients",
            f"{metric} the same in every draw, as where all photographs are called alike",
            "choose another threshold",
        )
    return crossval_interval(
        estimate,
        crossval_variance(by_patients, design, values),
        groups=bootstrapped.n_groups,
        top=top,
    )


def _degrees_of_freedom(predictions: AnyPredictions, metric: str) -> float:
    if isinstance(predictions, Predictions):
        return auroc_degrees_of_freedom(predictions)
    member = np.unique(predictions.group, return_inverse=True)[1].astype(np.int64)
    return fewest_degrees_of_freedom(metric_influences(predictions, metric), member)


def _exact(
    predictions: AnyPredictions, estimate: float, top: float, design: CrossValidation
) -> Interval:
    # Nothing varies: each pair of a positive's and another's group that shares none with the others
    # is right, or wrong; of several classes each group of the one with the fewest is.
    several = isinstance(predictions, MulticlassPredictions)
    pairs = (
        fewest_groups(predictions)
        if isinstance(predictions, MulticlassPredictions)
        else pooled_auroc(predictions).pairs
    )
    low, high = exact_bounds(estimate / top, pairs / design.factor)
    return Interval(
        estimate=estimate,
        low=top * low,
        high=top * high,
        standard_error=0.0,
        n=pairs,
        method=GROUPS_OF_RAREST if several else DISJOINT_PAIRS,
        unit="groups",
    )
