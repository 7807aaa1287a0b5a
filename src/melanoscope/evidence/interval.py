"""What every estimate carries with it: its interval, its method, and what its n counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import EvidenceError


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        estimate: The estimate.
        low: Lower bound; t intervals are not cut at 0, so that they stay symmetric.
        high: Upper bound; not cut at 1 likewise.
        standard_error: Of the estimate.
        n: How many units it rests on.
        method: How it was computed.
        unit: What n counts: "folds", "groups", "photographs" or "studies".
        confidence: Level of the interval, 0..1.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    n: int
    method: str
    unit: str = "folds"
    confidence: float = 0.95

    @property
    def half_width(self) -> float:
        """Half the width of the interval, the number behind the plus-minus sign."""
        return (self.high - self.low) / 2


def refuse_confidence(confidence: float) -> None:
    """Refuse a level that is none.

    Raises:
        EvidenceError: Not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise EvidenceError("a confidence between 0 and 1", repr(confidence), "use 0.95")


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A one-sided paired comparison.

    Attributes:
        difference: Mean difference with its (two-sided) interval.
        statistic: t or z; infinite or 0 when the differences do not vary.
        p_value: For "the true difference is above 0".
    """

    difference: Interval
    statistic: float
    p_value: float


def percentile_bounds(
    values: NDArray[np.float64], confidence: float = 0.95
) -> tuple[float, float, float]:
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
