"""The best network by sex, age, site, archive and estimated skin tone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melanoscope.data.subgroup_variables import subgroup_variables
from melanoscope.report.sections.calibration import calibrated
from melanoscope.report.sections.section import Section
from melanoscope.stats.subgroups.compare_subgroups import compare_subgroups

if TYPE_CHECKING:
    from melanoscope.report.context import ReportContext


def subgroups(study: ReportContext) -> Section | None:
    """Measure the best network in each subgroup, those too small without a number."""
    if study.best is None:
        return None
    one = study.predictions[study.best]
    scaled = calibrated(study, study.best)
    found = [
        compare_subgroups(
            one,
            study.weights,
            name=variable.name,
            labels=variable.level[one.photograph],
            order=variable.levels,
            calibrated=scaled.probability,
            compared=variable.known_levels,
        )
        for variable in subgroup_variables(study.run.catalog)
    ]
    tested = [d for variable in found for d in variable.differences]
    numbers = {
        "network": study.label(study.best),
        "variables": found,
        "tests": len(tested),
        "significant": [d for d in tested if d.p_holm < study.alpha],
    }
    return Section("subgroups", "Subgroups", numbers, numbers)
