"""Intervals by leaving out one group (patient) at a time, right with few and unequal groups."""

from __future__ import annotations

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats, effective_number
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import wald_interval

METHOD = "jackknife over groups"
WIDENED = ", widened for cross-validation"


def check_groups(groups: int) -> None:
    """Refuse fewer than two `groups`."""
    if groups < 2:
        raise StatisticsError(
            "at least 2 groups (patients)", str(groups), "an interval needs some that vary"
        )


def jackknife_interval(
    estimate: float, shift: Floats, information: Floats, *, widening: float = 1.0
) -> Interval:
    """Return an estimate with its interval from leaving out each group.

    The variance is (g - 1) / g times the sum of squared shifts (Efron & Stein 1981, equation 1.5,
    about the estimate itself: "CV3" of MacKinnon, Nielsen & Webb 2023), Student's t has the
    effective number of groups less 1 (Bell & McCaffrey 2002), so that a patient with a fifth of the
    photographs counts. The usual robust variance (Liang & Zeger 1986) is too small with few groups,
    since each group has pulled the estimate towards itself.

    Args:
        estimate: The estimate.
        shift: Estimate minus that without the group, shape (g,), at least two.
        information: What the group tells of it, in any unit, above 0 on the whole, shape (g,).
        widening: Factor of the variance for cross-validation (`CrossValidation.factor`).

    Returns:
        The interval; its n is g.
    """
    groups = shift.size
    return wald_interval(
        estimate,
        float(np.sqrt(widening * (groups - 1) / groups * (shift @ shift))),
        n=groups,
        method=METHOD if widening == 1 else f"{METHOD}{WIDENED}",
        degrees_of_freedom=max(effective_number(information) - 1, 1.0),
    )
