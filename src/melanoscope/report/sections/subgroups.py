"""The best network by sex, age, site, archive and estimated skin tone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.data.subgroup_variables import subgroup_variables
from melanoscope.report.sections.calibration import calibrated_predictions
from melanoscope.report.sections.section import Section
from melanoscope.stats.intervals.interval import ALPHA
from melanoscope.stats.subgroups.compare_subgroups import compare_subgroups

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext


def subgroups_section(context: ReportContext) -> Section | None:
    """Test the best network in each subgroup; those too small get no number."""
    if context.best is None:
        return None
    predictions = context.predictions[context.best]
    calibrated, target = calibrated_predictions(context, context.best), context.run.target
    variables = [
        compare_subgroups(
            predictions,
            context.weights,
            name=variable.name,
            labels=variable.level[predictions.image_index],
            order=variable.levels,
            calibrated_probability=calibrated.probability,
            tested=variable.known_levels,
            classes=(target.plural, target.negative_plural),
        )
        for variable in subgroup_variables(context.run.catalog)
    ]
    tested = [difference for variable in variables for difference in variable.differences]
    numbers = {
        "network": context.label(context.best),
        "variables": variables,
        "tests": len(tested),
        "significant": [d for d in tested if d.p_holm < ALPHA],
    }
    return Section("subgroups", "Subgroups", numbers, numbers)
