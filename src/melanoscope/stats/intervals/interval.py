"""What every estimate carries with it: its interval, its method, and what its n counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        estimate: The estimate.
        low: Lower bound; t intervals are not cut at 0, so that they stay symmetric.
        high: Upper bound; not cut at 1 likewise.
        standard_error: Standard error of the estimate; NaN where the method has none.
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

    def to_dict(self) -> dict[str, Any]:
        """Return the interval as plain values, the same in every JSON document.

        >>> Interval(0.8, 0.7, 0.9, math.nan, 120, "Wilson", "groups").to_dict()["high"]
        0.9
        """
        known = None if math.isnan(self.standard_error) else self.standard_error
        return asdict(self) | {"standard_error": known}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Interval:
        """Return the interval that `to_dict` wrote.

        Args:
            values: At least estimate, low, high, n and method.

        Raises:
            KeyError: One of these is missing.
        """
        error = values.get("standard_error")
        return cls(
            estimate=values["estimate"],
            low=values["low"],
            high=values["high"],
            standard_error=math.nan if error is None else error,
            n=values["n"],
            method=values["method"],
            unit=values.get("unit", "groups"),
            confidence=values.get("confidence", 0.95),
        )


def refuse_confidence(confidence: float) -> None:
    """Refuse a level that is none.

    Raises:
        StatisticsError: Not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise StatisticsError("a confidence between 0 and 1", repr(confidence), "use 0.95")


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
        StatisticsError: More than one in twenty has none: the subset is too small for an interval.
    """
    known = values[np.isfinite(values)]
    if known.size < 0.95 * values.size:
        raise StatisticsError(
            "both classes in nearly every replicate",
            f"{values.size - known.size} of {values.size} without",
            "report the subset as too small",
        )
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high), float(known.std(ddof=1))
