"""An estimate with its confidence interval: the one form from statistics to JSON and reports.

Only the standard library is imported here, since the inference of the base install reads bundles
with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ALPHA = 0.05
"""Level of every test."""
CONFIDENCE = 1 - ALPHA
LOWER_TAIL, UPPER_TAIL = (1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        estimate: The estimate itself.
        low: Lower bound.
        high: Upper bound.
        standard_error: Standard error of the estimate; 0 where the method saw no variation, NaN
            where it has none.
        n: Number of units that the estimate rests on.
        method: Name of the method that gave the bounds.
        unit: What `n` counts: "folds", "groups", "photographs", "archives" or "studies".
        confidence: Level of the interval, between 0 and 1.
    """

    estimate: float
    low: float
    high: float
    standard_error: float
    n: int
    method: str
    unit: str = "folds"
    confidence: float = CONFIDENCE

    @property
    def half_width(self) -> float:
        """Half the width of the interval, the number behind the plus-minus sign."""
        return (self.high - self.low) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes by name, as in every JSON document; a `standard_error` NaN is None.

        >>> wilson = Interval(
        ...     estimate=0.8, low=0.7, high=0.9, standard_error=math.nan, n=120, method="Wilson"
        ... )
        >>> wilson.to_dict()["high"]
        0.9
        """
        known = None if math.isnan(self.standard_error) else self.standard_error
        return asdict(self) | {"standard_error": known}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Interval:
        """Return the interval that `to_dict` wrote; its `unit` is "groups" where none is given."""
        error = values.get("standard_error")
        return cls(
            estimate=values["estimate"],
            low=values["low"],
            high=values["high"],
            standard_error=math.nan if error is None else error,
            n=values["n"],
            method=values["method"],
            unit=values.get("unit", "groups"),
            confidence=values.get("confidence", CONFIDENCE),
        )


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A one-sided test that a paired difference is above 0.

    Attributes:
        difference: Mean difference with its (two-sided) interval.
        statistic: t or z; infinite or 0 when the differences do not vary.
        p_value: One-sided p-value for "the true difference is above 0".
        degrees_of_freedom: Of Student's t; infinite for z.
    """

    difference: Interval
    statistic: float
    p_value: float
    degrees_of_freedom: float
