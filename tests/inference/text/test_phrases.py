"""The sentences that Python and the page share are whole, and each is used by its key."""

from __future__ import annotations

import re

import numpy as np
import pytest

from melanoscope.inference.quality import issues
from melanoscope.inference.quality.gate import KIND_OF_MEASURE, MEASURES
from melanoscope.inference.result import EVIDENCE_PARTS, EvidenceSum
from melanoscope.inference.text import phrases
from melanoscope.patient import PatientInfo
from melanoscope.stats.intervals.interval import Interval
from melanoscope.target import MELANOMA

PLACEHOLDERS = {
    "share", "probability", "prevalence", "name", "threshold", "estimate", "low", "high", "n",
    "among_positives", "among_others", "value", "limit", "side", "names",
    "condition", "plural",
}  # fmt: skip


def sentences(group=phrases.PHRASES):
    for value in group.values():
        if isinstance(value, str):
            yield value
        else:
            yield from sentences(value)


@pytest.mark.parametrize("sentence", list(sentences()))
def test_placeholders_are_plain_names(sentence):
    # What the page fills in, too: no format, no position, no attribute.
    braces = re.findall(r"\{.*?\}", sentence)
    assert {one[1:-1] for one in braces} <= PLACEHOLDERS
    assert sentence.count("{") == sentence.count("}") == len(braces)


def test_every_kind_has_advice_and_every_measure_a_clause():
    kinds = {*KIND_OF_MEASURE.values(), issues.NO_ANSWER}
    assert kinds == set(issues.KINDS) == set(phrases.PHRASES["advice"])
    assert list(KIND_OF_MEASURE) == [*MEASURES, "distance"]
    assert list(phrases.PHRASES["found"]) == [*KIND_OF_MEASURE, "non_finite"]
    assert tuple(phrases.PHRASES["parts"]) == EVIDENCE_PARTS


def test_numbers_for_readers():
    values = (0.8234, 0.00312, 12.3, 0.0)
    assert [phrases.two_digits(one) for one in values] == ["0.82", "0.0031", "12", "0"]
    assert [phrases.signed(one, 2) for one in (-0.001, 1.236)] == ["+0.00", "+1.24"]
    assert phrases.decimals_of_sum([0.104, 0.104], 0.208) == (3, True)
    share = Interval(estimate=0.952, low=0.93, high=0.97, standard_error=0.01, n=471, method="any")
    sentence = "finds 95.2 % of held-out melanomas (93.0 to 97.0 %; n 471)"
    assert phrases.measured_share("sensitivity", share, MELANOMA) == sentence


def test_what_could_act_is_spelt_out():
    assert phrases.literal("a\x1b[31mb\n.jpg") == "a\\x1b[31mb\\n.jpg"


def test_rows_of_the_sum_are_named_and_end_with_the_logit():
    evidence = EvidenceSum(np.array([[0.5]]), 0.5, 0.25, -0.125, 0.0, 1.0)
    rows, decimals, holds = phrases.evidence_rows(evidence, PatientInfo(30.5, "male", "torso"))
    assert rows == [
        ("photograph", 0.5), ("age 30.5", 0.25), ("sex male", -0.125), ("site torso", 0.0),
        ("bias", 1.0), ("= logit", 1.625),
    ]  # fmt: skip
    assert (decimals, holds) == (3, True)
