"""What age, sex and site each add to the logit, so that the parts sum to it exactly.

Age, sex and site go through layers together, so no one of them has an evidence of its own. Shapley
values (Shapley 1953; Lundberg & Lee 2017, eq. 4) divide what they add together among them: the
mean, over all orders in which the three could become known, of what each adds when it does. What is
said while all three are unknown belongs to the bias.
"""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from melanoscope import patient
from melanoscope.patient import UNKNOWN, PatientInfo

PARTS: tuple[str, ...] = ("age", "sex", "site")

COALITIONS: tuple[frozenset[str], ...] = tuple(
    frozenset(chosen) for size in range(len(PARTS), -1, -1) for chosen in combinations(PARTS, size)
)
"""Every subset of what may be known: the person as given first, nothing known last."""


def coalition_rows(one: PatientInfo) -> NDArray[np.float32]:
    """Encode a person with every subset of age, sex and site known.

    Returns:
        Shape (8, `patient.WIDTH`), in the order of `COALITIONS`.
    """
    return patient.encode(
        [one.age if "age" in known else None for known in COALITIONS],
        [one.sex if "sex" in known else UNKNOWN for known in COALITIONS],
        [one.site if "site" in known else UNKNOWN for known in COALITIONS],
    )


def shapley_values(answers: NDArray[np.floating]) -> tuple[dict[str, float], float]:
    """Divide the static evidence among age, sex and site.

    Args:
        answers: Static evidence of each coalition, shape (8,), in the order of `COALITIONS`.

    Returns:
        The share of each part, and what is said while nothing is known; together they sum to
        `answers[0]` but for rounding.

    >>> given = [("age" in known) + 10 * ({"sex", "site"} <= known) for known in COALITIONS]
    >>> shapley_values(np.array(given, float))
    ({'age': 1.0, 'sex': 5.0, 'site': 5.0}, 0.0)
    """
    value = dict(zip(COALITIONS, np.asarray(answers, np.float64).tolist(), strict=True))
    found = {}
    for part in PARTS:
        without = [known for known in COALITIONS if part not in known]
        found[part] = sum(
            _weight(len(known)) * (value[known | {part}] - value[known]) for known in without
        )
    return found, value[frozenset()]


def _weight(size: int) -> float:
    return factorial(size) * factorial(len(PARTS) - size - 1) / factorial(len(PARTS))
