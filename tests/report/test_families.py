"""The table of families counts what the page tests."""

from __future__ import annotations

import re

import pytest

from melanoscope.report.context import ReportContext
from melanoscope.report.families import families
from melanoscope.report.html import ENVIRONMENT
from melanoscope.runs.reader import read_run


@pytest.fixture
def context(run_folder, labels):
    return ReportContext(run=read_run(run_folder), labels=labels, replicates=200)


def test_every_comparison_and_physician_is_in_one_family(context):
    found = families(context, {})
    transfers = [f for f in found if f.question.startswith("Is ") and "better" in f.question]
    assert sum(f.tests for f in transfers) == len(context.summary.comparisons)
    assert [f.metric for f in transfers].count("AUROC, primary") == len(context.summary.overall)
    (physicians,) = [f for f in found if "physicians" in f.question]
    assert physicians.tests == sum(len(row.above) for row in context.summary.rows)


def test_sections_that_are_shown_count_their_own(context):
    shown = {"subgroups": {"tests": 17}, "shortcuts": {"static_data_adds": {"a": 1, "b": 2}}}
    more = families(context, shown)[len(families(context, {})) :]
    assert [f.tests for f in more] == [17, 2]


def test_the_table_is_on_the_page(run_folder, build_page, context):
    html = build_page(run_folder).read_text(encoding="utf-8")
    table = re.search(r"<caption>Every family of tests.+?</table>", html, re.DOTALL)[0]
    for family in families(context, {}):
        assert family.question.replace("'", "&#39;") in table


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "< 0.001"), (0.00099, "< 0.001"), (0.001, "= 0.001"), (0.0321, "= 0.032")]
)
def test_small_p_values_are_not_zero(p, text):
    assert ENVIRONMENT.from_string("{{ p|p_value }}").render(p=p).replace("&lt;", "<") == text
