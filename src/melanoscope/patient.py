"""Age, sex and anatomical site as numbers, with "unknown" as a value of its own.

The poster label-encoded its categories and normalised them by row, so that the same site meant
another number beside another age. Here every category has its own place in the vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SEXES: tuple[str, ...] = ("female", "male", "unknown")

# The coarsest vocabulary that all archives share (that of ISIC 2020). A finer one would hand the
# network the archive's name: only ISIC 2019 says "anterior torso", and there it predicts the label.
SITES: tuple[str, ...] = (
    "head/neck",
    "torso",
    "upper extremity",
    "lower extremity",
    "palms/soles",
    "oral/genital",
    "unknown",
)

MAX_AGE = 120.0

FEATURE_NAMES: tuple[str, ...] = (
    "age",
    "age unknown",
    *(f"sex {sex}" for sex in SEXES),
    *(f"site {site}" for site in SITES),
)
WIDTH = len(FEATURE_NAMES)


def encode(
    ages: Sequence[float | None], sexes: Sequence[str], sites: Sequence[str]
) -> NDArray[np.float32]:
    """Encode static data, one row per photograph.

    Args:
        ages: Years, 0 to 120, or None where unknown.
        sexes: Words of `SEXES`.
        sites: Words of `SITES`.

    Returns:
        Array of shape (n, `WIDTH`): age as (years - 50) / 25 and 0 where unknown, a flag for
        unknown age, then one column per sex and per site.

    Raises:
        ValueError: A word outside its vocabulary, or an age outside 0 to 120.

    >>> encode([75, None], ["female", "unknown"], ["torso", "unknown"])[:, :5].tolist()
    [[1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0]]
    """
    if not len(ages) == len(sexes) == len(sites):
        raise ValueError(
            f"expected as many ages as sexes and sites, found {len(ages)}, {len(sexes)} and "
            f"{len(sites)}"
        )
    vector = np.zeros((len(ages), WIDTH), np.float32)
    for row, (age, sex, site) in enumerate(zip(ages, sexes, sites, strict=True)):
        if age is None or np.isnan(age):
            vector[row, 1] = 1.0
        elif 0 <= age <= MAX_AGE:
            vector[row, 0] = (age - 50.0) / 25.0
        else:
            raise ValueError(f"expected an age from 0 to {MAX_AGE:g} years, found {age}")
        vector[row, 2 + SEXES.index(sex)] = 1.0
        vector[row, 2 + len(SEXES) + SITES.index(site)] = 1.0
    return vector
