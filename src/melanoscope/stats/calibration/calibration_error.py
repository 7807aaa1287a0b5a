"""The calibration error: how far the bins' predicted probabilities lie from what was observed.

A mean of absolute or squared gaps is above 0 also for a perfect network, since bins of few
photographs miss their rate by chance: its percentile interval never held 0. Here chance is taken
off (Broecker 2012; Kumar, Liang & Ma 2019), and the interval holds 0 as often as it says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats, effective_number
from melanoscope.stats.calibration.group_jackknife import WIDENED, check_groups
from melanoscope.stats.intervals.interval import CONFIDENCE, Interval
from melanoscope.stats.validation import check_target_and_probability, number_groups

BINS = 10
METHOD = "debiased, with what chance adds to gaps of this size"
# Groups in each bin: the variance of a gap is known by no more.
_FEWEST_IN_BIN = 20
_DRAWS = 5_000


def equal_mass_bins(probability: Floats, bins: int = BINS) -> Codes:
    """Return the bin, 0 to `bins` - 1, of each `probability`, shape (n,), in bins of equal size."""
    # The i-th smallest of n goes to bin floor(i * bins / n). Equal probabilities share the bin of
    # the first of them, so that the order of rows does not matter; bins may then be empty.
    if bins < 1:
        raise StatisticsError("at least one bin", str(bins), "use 10")
    first = rankdata(probability, method="min").astype(np.int64) - 1
    member: Codes = first * bins // probability.size
    return member


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One bin of photographs with neighbouring probabilities.

    Attributes:
        predicted: Mean predicted probability.
        observed: Share of positives.
        n: Number of photographs.
    """

    predicted: float
    observed: float
    n: int


def calibration_bins(
    target: ArrayLike, probability: ArrayLike, bins: int = BINS
) -> tuple[CalibrationBin, ...]:
    """Compare predicted with observed rates over bins of equal mass.

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        bins: Number of bins, at least 1.

    Returns:
        The bins from the lowest probabilities up; empty ones are left out.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, or no bin.
    """
    positive, score = check_target_and_probability(target, probability)
    member = equal_mass_bins(score, bins)
    return tuple(
        CalibrationBin(
            predicted=float(score[member == code].mean()),
            observed=float(positive[member == code].mean()),
            n=int((member == code).sum()),
        )
        for code in np.unique(member)
    )


def calibration_error_interval(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike, *, widening: float = 1.0
) -> Interval:
    """Return the root mean squared gap between predicted and observed rates, without chance's part.

    With the gap d_b of bin b that holds a share w_b of the photographs, and its variance v_b over
    groups: the root of sum w_b (d_b^2 - v_b), 0 where chance alone would give as much (Broecker
    2012, equation 14; Kumar, Liang & Ma 2019, definition 5.1, whose v_b is that of independent
    photographs). It is what ten bins show; within bins more may be wrong.

    The interval holds each error r from which the uncorrected sqrt(sum w_b d_b^2) lies no further
    than in 95 % of samples: Kent & Hainsworth's (1995) interval of the noncentral chi-squared
    distribution, here with the gaps' covariance over groups (without each group in turn, Student's
    t) and, where variances differ, with gaps in the proportions that were found (Carpenter 1999).
    It lies within d -+ the 95 % quantile of the noise's norm, which holds whatever the gaps.
    Measured coverage: 92 to 98 % (tests/stats/calibration/test_calibration_error.py).

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of the positive class, floating point, 0..1, shape (n,).
        group: Unit of resampling, shape (n,), at least two.
        widening: Factor of the variance for cross-validation (`CrossValidation.factor`); what is
            taken off for chance is not widened.

    Returns:
        The error, 0..1, with its interval; its lower bound is 0 where a calibrated network could
        have given these gaps. Ten bins, or as many as leave 20 groups in each.

    Raises:
        StatisticsError: Dishonest input as in `classification.auroc`, or fewer than two groups.

    >>> rng = np.random.default_rng(0)
    >>> risk = rng.random(2000)
    >>> calibrated = calibration_error_interval(rng.random(2000) < risk, risk, np.arange(2000))
    >>> calibrated.low
    0.0
    >>> wrong = calibration_error_interval(rng.random(2000) < risk**2, risk, np.arange(2000))
    >>> 0.1 < wrong.low < wrong.estimate < wrong.high < 0.3  # in truth 0.18
    True
    """
    positive, score = check_target_and_probability(target, probability)
    member = number_groups(group, positive.size)
    check_groups(int(member.max()) + 1)
    gaps, covariance = _gaps(positive - score, member, _choose_bins(score, member))
    information = np.bincount(member, score * (1 - score)).astype(np.float64)
    freedom = effective_number(information) - 1 if information.any() else 1.0
    low, high = _bounds(gaps, widening * covariance, max(freedom, 1.0))
    squared = float(gaps @ gaps - np.trace(covariance))
    return Interval(
        estimate=float(np.sqrt(max(squared, 0.0))),
        low=low,
        high=high,
        standard_error=float("nan"),
        n=int(member.max()) + 1,
        method=METHOD if widening == 1 else f"{METHOD}{WIDENED}",
        unit="groups",
    )


def _choose_bins(score: Floats, member: Codes) -> Codes:
    """Return ten bins, or as many as leave enough groups in each, renumbered from 0."""
    for bins in range(BINS, 0, -1):
        numbers = np.unique(equal_mass_bins(score, bins), return_inverse=True)[1]
        pairs = np.unique(np.stack([numbers, member]), axis=1)
        if np.bincount(pairs[0]).min() >= _FEWEST_IN_BIN:
            break
    return numbers.astype(np.int64)


def _gaps(difference: Floats, member: Codes, bins: Codes) -> tuple[Floats, Floats]:
    """Return the gaps times the roots of the bins' shares, (b,), and their covariance, (b, b)."""
    sizes = np.bincount(bins)
    gap = np.bincount(bins, difference) / sizes
    groups = int(member.max()) + 1
    shape = (sizes.size, groups)
    cell = bins * groups + member
    residual = np.bincount(cell, difference - gap[bins], sizes.size * groups).reshape(shape)
    held = np.bincount(cell, minlength=sizes.size * groups).reshape(shape)
    # The gap minus that without the group.
    shift = residual / np.maximum(sizes[:, None] - held, 1)
    root = np.sqrt(sizes / difference.size)
    shift *= root[:, None]
    covariance: Floats = (groups - 1) / groups * (shift @ shift.T)
    return gap * root, covariance


def _bounds(gaps: Floats, covariance: Floats, freedom: float) -> tuple[float, float]:
    """Return the least and the largest norm of true gaps that the norm of `gaps` agrees with."""
    rng = np.random.default_rng(0)
    values, vectors = np.linalg.eigh(covariance)
    noise = rng.standard_normal((_DRAWS, gaps.size)) * np.sqrt(np.maximum(values, 0)) @ vectors.T
    noise /= np.sqrt(rng.chisquare(freedom, (_DRAWS, 1)) / freedom)
    norm = float(np.linalg.norm(gaps))
    # Without any gap, the direction in which chance reaches furthest.
    along = noise @ (gaps / norm if norm > 0 else vectors[:, -1])
    squares = (noise**2).sum(axis=1)

    def excess(true: float) -> float:
        """How much further than the 95 % quantile the norm lies from the `true` one."""
        drawn = np.sqrt(np.maximum(true**2 + 2 * true * along + squares, 0))
        return abs(norm - true) - float(np.quantile(np.abs(drawn - true), CONFIDENCE))

    # By the triangle inequality no norm moves by more than that of the noise.
    reach = float(np.quantile(np.sqrt(squares), CONFIDENCE))
    if reach == 0:
        return norm, norm
    # With one bin the ends are the bounds, and rounding may put them inside.
    low, high = norm - reach, norm + reach
    if low > 0 and excess(low) > 0:
        low = float(brentq(excess, low, norm))
    if excess(high) > 0:
        high = float(brentq(excess, norm, high))
    return max(low, 0.0), high
