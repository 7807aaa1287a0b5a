"""AUROC, AUPRC and partial AUROC of one fold under many weightings of its groups at once.

A replicate gives each photograph the weight of its group. Between two neighbouring scores of
positives only the total weight of the others matters, so photographs are first added up, by a
sparse matrix product, to one pair of rows per distinct score of a positive; the metrics are then
cumulative sums over those. Exact, ties included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from melanoscope.stats.arrays import Codes, Floats, safe_divide

RANK_METRICS = ("auroc", "auprc", "pauc_above_sensitivity")
_MINIMUM_SENSITIVITY = 0.8
# In place of no weight at all, where 0 is divided by it.
_LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class RankedFold:
    """One fold, ready to be weighted.

    Attributes:
        positive: Positives of each group at each level, shape (levels, groups). Levels are the
            distinct scores of positives, ascending.
        below: Other lesions of each group above the level before and below this one, shape
            (levels + 1, groups); the last row holds those above all levels.
        tied: Other lesions of each group exactly at the level, shape (levels, groups).
    """

    positive: csr_array
    below: csr_array
    tied: csr_array

    @staticmethod
    def of(target: Codes, probability: Floats, position: Codes, groups: int) -> RankedFold:
        """Sort the photographs of a fold, of which `position` tells the place among `groups`."""
        positive = target == 1
        levels, level = np.unique(probability[positive], return_inverse=True)
        others, other_position = probability[~positive], position[~positive]
        place = np.searchsorted(levels, others, side="left")
        tie = (place < levels.size) & (levels[np.minimum(place, levels.size - 1)] == others)
        return RankedFold(
            count_matrix(level, position[positive], (levels.size, groups)),
            count_matrix(place[~tie], other_position[~tie], (levels.size + 1, groups)),
            count_matrix(place[tie], other_position[tie], (levels.size, groups)),
        )

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Compute `RANK_METRICS` for `weights` (groups, replicates); NaN where a class has none."""
        # The partial AUROC is the area between the ROC curve and the line of sensitivity 0.8, 0 to
        # 0.2: the measure of the ISIC 2024 challenge.
        hits, below, tied = (
            np.asarray(counts @ weights, np.float64)
            for counts in (self.positive, self.below, self.tied)
        )
        n_hits, n_others = hits.sum(axis=0), below.sum(axis=0) + tied.sum(axis=0)
        under = _under(below, tied)
        with np.errstate(invalid="ignore", divide="ignore"):
            right = _dot_columns(hits, under) + _dot_columns(hits, tied) / 2
            auroc = right / (n_hits * n_others)
            # From the highest score down, as a threshold falls.
            caught = np.cumsum(hits[::-1], axis=0)[::-1]
            above = np.subtract(n_others, under, out=under)
            called = np.maximum(caught + above, _LEAST)
            precision = np.divide(caught, called, out=called)
            auprc = np.where(n_others > 0, _dot_columns(hits, precision) / n_hits, np.nan)
            # Only the lowest levels, those that come last, lie above the minimum sensitivity.
            last = int((caught > _MINIMUM_SENSITIVITY * n_hits).sum(axis=0).max(initial=1))
            lowest = slice(0, max(last, 1))
            rise, after = hits[lowest] / n_hits, caught[lowest] / n_hits
            step = tied[lowest] / n_others
            pauc = _partial_area(rise, after, above[lowest] / n_others - step, step)
        return {"auroc": auroc, "auprc": auprc, "pauc_above_sensitivity": pauc}

    def auroc(self, weights: Floats) -> Floats:
        """Compute the AUROC alone for `weights` (groups, replicates); NaN without a class."""
        hits, below, tied = (
            np.asarray(counts @ weights, np.float64)
            for counts in (self.positive, self.below, self.tied)
        )
        pairs = hits.sum(axis=0) * (below.sum(axis=0) + tied.sum(axis=0))
        right = _dot_columns(hits, tied) / 2
        right += _dot_columns(hits, _under(below, tied))
        return safe_divide(right, pairs)

    def roc_points(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the corners of the ROC curve under `weights` (groups, replicates).

        Args:
            weights: Weight of each group in each replicate.

        Returns:
            False and true positive rates from (0, 0) to (1, 1), each of shape (2 * levels + 2,
            replicates): before and after each level, from the highest down. Photographs that tie
            make one slanted line. NaN where a class has no weight.
        """
        hits, below, tied = (
            np.asarray(counts @ weights, np.float64)[::-1]
            for counts in (self.positive, self.below, self.tied)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            caught = np.cumsum(hits, axis=0) / hits.sum(axis=0)
            # Others between the levels come before a level's own, those above all of them first.
            steps = np.empty((2 * len(hits) + 1, weights.shape[1]))
            steps[0::2], steps[1::2] = below, tied
            others = np.cumsum(steps, axis=0)
            fpr = others / others[-1]
        start = np.zeros((1, weights.shape[1]))
        tpr = np.repeat(np.concatenate([start, caught]), 2, axis=0)
        return np.concatenate([start, fpr]), tpr


def _under(below: Floats, tied: Floats) -> Floats:
    """Others strictly below each level; takes the place of `below`."""
    step = below[:-1]
    step[1:] += tied[:-1]
    under: Floats = np.cumsum(step, axis=0, out=step)
    return under


def _dot_columns(a: Floats, b: Floats) -> Floats:
    """Scalar product of each column, without their product in memory."""
    product: Floats = np.einsum("lr,lr->r", a, b)
    return product


def _partial_area(rise: Floats, after: Floats, fpr: Floats, step: Floats) -> Floats:
    """Integrate specificity over sensitivity from the minimum to 1: shape (replicates,).

    `rise` is the gain in sensitivity at each level and `after` the sensitivity after it, `fpr` the
    false positive rate before it and `step` its gain, where others tie: (levels, replicates).
    """
    low = np.maximum(after - rise, _MINIMUM_SENSITIVITY)
    width = np.clip(after - low, 0, None)
    # A level without weight in a replicate rises by 0.
    share = safe_divide(low - (after - rise), rise, fill=0.0)
    at_low = fpr + np.clip(share, 0, 1) * step
    area: Floats = (width * (1 - (at_low + fpr + step) / 2)).sum(axis=0)
    return np.where(np.isfinite(after[0] + fpr[0]), area, np.nan)


def count_matrix(row: Codes, column: Codes, shape: tuple[int, int]) -> csr_array:
    """Count how often each pair of `row` and `column`, both of shape (n,), occurs."""
    return csr_array((np.ones(row.size), (row, column)), shape=shape)
