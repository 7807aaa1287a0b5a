"""The intervals and tests under study, for many networks at once.

The same arithmetic as `melanoscope.stats` (the tests hold the two together), but from one matrix
of concordant pairs per part, so that a repetition with 20 networks takes milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from null_study_parts.simulate import Floats, Ints, Part, Study

Z = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Ranked:
    """One test part, photographs of each class in the order of their groups.

    Attributes:
        positive: Photographs with melanoma, shape (n1,).
        negative: The others, shape (n0,).
        above: Their scores, shape (arms, n1); no score occurs twice.
        below: The others' scores, shape (arms, n0).
        won: Share of the others below each melanoma (DeLong's component V10), shape (arms, n1).
        lost: Share of the melanomas above each other (V01), shape (arms, n0).
    """

    positive: Ints
    negative: Ints
    above: Floats
    below: Floats
    won: Floats
    lost: Floats

    @property
    def auroc(self) -> Floats:
        """Shape (arms,)."""
        return np.asarray(self.won.mean(axis=1), np.float64)

    def first(self, arms: int) -> Ranked:
        """Keep the first arms only."""
        kept = (x[:arms] for x in (self.above, self.below, self.won, self.lost))
        return Ranked(self.positive, self.negative, *kept)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Lower and upper bounds of several intervals, each shape (m,)."""

    low: Floats
    high: Floats


def ranked(study: Study, part: Part) -> Ranked:
    """Rank the photographs of a part, for all arms."""
    order = np.argsort(study.group[part.photograph], kind="stable")
    photograph, score = part.photograph[order], part.score[:, order]
    melanoma = study.target[photograph] == 1
    above, below = score[:, melanoma], score[:, ~melanoma]
    won, lost = np.empty_like(above), np.empty_like(below)
    for arm, (a, b) in enumerate(zip(above, below, strict=True)):
        won[arm] = np.searchsorted(np.sort(b), a) / b.size
        lost[arm] = 1 - np.searchsorted(np.sort(a), b) / a.size
    return Ranked(photograph[melanoma], photograph[~melanoma], above, below, won, lost)


def student_bounds(estimate: Floats, error: Floats, df: float | Floats) -> Bounds:
    """Estimate +- t * error."""
    half = student.ppf(0.975, df) * error
    return Bounds(estimate - half, estimate + half)


def normal_bounds(estimate: Floats, error: Floats) -> Bounds:
    """Estimate +- 1.96 * error."""
    return Bounds(estimate - Z * error, estimate + Z * error)


def percentile_bounds(replicates: Floats) -> Bounds:
    """2.5 % and 97.5 % quantile of replicates, shape (B, m); those without a class have none."""
    low, high = np.nanquantile(replicates, (0.025, 0.975), axis=0)
    return Bounds(low, high)


def bootstrap_p(differences: Floats) -> Floats:
    """One-sided p of "difference above 0" from replicates, shape (B, m)."""
    known = np.isfinite(differences).sum(axis=0)
    return np.asarray(((differences <= 0).sum(axis=0) + 1) / (known + 1), np.float64)


def influence(parts: list[Ranked], photographs: int) -> Floats:
    """Influence of each photograph on the mean AUROC over parts, shape (photographs, arms).

    DeLong's structural components, centred and divided by their count.
    """
    total = np.zeros((photographs, len(parts[0].won)))
    for part in parts:
        for chosen, component in ((part.positive, part.won), (part.negative, part.lost)):
            placement = component.T
            centred = placement - placement.mean(axis=0)
            total[chosen] += centred / (len(chosen) * len(parts))
    return total


def delong_error(parts: list[Ranked], group: Ints | None = None) -> Floats:
    """Standard error of the mean over disjoint parts and of A - B, shape (arms + networks,).

    DeLong, DeLong & Clarke-Pearson (1988) within each part; with groups, Obuchowski (1997).
    A class of which one group holds all of a part adds what its mean does not explain: nothing.
    """
    variance = np.zeros(1)
    for part in parts:
        codes = np.concatenate([part.positive, part.negative])
        codes = np.unique(codes if group is None else group[codes], return_inverse=True)[1]
        sides = codes[: part.positive.size], codes[part.positive.size :]
        sums = []
        for member, component in zip(sides, (part.won, part.lost), strict=True):
            centred = with_differences(component.T - component.mean(axis=1)) / member.size
            sums.append(np.zeros((codes.max() + 1, centred.shape[1])))
            np.add.at(sums[-1], member, centred)
        melanomas, others = sums
        variance = variance + _factor(sides[0]) * (melanomas**2).sum(axis=0)
        variance += _factor(sides[1]) * (others**2).sum(axis=0)
        variance += 2 * _factor(codes) * (melanomas * others).sum(axis=0)
    return np.asarray(np.sqrt(variance) / len(parts), np.float64)


def _factor(member: Ints) -> float:
    """Of k units, k / (k - 1); 1 where there is only one."""
    k = np.unique(member).size
    return float(k / max(k - 1, 1))


def grouped_error(effect: Floats, group: Ints) -> Floats:
    """Standard error from influences of shape (photographs, m), summed within groups: shape (m,).

    By photograph this is LeDell, Petersen & van der Laan (2015), by group their repeated measures.
    """
    sums = np.zeros((group.max() + 1, effect.shape[1]))
    np.add.at(sums, group, effect)
    count = np.unique(group).size
    return np.asarray(np.sqrt((sums**2).sum(axis=0) * count / (count - 1)), np.float64)


def with_differences(values: Floats) -> Floats:
    """Append A - B of each network: (..., arms) to (..., arms + networks)."""
    return np.concatenate([values, values[..., ::2] - values[..., 1::2]], axis=-1)


def strata(group: Ints, target: Ints, fold: Ints) -> Ints:
    """Stratum of each group: its fold x whether it holds a melanoma, shape (groups,)."""
    groups = group.max() + 1
    melanoma = np.zeros(groups, np.int64)
    melanoma[group[target == 1]] = 1
    home = np.zeros(groups, np.int64)
    home[group] = fold
    return home * 2 + melanoma


def draws(
    stratum: Ints, replicates: int, rng: np.random.Generator, *, rescale: bool = False
) -> NDArray[np.float32]:
    """How often each group is drawn, shape (replicates, groups).

    Args:
        stratum: Of each group.
        replicates: Number of draws.
        rng: Randomness.
        rescale: Draw n - 1 of a stratum's n groups and weight them n / (n - 1) (Rao & Wu 1988),
            so that few groups do not make the variance too small by (n - 1) / n.
    """
    weight = np.ones((replicates, stratum.size), np.float32)
    for code in np.unique(stratum):
        members = np.flatnonzero(stratum == code)
        n = members.size
        taken = n - 1 if rescale else n
        if n == 1:
            continue
        pick = rng.integers(n, size=(replicates, taken)) + n * np.arange(replicates)[:, None]
        count = np.bincount(pick.ravel(), minlength=n * replicates).reshape(replicates, n)
        weight[:, members] = count * (n / taken)
    return weight


def bootstrap(parts: list[Ranked], group: Ints, weight: NDArray[np.float32]) -> Floats:
    """Mean AUROC over parts under drawn groups, shape (replicates, arms).

    Whole counts stay below 2^24, so that single precision is exact. A part without one of the
    classes in a draw is left out of that draw's mean, as the package does.
    """
    total = np.zeros((len(weight), len(parts[0].won)))
    known = np.zeros((len(weight), 1))
    for part in parts:
        pairs = (part.above[:, :, None] > part.below[:, None, :]).astype(np.float32, order="C")
        weight1 = np.ascontiguousarray(weight[:, group[part.positive]])
        others, member = np.unique(group[part.negative], return_inverse=True)
        weight0, size0 = weight[:, others], np.bincount(member).astype(np.float32)
        if 2 * others.size < member.size:
            pairs = pairs @ np.eye(others.size, dtype=np.float32)[member]
        else:
            weight0, size0 = weight0[:, member], np.ones(member.size, np.float32)
        weight0 = np.ascontiguousarray(weight0)
        possible = weight1.sum(axis=1, dtype=np.float64) * (weight0 @ size0)
        there = possible > 0
        known[there] += 1
        for arm, concordant in enumerate(pairs):
            right = np.einsum("bn,bn->b", weight1 @ concordant, weight0)
            total[there, arm] += right[there] / possible[there]
    with np.errstate(invalid="ignore"):  # no part has both classes: NaN
        mean: Floats = total / known
    return mean
