"""Subgroups: one family, and directions in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from statsmodels.stats.multitest import multipletests

from melanoscope.report.context import ReportContext
from melanoscope.report.sections.subgroups import direction, subgroups_section

from .words import rendered


def test_subgroups_are_one_family_and_say_their_direction(context: ReportContext) -> None:
    section = subgroups_section(context)
    tested = [d for v in section.numbers["variables"] for d in v.differences]
    assert section.numbers["tests"] == len(tested)
    by_variable = {v.name: len(v.differences) for v in section.numbers["variables"]}
    assert by_variable["Sex"] == 2  # one hypothesis for AUROC, one for sensitivity
    adjusted = multipletests([d.p_value for d in tested], method="holm")[1]
    assert [d.p_holm for d in tested] == pytest.approx(adjusted)
    assert f"{len(tested)} hypotheses were tested" in rendered(context, section)
    age = replace(
        tested[0],
        variable="Age",
        level="30 to 49",
        metric="auroc",
        difference=replace(tested[0].difference, estimate=-0.1, low=-0.2, high=-0.05),
        p_holm=0.0004,
    )
    assert direction(age) == "lower AUROC at ages 30 to 49"
    found = {"words": direction(age), "difference": age}
    words = rendered(context, replace(section, content=section.content | {"significant": [found]}))
    assert "1 is significant: lower AUROC at ages 30 to 49 (−0.100, −0.200 to −0.050" in words  # noqa: RUF001
    assert "p < 0.001" in words
