"""Differences of every two networks that were tested on the same patients.

The error of a difference is that of the paired group bootstrap, widened for cross-validation as
`crossval_interval` is; for networks tested on one set it is as it is. What all comparisons of one
network have in common is taken from the joint distribution of the replicates: Westfall & Young
(1993), "Resampling-based multiple testing", maxT.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.crossval_interval import METHOD, CrossValidation, widen
from melanoscope.stats.intervals.interval import CONFIDENCE
from melanoscope.stats.intervals.wald import ROUNDING


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedDifferences:
    """Differences of every two of k networks; row minus column.

    Attributes:
        difference: Network i minus network j, shape (k, k).
        standard_error: Of each difference, counting patients, training and folds, shape (k, k).
        allowance: By how much differences from network i may be off, by chance alone, to its
            disadvantage: all k - 1 of a row together hold with the confidence, shape (k, k).
        replicated_error: Standard deviation of each difference over replicates, shape (k, k).
        method: Where the errors come from.
    """

    difference: Floats
    standard_error: Floats
    allowance: Floats
    replicated_error: Floats
    method: str = METHOD


def paired_differences(
    values: Floats,
    replicates: Floats,
    *,
    folds: int,
    n_train: float,
    n_test: float,
    degrees_of_freedom: float,
    confidence: float = CONFIDENCE,
) -> PairedDifferences:
    """Compare every two networks, each network simultaneously with all others.

    For network i, replicates give the distribution of the largest standardized error among its
    k - 1 differences. Its quantile is a normal one; each difference has that of Student's t with
    the same tail, so that all k - 1 are exceeded equally rarely (Beran 1988, "Balanced simultaneous
    confidence sets", J Am Stat Assoc 83:679-686).

    Args:
        values: Metric of each network per fold and repeat, shape (k, J), k at least 2, J at least
            2; of networks tested on one set, which no network was trained on, shape (k, 1).
        replicates: Mean of each network in each replicate of one bootstrap, shape (k, r); one in
            20 may be NaN, and is left out for all.
        folds: Number of folds of one repeat, at least 2; 1 for one set, whose sizes do not matter.
        n_train: Mean number of photographs trained on per fold, above 0.
        n_test: Mean number of photographs tested on per fold, above 0.
        degrees_of_freedom: Of the bootstrap's variances, above 0.
        confidence: Of all differences of one network together, one-sided.

    Returns:
        The differences.

    Raises:
        StatisticsError: Fewer than two networks, one result with several folds or the reverse,
            shapes that do not fit, or NaN.
    """
    _check(values, replicates, folds)
    replicates = without_gaps(replicates)
    mean = values.mean(axis=1)
    deviations = replicates - replicates.mean(axis=1, keepdims=True)
    replicated = np.stack([(deviations - one).std(axis=1, ddof=1) for one in deviations])
    design = CrossValidation(folds, n_train, n_test)
    # One set has no chance in training of which a spread over folds would tell.
    between, results = replicated**2, 2
    if folds > 1:
        between = np.stack([(values - one).var(axis=1, ddof=1) for one in values]) / folds
        results = values.shape[1]
    variance, freedom = widen(replicated**2, between, design, degrees_of_freedom, results)
    tails = np.array([_tail(deviations, i, replicated[i], confidence) for i in range(len(values))])
    error = np.sqrt(variance)
    return PairedDifferences(
        difference=mean[:, None] - mean,
        standard_error=error,
        allowance=student.isf(tails[:, None], freedom) * error,
        replicated_error=replicated,
        method=METHOD if folds > 1 else "group bootstrap",
    )


def _tail(deviations: Floats, control: int, error: Floats, confidence: float) -> float:
    """Return how rarely each difference from the `control` may be exceeded, so that all hold."""
    varies = error > ROUNDING
    if not varies.any():
        return 1 - confidence
    standardized = (deviations[varies] - deviations[control]) / error[varies, None]
    return float(norm.sf(np.quantile(standardized.max(axis=0), confidence)))


def _check(values: Floats, replicates: Floats, folds: int) -> None:
    fits = values.ndim == replicates.ndim == 2 and len(values) == len(replicates)
    if not fits or min(len(values), *replicates.shape) < 2:
        raise StatisticsError(
            "two networks or more, and replicates of each",
            f"shapes {values.shape} and {replicates.shape}",
            "compare finished networks of one run",
        )
    if (values.shape[1] > 1) != (folds > 1):
        raise StatisticsError(
            "two results or more of two folds or more, or one result of one set",
            f"{values.shape[1]} results of {folds} folds",
            "compare finished networks of one run",
        )
    if not np.isfinite(values).all():
        raise StatisticsError(
            "finite results of every network and fold", "NaN or infinity", "leave out what has none"
        )


def without_gaps(replicates: Floats, missing: float = 0.05) -> Floats:
    """Return the replicates, (k, r), in which every network has a number; refuse few of them."""
    known = np.isfinite(replicates).all(axis=0)
    if known.sum() < max((1 - missing) * known.size, 2):
        raise StatisticsError(
            "both classes in nearly every replicate",
            f"{int((~known).sum())} of {known.size} without",
            "use fewer folds or more patients",
        )
    return replicates[:, known]
