"""An AUROC within archives and a test of categories, for photographs that come in groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, rankdata

from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import wald_interval

_WITHIN = "influence curve, by group; only pairs of one archive"
# Levels in fewer groups are put together as one.
_MIN_GROUPS = 5


def within_archives(
    values: NDArray[np.float64],
    target: NDArray[np.int64],
    group: NDArray[np.int64],
    archive: NDArray[np.int64],
) -> Interval | None:
    """Compute the AUROC over all pairs of a positive and a negative of one archive."""
    # The variance is that of the influence curve (LeDell et al. 2015, eq. 15, with archives for
    # folds, weighted by their pairs), added up by group. None with one archive, where none holds
    # both outcomes, or where the values do not vary within any archive.
    by_archive = [np.flatnonzero(archive == code) for code in np.unique(archive)]
    if len(by_archive) < 2 or all(np.ptp(values[rows]) == 0 for rows in by_archive):
        return None
    influence, concordant, pairs = np.zeros(values.size), 0.0, 0
    for rows in by_archive:
        positive = target[rows] == 1
        n, m = int(positive.sum()), int((~positive).sum())
        ranks = rankdata(values[rows])
        above = ranks[positive] - rankdata(values[rows][positive])
        below = ranks[~positive] - rankdata(values[rows][~positive])
        area = above.sum() / max(n * m, 1)
        # Each photograph's deviation, times the archive's pairs.
        influence[rows[positive]] = above - m * area
        influence[rows[~positive]] = n * (1 - area) - below
        concordant, pairs = concordant + float(above.sum()), pairs + n * m
    summed = np.bincount(np.unique(group, return_inverse=True)[1], influence)
    units = summed.size
    if not pairs or units < 2:
        return None
    error = float(np.sqrt((summed**2).sum() * units / (units - 1))) / pairs
    return wald_interval(concordant / pairs, error, n=units, method=_WITHIN, limits=(0.0, 1.0))


def clustered_score_test(
    level: NDArray[np.int64], target: NDArray[np.int64], group: NDArray[np.int64]
) -> float:
    """Return the two-sided p-value of a test whether levels differ in prevalence between groups."""
    # The generalised score test of logistic regression under independence (Boos 1992; Rotnitzky &
    # Jewell 1990): with one photograph per group it is close to Pearson's chi-squared. Levels in
    # fewer than `_MIN_GROUPS` groups are put together, and left out where even so they are few.
    level = np.where(_rare(level, group), -1, level)
    kept = ~_rare(level, group)
    level, target, group = level[kept], target[kept], group[kept]
    codes = np.unique(level)
    if codes.size < 2:
        return 1.0
    columns = (level[:, None] == codes[:-1]).astype(np.float64)
    score = (target - target.mean())[:, None] * (columns - columns.mean(axis=0))
    member = np.unique(group, return_inverse=True)[1]
    summed = np.stack([np.bincount(member, column) for column in score.T], axis=1)
    total, covariance = summed.sum(axis=0), summed.T @ summed
    statistic = float(total @ np.linalg.pinv(covariance) @ total)
    return float(chi2.sf(statistic, codes.size - 1))


def _rare(level: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark photographs whose level is in fewer than `_MIN_GROUPS` groups."""
    few = [c for c in np.unique(level) if np.unique(group[level == c]).size < _MIN_GROUPS]
    return np.isin(level, few)
