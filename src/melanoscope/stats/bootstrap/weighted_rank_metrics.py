"""AUROC, AUPRC and partial AUROC of one part under many weightings of its groups at once.

A replicate gives each photograph the weight of its group. Between two neighbouring scores of
melanomas only the total weight of the others matters, so photographs are first added up, by a
sparse matrix product, to one pair of rows per distinct score of a melanoma; the metrics are then
cumulative sums over those. Exact, ties included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from melanoscope.stats.predictions import Codes, Floats

Weights = NDArray[np.float32]
RANK_METRICS = ("auroc", "auprc", "pauc_above_sensitivity")
MINIMUM_SENSITIVITY = 0.8
# In place of no weight at all, where 0 is divided by it.
_LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class RankedFold:
    """One part, ready to be weighted; levels are the distinct scores of melanomas, ascending.

    Attributes:
        positive: (levels, groups): melanomas of each group at each level.
        below: (levels + 1, groups): others above the level before and below this one; the last row
            those above all levels.
        tied: (levels, groups): others exactly at the level.
    """

    positive: csr_array
    below: csr_array
    tied: csr_array

    @staticmethod
    def of(target: Codes, probability: Floats, row: Codes, groups: int) -> RankedFold:
        """Sort one part.

        Args:
            target: 0 or 1, shape (n,), both present.
            probability: Shape (n,).
            row: Position of each photograph's group among all, shape (n,).
            groups: How many groups there are in all.
        """
        hit = target == 1
        levels, level = np.unique(probability[hit], return_inverse=True)
        others, other_rows = probability[~hit], row[~hit]
        place = np.searchsorted(levels, others, side="left")
        tie = (place < levels.size) & (levels[np.minimum(place, levels.size - 1)] == others)
        return RankedFold(
            _counts(level, row[hit], levels.size, groups),
            _counts(place[~tie], other_rows[~tie], levels.size + 1, groups),
            _counts(place[tie], other_rows[tie], levels.size, groups),
        )

    def metrics(self, weights: Weights) -> dict[str, Floats]:
        """Compute the metrics of `RANK_METRICS` under weights of shape (groups, replicates).

        Returns:
            Metric -> shape (replicates,); NaN where a replicate leaves a class without weight.
        """
        hits, below, tied = (
            np.asarray(part @ weights, np.float64)
            for part in (self.positive, self.below, self.tied)
        )
        n_hits, n_others = hits.sum(axis=0), below.sum(axis=0) + tied.sum(axis=0)
        under = _under(below, tied)
        with np.errstate(invalid="ignore", divide="ignore"):
            right = _columns(hits, under) + _columns(hits, tied) / 2
            auroc = right / (n_hits * n_others)
            # From the highest score down, as a threshold falls.
            caught = np.cumsum(hits[::-1], axis=0)[::-1]
            above = np.subtract(n_others, under, out=under)
            called = np.maximum(caught + above, _LEAST)
            precision = np.divide(caught, called, out=called)
            auprc = np.where(n_others > 0, _columns(hits, precision) / n_hits, np.nan)
            # Only the lowest levels, those that come last, lie above the minimum sensitivity.
            last = int((caught > MINIMUM_SENSITIVITY * n_hits).sum(axis=0).max(initial=1))
            lowest = slice(0, max(last, 1))
            rise, after = hits[lowest] / n_hits, caught[lowest] / n_hits
            step = tied[lowest] / n_others
            pauc = _partial(rise, after, above[lowest] / n_others - step, step)
        return {"auroc": auroc, "auprc": auprc, "pauc_above_sensitivity": pauc}


def _under(below: Floats, tied: Floats) -> Floats:
    """Others strictly below each level; takes the place of `below`."""
    step = below[:-1]
    step[1:] += tied[:-1]
    under: Floats = np.cumsum(step, axis=0, out=step)
    return under


def _columns(a: Floats, b: Floats) -> Floats:
    """Scalar product of each column, without their product in memory."""
    product: Floats = np.einsum("lr,lr->r", a, b)
    return product


def _partial(rise: Floats, after: Floats, fpr: Floats, step: Floats) -> Floats:
    """Integrate specificity over sensitivity from the minimum to 1.

    Args:
        rise: Gain in sensitivity at each level.
        after: Sensitivity after it.
        fpr: False positive rate before it.
        step: Its gain at the level, where others tie.
    """
    low = np.maximum(after - rise, MINIMUM_SENSITIVITY)
    width = np.clip(after - low, 0, None)
    share = _ratio(low - (after - rise), rise)
    at_low = fpr + np.clip(share, 0, 1) * step
    area: Floats = (width * (1 - (at_low + fpr + step) / 2)).sum(axis=0)
    return np.where(np.isfinite(after[0] + fpr[0]), area, np.nan)


def _ratio(above: Floats, under: Floats) -> Floats:
    """Divide; 0 where a level has no weight in a replicate."""
    return np.divide(above, under, out=np.zeros_like(above), where=under > 0)


def _counts(level: Codes, row: Codes, levels: int, groups: int) -> csr_array:
    # Single precision counts photographs exactly, and is faster.
    ones = np.ones(level.size, np.float32)
    return csr_array((ones, (level, row)), shape=(levels, groups))
