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
    """Encode a `patient` for each of `COALITIONS`: shape (8, `patient.WIDTH`)."""
    return encode(
        [patient.age if "age" in known else None for known in COALITIONS],
        [patient.sex if "sex" in known else UNKNOWN for known in COALITIONS],
        [patient.site if "site" in known else UNKNOWN for known in COALITIONS],
    )


def shapley_values(static_logits: NDArray[np.floating]) -> tuple[dict[str, float], float]:
    """Return each feature's Shapley value, and what is said while nothing is known."""
    value = dict(zip(COALITIONS, np.asarray(static_logits, np.float64).tolist(), strict=True))
    n = len(FEATURES)
    shares = {
        feature: sum(
            factorial(len(known))
            * factorial(n - len(known) - 1)
            / factorial(n)
            * (value[known | {feature}] - value[known])
            for known in COALITIONS
            if feature not in known
        )
        for feature in FEATURES
    }
    return shares, value[frozenset()]
