"""Metrics of probabilities by name, each with its interval over groups."""

from __future__ import annotations

from melanoscope.stats.calibration.calibration_error import calibration_error_interval
from melanoscope.stats.calibration.calibration_intervals import (
    brier_interval,
    calibration_line_intervals,
)
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.predictions import Predictions

PROBABILITY_METRICS = ("brier", "calibration_error", "calibration_slope", "calibration_intercept")


def probability_interval(
    predictions: Predictions, metric: str, *, widening: float = 1.0
) -> Interval:
    """Return a metric of probabilities, folds pooled, with its interval.

    Args:
        predictions: Test predictions of one network.
        metric: One of `PROBABILITY_METRICS`.
        widening: Factor of the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The metric with its interval.

    Raises:
        StatisticsError: Fewer than two groups; for slope and intercept also separated classes.
    """
    sample = predictions.target, predictions.probability, predictions.group
    if metric == "brier":
        return brier_interval(*sample, widening=widening)
    if metric == "calibration_error":
        return calibration_error_interval(*sample, widening=widening)
    return calibration_line_intervals(*sample, widening=widening)[metric == "calibration_intercept"]
