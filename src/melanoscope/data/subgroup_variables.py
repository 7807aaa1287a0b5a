"""Variables that divide photographs into subgroups: the person's, the archive's, the skin's."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from melanoscope.data.skin_tone import NOT_ESTIMABLE, SKIN_TONES, skin_tone_band
from melanoscope.patient import SEXES, SITES

AGE_BANDS = ("under 30", "30 to 49", "50 to 69", "70 and over")
UNKNOWN = "unknown"
MAX_ORIGINS = 12
"""So many archives, centers or types of images stand by themselves; the rarer ones are `OTHERS`."""

OTHERS = "all others"
_AGE_EDGES = (30.0, 50.0, 70.0)


class SubgroupVariable(NamedTuple):
    """A variable of a catalog's photographs with few levels.

    Attributes:
        name: Name for readers.
        level: Level of each photograph, strings, shape (n,).
        levels: All levels in their order, whether or not a photograph has them.
    """

    name: str
    level: NDArray[Any]
    levels: Sequence[str]

    @property
    def known_levels(self) -> list[str]:
        """The levels without those that say that nothing is known."""
        return [level for level in self.levels if level not in (UNKNOWN, NOT_ESTIMABLE)]


def subgroup_variables(catalog: pl.DataFrame) -> list[SubgroupVariable]:
    """Return the variables of a catalog.

    Args:
        catalog: One row per photograph with columns dataset, center, image_type, sex, age in years,
            site, and ita: the individual typology angle in degrees, null where it could not be
            estimated.

    Returns:
        Sex, age, body site, archive, center and image type (each where there are several) and
        estimated skin tone.

    >>> row = {"dataset": "a", "sex": "male", "age": 61.0, "site": "torso", "ita": None}
    >>> row |= {"center": "rosendahl", "image_type": "dermoscopic"}
    >>> [(v.name, str(v.level[0])) for v in subgroup_variables(pl.DataFrame([row]))][:2]
    [('Sex', 'male'), ('Age', '50 to 69')]
    """
    bands = [age_band(age) for age in catalog["age"]]
    tones = [skin_tone_band(angle) for angle in catalog["ita"]]
    variables = [
        ("Sex", catalog["sex"].to_list(), SEXES),
        ("Age", bands, (*AGE_BANDS, UNKNOWN)),
        ("Body site", catalog["site"].to_list(), SITES),
        *_origins(catalog),
        ("Skin tone, estimated", tones, SKIN_TONES),
    ]
    return [
        SubgroupVariable(name, np.array(level, object), levels) for name, level, levels in variables
    ]


def _origins(catalog: pl.DataFrame) -> list[tuple[str, list[str], list[str]]]:
    """Return what says where photographs come from, each with the levels found.

    What has one level only is left out, and what divides the photographs as another does: an
    archive of one center, or of one type of image.
    """
    origins: dict[tuple[int, ...], tuple[str, list[str], list[str]]] = {}
    for name, column in (
        ("Archive", "dataset"),
        ("Center", "center"),
        ("Image type", "image_type"),
    ):
        counts = catalog[column].drop_nulls().value_counts(sort=True).sort("count", column)
        common = counts[column].tail(MAX_ORIGINS).sort().to_list()
        merged = pl.when(pl.col(column).is_in(common)).then(column).otherwise(pl.lit(OTHERS))
        told = catalog.select(pl.when(pl.col(column).is_not_null()).then(merged))[:, 0]
        levels = told.fill_null(UNKNOWN).to_list()
        known = [*common, *([OTHERS] if counts.height > MAX_ORIGINS else [])]
        codes: dict[str, int] = {}
        division = tuple(codes.setdefault(level, len(codes)) for level in levels)
        unknown = [UNKNOWN] if catalog[column].null_count() else []
        if len(known) > 1:
            origins.setdefault(division, (name, levels, [*known, *unknown]))
    return list(origins.values())


def age_band(age: float | None) -> str:
    """Name the band of an `age` in years.

    >>> age_band(30.0), age_band(None)
    ('30 to 49', 'unknown')
    """
    return UNKNOWN if age is None else AGE_BANDS[bisect_right(_AGE_EDGES, age)]
