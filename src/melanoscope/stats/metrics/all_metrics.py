"""All metrics of one network's predictions, from the plain functions: what the bootstrap resamples.

AUROC, AUPRC, partial AUROC, accuracy, balanced accuracy and F1 are means over parts, as in the
tables, since only within a part do probabilities of one network stand beside each other; the other
metrics pool the parts.
"""

from __future__ import annotations

import numpy as np

from melanoscope.stats.bootstrap.weighted_rank_metrics import RANK_METRICS
from melanoscope.stats.calibration.calibration_error import (
    calibration_line,
    expected_calibration_error,
)
from melanoscope.stats.metrics.classification import (
    accuracy,
    auprc,
    auroc,
    balanced_accuracy,
    brier_score,
    f1_score,
    pauc_above_sensitivity,
    sensitivity,
    specificity,
)
from melanoscope.stats.predictions import Predictions

THRESHOLD_METRICS = ("accuracy", "balanced_accuracy", "f1", "sensitivity", "specificity")
PROBABILITY_METRICS = (
    "brier",
    "expected_calibration_error",
    "calibration_slope",
    "calibration_intercept",
)
ALL_METRICS = (*RANK_METRICS, *THRESHOLD_METRICS, *PROBABILITY_METRICS)


def all_metrics(predictions: Predictions) -> dict[str, float]:
    """Compute every metric of `ALL_METRICS`, in that order; without intervals.

    Raises:
        StatisticsError: A part of one class, or probabilities to which no calibration line can be
            fitted.
    """
    one = predictions
    # Each prediction has its own threshold: decisions as probabilities that 0.5 tells apart.
    called = (one.probability >= one.threshold).astype(np.float64)
    per_part = []
    for part in one.parts:
        mine = one.part == part
        target, probability, decided = one.target[mine], one.probability[mine], called[mine]
        per_part.append(
            {
                "auroc": auroc(target, probability),
                "auprc": auprc(target, probability),
                "pauc_above_sensitivity": pauc_above_sensitivity(target, probability),
                "accuracy": accuracy(target, decided, 0.5),
                "balanced_accuracy": balanced_accuracy(target, decided, 0.5),
                "f1": f1_score(target, decided, 0.5),
            }
        )
    line = calibration_line(one.target, one.probability)
    values = {metric: float(np.mean([of[metric] for of in per_part])) for metric in per_part[0]}
    values |= {
        "sensitivity": sensitivity(one.target, called, 0.5),
        "specificity": specificity(one.target, called, 0.5),
        "brier": brier_score(one.target, one.probability),
        "expected_calibration_error": expected_calibration_error(one.target, one.probability),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
    }
    return {metric: values[metric] for metric in ALL_METRICS}
