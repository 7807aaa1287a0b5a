"""Operating points and the decision curve."""

from __future__ import annotations

from dataclasses import replace

import pytest

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.decisions import decisions_section

from .words import rendered


def test_a_useful_run_with_holes_is_said_run_by_run(context: ReportContext) -> None:
    """Min and max of the risks once spanned the holes between them."""
    section = decisions_section(context)
    runs = [(0.02, 0.024), (0.004, 0.01), (0.05, 0.05)]
    numbers = section.numbers | {"useful_runs": runs, "prevalence": 0.022}
    words = rendered(context, replace(section, content=numbers))
    assert (
        "lower bound included, at risks from 2.0 % to 2.4 % (which hold the prevalence), from "
        "0.4 % to 1.0 % and of 5.0 %, and nowhere else between 0.2 % and 20.0 %."
    ) in words
    none = rendered(context, replace(section, content=numbers | {"useful_runs": []}))
    assert "At no risk threshold between 0.2 % and 20.0 %" in none


def test_the_guaranteed_sensitivity_is_said(context: ReportContext) -> None:
    """12 melanomas a validation part cannot guarantee 95 %."""
    section = decisions_section(context)
    least = section.numbers["guaranteed_sensitivity"]
    assert 0.5 < least < 0.95
    assert section.numbers["points"][0].name == f"Sensitivity, at least {int(100 * least)} %"
    words = rendered(context, section)
    assert "guaranteed in the fold that knows least" in words
    assert "Korn & Graubard 1998" in words
    factor = 1 + 4 * 60 / (60 + context.summary.row(*context.best).n_train)
    assert section.numbers["widening"] == pytest.approx(factor)
