"""AUROC over chosen pairs only: of one part, of one archive, of one subgroup.

Each pair of a melanoma and another lesion counts once, whatever part it comes from: unlike the mean
over parts this can be had where some parts lack a class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from melanoscope.errors import EvidenceError
from melanoscope.evidence.ranked import RankedPart

if TYPE_CHECKING:
    from melanoscope.evidence.draws import Draws
    from melanoscope.evidence.predictions import Codes, Floats, Predictions


def pair_weighted_auroc(
    predictions: Predictions,
    draws: Draws,
    stratum: Codes | None = None,
    weight: Floats | None = None,
) -> tuple[float, Floats]:
    """Return the share of pairs within a part and stratum in which the melanoma scores higher.

    Args:
        predictions: Of one network.
        draws: Of its groups.
        stratum: Photographs of different strata are not compared, shape (n,); None for one.
        weight: Of each photograph, shape (n,); a pair weighs the product. None for 1.

    Returns:
        The share, and its replicates (NaN where one has no pair), shape (replicates,).

    Raises:
        EvidenceError: No pair at all.
    """
    row, groups = draws.rows(predictions.group), draws.groups.size
    cells = np.stack([predictions.part, np.zeros_like(row) if stratum is None else stratum])
    _, cell = np.unique(cells, axis=1, return_inverse=True)
    cell = cell.ravel()
    once = np.ones((groups, 1), np.float32)
    right, total = np.zeros(draws.replicates + 1), np.zeros(draws.replicates + 1)
    for one in range(int(cell.max()) + 1):
        mine = cell == one
        if np.unique(predictions.target[mine]).size < 2:
            continue
        ranked = RankedPart.of(
            predictions.target[mine],
            predictions.probability[mine],
            row[mine],
            groups,
            None if weight is None else weight[mine],
        )
        for place, weights in ((slice(0, 1), once), (slice(1, None), draws.weights)):
            won, compared = ranked.pairs(weights)
            right[place] += won
            total[place] += compared
    if total[0] == 0:
        raise EvidenceError(
            "a melanoma and another lesion to compare", "none in any part", "leave this subset out"
        )
    share = np.divide(right, total, out=np.full(total.shape, np.nan), where=total > 0)
    return float(share[0]), share[1:]


def percentile_bounds(values: Floats, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return lower bound, upper bound and standard error; replicates without pairs are left out.

    Raises:
        EvidenceError: More than one in twenty has none: the subset is too small for an interval.
    """
    known = values[np.isfinite(values)]
    if known.size < 0.95 * values.size:
        raise EvidenceError(
            "both classes in nearly every replicate",
            f"{values.size - known.size} of {values.size} without",
            "report the subset as too small",
        )
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), float(known.std(ddof=1))
