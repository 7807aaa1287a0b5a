"""The best network by sex, age, site, archive and estimated skin tone."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from melanoscope.data.skin_tone import NOT_ESTIMABLE, SKIN_TONES, skin_tone_band
from melanoscope.patient import SEXES, SITES
from melanoscope.report.sections.calibration import calibrated_predictions
from melanoscope.report.sections.section import Section
from melanoscope.stats.subgroups.compare_subgroups import compare_subgroups

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from melanoscope.report.context import ReportContext

AGE_BANDS = ("under 30", "30 to 49", "50 to 69", "70 and over")
_AGE_EDGES = (30.0, 50.0, 70.0)
UNKNOWN = "unknown"


def subgroups_section(context: ReportContext) -> Section | None:
    """Measure the best network in each subgroup, those too small without a number.

    Args:
        context: The run with what several sections need.

    Returns:
        None without a complete network.
    """
    if context.best is None:
        return None
    predictions = context.predictions[context.best]
    calibrated = calibrated_predictions(context, context.best)
    variables = [
        compare_subgroups(
            predictions,
            context.draws,
            name=name,
            labels=labels[predictions.image_index],
            order=order,
            calibrated_probability=calibrated.probability,
            tested=[level for level in order if level not in (UNKNOWN, NOT_ESTIMABLE)],
        )
        for name, labels, order in variables_of(context.run.catalog)
    ]
    tested = [difference for variable in variables for difference in variable.differences]
    numbers = {
        "network": context.label(context.best),
        "variables": variables,
        "tests": len(tested),
        "significant": [d for d in tested if d.p_holm < context.alpha],
    }
    return Section("subgroups", "Subgroups", numbers, numbers)


def variables_of(catalog: pl.DataFrame) -> list[tuple[str, np.ndarray, Sequence[str]]]:
    """Return name, level of each photograph and order of levels of every variable there is.

    Args:
        catalog: Of the photographs; columns dataset and, where known, sex, age, site and ita.
    """
    datasets = sorted(catalog["dataset"].unique())
    variables: list[tuple[str, list[str], Sequence[str]]] = []
    if "sex" in catalog.columns:
        variables.append(("Sex", catalog["sex"].to_list(), SEXES))
    if "age" in catalog.columns:
        bands = [age_band(age) for age in catalog["age"]]
        variables.append(("Age", bands, (*AGE_BANDS, UNKNOWN)))
    if "site" in catalog.columns:
        variables.append(("Body site", catalog["site"].to_list(), SITES))
    if len(datasets) > 1:
        variables.append(("Archive", catalog["dataset"].to_list(), datasets))
    if "ita" in catalog.columns:
        tones = [skin_tone_band(angle) for angle in catalog["ita"]]
        variables.append(("Skin tone, estimated", tones, SKIN_TONES))
    return [(name, np.array(labels, object), order) for name, labels, order in variables]


def age_band(age: float | None) -> str:
    """Name the band of an age in years.

    >>> age_band(30.0), age_band(None)
    ('30 to 49', 'unknown')
    """
    return UNKNOWN if age is None else AGE_BANDS[bisect_right(_AGE_EDGES, age)]
