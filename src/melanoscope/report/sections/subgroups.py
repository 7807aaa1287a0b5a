"""The best network by sex, age, site, archive and estimated skin tone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.data.subgroup_variables import subgroup_variables
from melanoscope.report.sections.calibration import calibrated_predictions
from melanoscope.report.sections.section import Section
from melanoscope.stats.intervals.interval import ALPHA
from melanoscope.stats.subgroups.compare_subgroups import (
    SubgroupDifference,
    adjust_family,
    compare_subgroups,
)

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext


# Where a level is found, by its variable.
_PLACES = {
    "Sex": "for {level} patients",
    "Age": "at ages {level}",
    "Body site": "at the site {level}",
    "Archive": "in the archive {level}",
    "Center": "at the center {level}",
    "Image type": "in {level} images",
    "Skin tone, estimated": "on skin estimated as {level}",
}
_METRIC_NAMES = {"auroc": "AUROC", "sensitivity": "sensitivity"}


def direction(difference: SubgroupDifference) -> str:
    """Say in words where which metric is lower or higher: "lower AUROC at ages 30 to 49"."""
    way = "lower" if difference.difference.estimate < 0 else "higher"
    place = _PLACES.get(difference.variable, "for {level}").format(level=difference.level)
    return f"{way} {_METRIC_NAMES[difference.metric]} {place}"


def subgroups_section(context: ReportContext) -> Section | None:
    """Test the best network in each subgroup; those too small get no number."""
    if context.best is None:
        return None
    predictions = context.predictions[context.best]
    calibrated, target = calibrated_predictions(context, context.best), context.run.target
    widening = context.design(context.best).factor
    variables = adjust_family(
        [
            compare_subgroups(
                predictions,
                name=variable.name,
                labels=variable.level[predictions.image_index],
                order=variable.levels,
                calibrated_probability=calibrated.probability,
                tested=variable.known_levels,
                classes=(target.plural, target.negative_plural),
                widening=widening,
            )
            for variable in subgroup_variables(context.run.catalog)
        ]
    )
    tested = [difference for variable in variables for difference in variable.differences]
    significant = [
        {"words": direction(one), "difference": one} for one in tested if one.p_holm < ALPHA
    ]
    numbers = {
        "network": context.label(context.best),
        "variables": variables,
        "tests": len(tested),
        "tested_variables": sum(1 for variable in variables if variable.differences),
        "significant": significant,
        "widening": widening,
    }
    return Section("subgroups", "Subgroups", numbers, numbers)
