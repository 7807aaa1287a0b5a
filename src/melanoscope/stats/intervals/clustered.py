"""Estimates from photographs in groups, with bounds at any level: shares and AUROC.

Each knows how far every group moves it (its influence). From that follow its own variance, and what
two estimates from the same patients have in common (`mover`). No draws are needed, so that no
p-value has a floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.special import expit, logit, stdtrit

from melanoscope.stats.arrays import Booleans, Codes, Floats, effective_number
from melanoscope.stats.intervals.interval import LOWER_TAIL, Interval
from melanoscope.stats.intervals.proportion import exact_bounds
from melanoscope.stats.intervals.wald import ROUNDING

KORN_GRAUBARD = "exact for clustered data (Korn & Graubard 1998)"
LOGIT_AUROC = "DeLong for clustered data (Obuchowski 1997), logit scale"
DISJOINT_PAIRS = "Clopper-Pearson over disjoint pairs of groups"


class Clustered(Protocol):
    """An estimate with bounds at any level, and how far each group moves it, shape (groups,)."""

    @property
    def estimate(self) -> float:
        """The estimate itself."""

    @property
    def influence(self) -> Floats:
        """How far each group moves the estimate, shape (groups,)."""

    def bounds(self, tail: float) -> tuple[float, float]:
        """Return the bounds that each miss with chance `tail`, above 0, below 0.5."""


@dataclass(frozen=True, eq=False)
class ClusteredShare:
    """A share of photographs.

    Korn & Graubard (1998), Survey Methodology 24:193-201: exact bounds over the effective number of
    photographs, p (1 - p) / variance, at most their number; corrected for few groups by the squared
    ratio of t quantiles (of photographs - 1 and of groups - 1). Where nothing varies (all are
    recognised, say), it is the number of groups that photographs of one group can least be worth:
    Kish's (1965), (sum of sizes)^2 / sum of squared sizes.

    Attributes:
        estimate: The share.
        influence: How far each group moves it, shape (groups,).
        photographs: Number of photographs that could count.
        holders: Number of groups that hold any of them.
        least: Effective number of groups, were all photographs of a group alike.
        widening: Factor on the variance, `CrossValidation.factor`; 1 without cross-validation.
    """

    estimate: float
    influence: Floats
    photographs: int
    holders: int
    least: float
    widening: float = 1.0

    @staticmethod
    def of(
        right: Booleans, among: Booleans, member: Codes, image: Codes, widening: float = 1.0
    ) -> ClusteredShare:
        """Count the `right` ones `among` photographs, of groups numbered from 0 by `member`."""
        total = int(among.sum())
        share = float((right & among).sum()) / total if total else float("nan")
        moves = np.where(among, right - share, 0.0) / max(total, 1)
        return ClusteredShare(
            estimate=share,
            influence=np.bincount(member, moves).astype(np.float64),
            photographs=np.unique(image[among]).size,
            holders=np.unique(member[among]).size,
            least=kish_number(member[among]),
            widening=widening,
        )

    @cached_property
    def standard_error(self) -> float:
        """Standard error from the spread over groups, widened; 0 where nothing varies."""
        k = self.holders
        variance = float(self.influence @ self.influence) * k / (k - 1) if k > 1 else 0.0
        return float(np.sqrt(self.widening * variance))

    def effective_size(self, tail: float) -> float:
        """Return how many independent photographs would leave as much in doubt."""
        if self.standard_error <= ROUNDING:
            return self.least / self.widening
        size = self.estimate * (1 - self.estimate) / self.standard_error**2
        tail = min(tail, 0.4)  # towards 0.5 both quantiles vanish
        few = stdtrit(self.holders - 1, tail)
        many = stdtrit(max(self.photographs - 1, 1), tail)
        return float(min(size * (many / few) ** 2, self.photographs / self.widening))

    def bounds(self, tail: float = LOWER_TAIL) -> tuple[float, float]:
        """Return the bounds that each miss with chance `tail`, above 0, below 0.5."""
        return exact_bounds(self.estimate, self.effective_size(tail), tail)

    @property
    def interval(self) -> Interval:
        """The 95 % interval; its n counts the groups that hold any of the photographs."""
        low, high = self.bounds()
        return _interval(self, low, high, self.standard_error, self.holders, KORN_GRAUBARD)


@dataclass(frozen=True, eq=False)
class ClusteredAuroc:
    """The share of right pairs among all pairs of a positive and another photograph of one fold.

    Variance by DeLong's components added up within groups (Obuchowski 1997); bounds on the logit
    scale (Qin & Hotilovac 2008), with t of the groups of the rarer class - 1. Where no pair varies,
    because the classes are separated, each of m pairs that share no group counts once: were the
    AUROC A, all of them would be right with chance A ** m.

    Attributes:
        estimate: The AUROC.
        moves: How far each group moves it by its positives, and by its others, (2, groups).
        holders: Number of groups with positives, with others, and with either.
        pairs: Number of pairs of groups that use each group once.
        widening: Factor on the variance, `CrossValidation.factor`; 1 without cross-validation.
    """

    estimate: float
    moves: Floats
    holders: tuple[int, int, int]
    pairs: int
    widening: float = 1.0

    @property
    def influence(self) -> Floats:
        """How far each group moves the estimate, shape (groups,)."""
        both: Floats = self.moves.sum(axis=0)
        return both

    @cached_property
    def standard_error(self) -> float:
        """Standard error over groups, widened; 0 where no pair varies."""
        if min(self.holders[:2]) < 2:
            return 0.0
        variance = float(clustered_variance(self.moves, self.holders))
        return float(np.sqrt(self.widening * variance))

    @property
    def separated(self) -> bool:
        """Whether no pair varies, so that the error is no measure of doubt."""
        return self.standard_error <= ROUNDING or self.estimate in (0.0, 1.0)

    def bounds(self, tail: float = LOWER_TAIL) -> tuple[float, float]:
        """Return the bounds that each miss with chance `tail`, above 0, below 0.5."""
        area = self.estimate
        if self.separated:
            return exact_bounds(area, self.pairs / self.widening, tail)
        reach = -stdtrit(min(self.holders[:2]) - 1, tail) * self.standard_error
        reach /= area * (1 - area)
        return float(expit(logit(area) - reach)), float(expit(logit(area) + reach))

    @property
    def interval(self) -> Interval:
        """The 95 % interval; its n counts groups, or pairs of groups where no pair varies."""
        low, high = self.bounds()
        if self.separated:
            return _interval(self, low, high, 0.0, self.pairs, DISJOINT_PAIRS)
        return _interval(self, low, high, self.standard_error, self.holders[2], LOGIT_AUROC)


def clustered_variance(moves: Floats, holders: tuple[int, ...]) -> Floats:
    """Return the variance of an AUROC, or of a difference of two, over groups.

    Obuchowski (1997): the sums of squares of each class, and their products in mixed groups, each
    with the factor k / (k - 1) of its k groups; since the third has the most, the whole is never
    below 0 (but for rounding, which is taken off).

    Args:
        moves: How far each group moves it by its positives, and by its others, (2, ..., groups).
        holders: Number of groups with positives, with others, and with either, 2 or more each.

    Returns:
        The variances, of the shape between: one for `moves` of shape (2, groups).
    """
    positives, others, either = (k / (k - 1) for k in holders)
    a, b = moves
    variance = positives * np.vecdot(a, a) + others * np.vecdot(b, b)
    rounded: Floats = np.maximum(variance + 2 * either * np.vecdot(a, b), 0.0)
    return rounded


def kish_number(member: Codes) -> float:
    """Return the effective number of groups, of which each photograph's number is in `member`.

    Kish (1965): (sum of sizes)^2 / sum of squared sizes, the number of groups where they are alike.

    >>> kish_number(np.array([0, 0, 1, 1])), kish_number(np.array([0, 0, 0, 1]))
    (2.0, 1.6)
    """
    return effective_number(np.bincount(member).astype(np.float64))


def disjoint_pairs(holds: Booleans, home: Codes) -> int:
    """Count the pairs of a positive and another of one fold that can use each group once.

    Args:
        holds: Whether each group holds positives, and others, shape (2, groups).
        home: Fold of each group, shape (groups,).

    Returns:
        The number of pairs, at least 1.

    >>> disjoint_pairs(np.array([[True, True, False], [False, False, True]]), np.zeros(3, int))
    1
    """
    pairs = 0
    for fold in np.unique(home):
        inside = holds[:, home == fold]
        pairs += min(*inside.sum(axis=1).tolist(), int(inside.any(axis=0).sum()) // 2)
    return max(pairs, 1)


def _interval(
    found: Clustered, low: float, high: float, standard_error: float, n: int, method: str
) -> Interval:
    return Interval(
        estimate=found.estimate,
        low=low,
        high=high,
        standard_error=standard_error,
        n=n,
        method=method,
        unit="groups",
    )
