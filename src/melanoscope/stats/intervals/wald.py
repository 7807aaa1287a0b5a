"""Intervals and tests from an estimate and its standard error (Wald), and the error over groups."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes, Floats
from melanoscope.stats.intervals.interval import UPPER_TAIL, Interval, PairedTest

# Metrics are of order one: what is smaller than this is the rounding of doubles.
ROUNDING = 1e-12


def wald_interval(
    estimate: float,
    standard_error: float,
    *,
    n: int,
    method: str,
    unit: str = "groups",
    degrees_of_freedom: float = np.inf,
    limits: tuple[float, float] = (-np.inf, np.inf),
) -> Interval:
    """Return `estimate` plus and minus the 97.5 % quantile of its error, cut at `limits`."""
    half = _quantile(degrees_of_freedom) * standard_error
    return Interval(
        estimate=estimate,
        low=max(estimate - half, limits[0]),
        high=min(estimate + half, limits[1]),
        standard_error=standard_error,
        n=n,
        method=method,
        unit=unit,
    )


def logit_interval(
    estimate: float,
    standard_error: float,
    *,
    n: int,
    method: str,
    unit: str = "groups",
    degrees_of_freedom: float = np.inf,
    top: float = 1.0,
) -> Interval:
    """Return an `estimate` between 0 and `top` with an interval symmetric on the logit scale."""
    # The error of logit p is that of p over p (1 - p), by the delta method (Agresti 2013, section
    # 3.1.6), so that the bounds never leave 0 to `top`.
    share = estimate / top
    if not 0 < share < 1:
        raise StatisticsError(
            f"an estimate between 0 and {top:g} for an interval on the logit scale",
            f"{estimate:g}",
            "give exact bounds there",
        )
    half = _quantile(degrees_of_freedom) * standard_error / top / (share * (1 - share))
    return Interval(
        estimate=estimate,
        low=top * float(expit(logit(share) - half)),
        high=top * float(expit(logit(share) + half)),
        standard_error=standard_error,
        n=n,
        method=method,
        unit=unit,
    )


def _quantile(degrees_of_freedom: float) -> float:
    return float(student.ppf(UPPER_TAIL, degrees_of_freedom))


def wald_test(difference: Interval, degrees_of_freedom: float = np.inf) -> PairedTest:
    """Test one-sided that `difference` is above 0; without any error p is 0, 0.5 or 1."""
    statistic = _statistic(difference.estimate, difference.standard_error)
    p_value = float(student.sf(statistic, degrees_of_freedom))
    return PairedTest(difference, statistic, p_value, degrees_of_freedom)


def lower_bound(test: PairedTest, alpha: float) -> float:
    """Return the bound that the true difference is above, by a one-sided `test` at level `alpha`.

    It is above 0 where the p-value is below `alpha`, and only there.

    >>> difference = wald_interval(0.03, 0.01, n=5, method="")
    >>> round(lower_bound(wald_test(difference), 0.05), 4)
    0.0136
    """
    half = float(student.isf(alpha, test.degrees_of_freedom)) * test.difference.standard_error
    return test.difference.estimate - half


def equivalence_p_value(test: PairedTest, margin: float) -> float:
    """Return the p-value that the true difference lies between -`margin` and `margin`.

    The larger of two one-sided tests (TOST: Schuirmann 1987): below alpha both are rejected, which
    is where the interval of confidence 1 - 2 alpha lies within the margin.

    Args:
        test: The test of the difference.
        margin: Difference that would not matter, above 0.

    Returns:
        The p-value.

    >>> round(equivalence_p_value(wald_test(wald_interval(0.0, 0.01, n=5, method="")), 0.02), 4)
    0.0228
    """
    inside = margin - abs(test.difference.estimate)
    return float(
        student.sf(_statistic(inside, test.difference.standard_error), test.degrees_of_freedom)
    )


def _statistic(distance: float, standard_error: float) -> float:
    if standard_error > 0:
        return distance / standard_error
    return 0.0 if abs(distance) <= ROUNDING else float(np.copysign(np.inf, distance))


def clustered_error(influence: Floats, member: Codes) -> float:
    """Return the standard error of a sum of `influence`, (n,), over groups numbered by `member`."""
    by_group = np.bincount(member, influence)
    return float(np.sqrt(by_group.size / (by_group.size - 1) * (by_group @ by_group)))


def effective_degrees_of_freedom(influence: Floats, member: Codes) -> float:
    """Return the degrees of freedom by which `clustered_error` knows its square.

    2 / (sum of h^4 / (sum of h^2)^2 - 1 / k) for the influences h of k groups: twice the squared
    variance over the variance of its estimate (Satterthwaite 1946). For equal normal influences
    that is k; less where few groups, as one patient with many photographs, make up most of it.

    Args:
        influence: How far each photograph moves the estimate, shape (n,).
        member: Number of each photograph's group, from 0, shape (n,).

    Returns:
        The degrees of freedom, 1 to k - 1.

    >>> one_patient = np.array([5.0, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1])
    >>> round(effective_degrees_of_freedom(one_patient, np.arange(11)), 1)
    4.7
    """
    squares = np.bincount(member, influence) ** 2
    k = squares.size
    if not squares.any():
        return k - 1.0
    doubt = float((squares @ squares) / squares.sum() ** 2) - 1 / k
    return float(np.clip(2 / doubt, 1, k - 1)) if doubt > 0 else k - 1.0
