"""DeLong's interval of the AUROC of one network on one set of photographs.

DeLong, DeLong & Clarke-Pearson (1988), by mid-ranks (Sun & Xu 2014); with groups, Obuchowski's
(1997) extension to clustered data, of which the former is the case of one photograph in each group.
Valid only for one set of photographs scored by one network: not for folds pooled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.wald import wald_interval
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.validation import check_target_and_probability, number_groups

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from melanoscope.stats.arrays import Booleans, Codes, Floats
    from melanoscope.stats.intervals.interval import Interval

DELONG = "DeLong"
OBUCHOWSKI = "DeLong for clustered data (Obuchowski 1997)"


def delong_interval(
    target: ArrayLike, probability: ArrayLike, group: ArrayLike | None = None
) -> Interval:
    """Return the AUROC with its interval, cut at 0 and 1.

    Where the classes are separated no pair varies, and the interval has no width (so in pROC).

    Args:
        target: 0 or 1 per photograph, shape (n,), both present.
        probability: Predicted probability of melanoma, floating point, 0..1, shape (n,).
        group: Patient of each photograph, shape (n,); None where each photograph has its own.

    Returns:
        The interval; its n counts photographs, or groups where they are given.

    Raises:
        StatisticsError: Dishonest input, groups of another shape or NaN, or fewer than two units
            of a class.

    >>> i = delong_interval([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> i.estimate, round(i.standard_error, 4), i.unit
    (0.75, 0.3536, 'photographs')
    """
    positive, score = check_target_and_probability(target, probability)
    n = positive.size
    member = np.arange(n) if group is None else number_groups(group, n)
    unit = "photographs" if group is None else "groups"
    for side, lesions in ((positive, "melanomas"), (~positive, "other lesions")):
        holders = np.unique(member[side]).size
        if holders < 2:
            raise StatisticsError(
                f"at least 2 {unit} with {lesions}", str(holders), f"use more {unit}"
            )
    return wald_interval(
        auroc(target, score),
        _standard_error(positive, score, member),
        n=int(member.max()) + 1,
        method=DELONG if group is None else OBUCHOWSKI,
        unit=unit,
        limits=(0.0, 1.0),
    )


def placement_values(positive: Booleans, score: Floats) -> tuple[Floats, Floats]:
    """Return the share of right pairs of each melanoma, and of each other lesion.

    DeLong's structural components V10 and V01; the mean of either is the AUROC.

    Args:
        positive: Whether each photograph shows a melanoma, shape (n,), both present.
        score: Predicted scores, shape (n,).

    Returns:
        Share of the others below each melanoma (ties count half), shape (melanomas,), and share of
        the melanomas above each other lesion, shape (others,).
    """
    hits, others = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(score)
    above = (ranks[positive] - rankdata(score[positive])) / others
    below = 1 - (ranks[~positive] - rankdata(score[~positive])) / hits
    return np.asarray(above, np.float64), np.asarray(below, np.float64)


def _standard_error(positive: Booleans, score: Floats, member: Codes) -> float:
    """Obuchowski (1997): the sums of squares of each class, and their products in mixed units.

    Each with the factor k / (k - 1) of its k units; since the third has the most, the whole is
    never below 0 (but for rounding).
    """
    above, below = placement_values(positive, score)
    units = int(member.max()) + 1
    # By how much each unit's melanomas, and its others, move the AUROC.
    of_melanomas = np.bincount(member[positive], (above - above.mean()) / above.size, units)
    of_others = np.bincount(member[~positive], (below - below.mean()) / below.size, units)

    def factor(members: Codes) -> float:
        held = np.unique(members).size
        return held / (held - 1)

    variance = (
        factor(member[positive]) * float(of_melanomas @ of_melanomas)
        + factor(member[~positive]) * float(of_others @ of_others)
        + 2 * factor(member) * float(of_melanomas @ of_others)
    )
    return float(np.sqrt(max(variance, 0.0)))
