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

from melanoscope.patient import UNKNOWN, PatientInfo, encode

FEATURES: tuple[str, ...] = ("age", "sex", "site")

COALITIONS: tuple[frozenset[str], ...] = tuple(
    frozenset(chosen)
    for size in range(len(FEATURES), -1, -1)
    for chosen in combinations(FEATURES, size)
)
"""Every subset of what may be known: the patient as given first, nothing known last."""


def coalition_rows(patient: PatientInfo) -> NDArray[np.float32]:
    """Encode a patient with every subset of age, sex and site known.

    Args:
        patient: Age, sex and site.

    Returns:
        Shape (8, `patient.WIDTH`), in the order of `COALITIONS`.
    """
    return encode(
        [patient.age if "age" in known else None for known in COALITIONS],
        [patient.sex if "sex" in known else UNKNOWN for known in COALITIONS],
        [patient.site if "site" in known else UNKNOWN for known in COALITIONS],
    )


def shapley_values(static_logits: NDArray[np.floating]) -> tuple[dict[str, float], float]:
    """Divide what age, sex and site add to the logit among the three.

    Args:
        static_logits: What each coalition adds, shape (8,), in the order of `COALITIONS`.

    Returns:
        The Shapley value of each feature, and what is said while nothing is known; together they
        sum to `static_logits[0]` but for rounding.

    >>> given = [("age" in known) + 10 * ({"sex", "site"} <= known) for known in COALITIONS]
    >>> shapley_values(np.array(given, float))
    ({'age': 1.0, 'sex': 5.0, 'site': 5.0}, 0.0)
    """
    value = dict(zip(COALITIONS, np.asarray(static_logits, np.float64).tolist(), strict=True))
    shares = {}
    for feature in FEATURES:
        without = [known for known in COALITIONS if feature not in known]
        shares[feature] = sum(
            _weight(len(known)) * (value[known | {feature}] - value[known]) for known in without
        )
    return shares, value[frozenset()]


def _weight(size: int) -> float:
    return factorial(size) * factorial(len(FEATURES) - size - 1) / factorial(len(FEATURES))
