"""A quantity that R and the package compute: its name, both functions, how far they may lie apart.

To add one: `put("name", ...)` in benchmarks/r_oracles.R, an entry in a `QUANTITIES` of a module
here, then `python benchmarks/r_oracles.py` where R is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from r_oracles_parts.inputs import Inputs

# Sums in another order.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Quantity:
    """One quantity that both sides compute.

    Attributes:
        name: As in r_oracles.R.
        of_r: What computes it there.
        of_us: What computes it here.
        compute: From the inputs to the numbers, in R's order.
        tolerance: Largest difference allowed, relative to the larger of 0.001 and R's number.
    """

    name: str
    of_r: str
    of_us: str
    compute: Callable[[Inputs], Iterable[float]]
    tolerance: float = ROUNDING
