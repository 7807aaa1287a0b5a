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

PLACEHOLDERS = {
    "share", "probability", "prevalence", "name", "threshold", "estimate", "low", "high", "n",
    "among_melanomas", "among_others", "value", "limit", "side",
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
    assert set(KIND_OF_MEASURE.values()) == set(issues.KINDS) == set(phrases.PHRASES["advice"])
    assert list(phrases.PHRASES["found"]) == list(KIND_OF_MEASURE) == [*MEASURES, "distance"]
    assert tuple(phrases.PHRASES["parts"]) == EVIDENCE_PARTS


def test_rows_of_the_sum_are_named_and_end_with_the_logit():
    evidence = EvidenceSum(np.array([[0.5]]), 0.5, 0.25, -0.125, 0.0, 1.0)
    rows, decimals, holds = phrases.evidence_rows(evidence, PatientInfo(30.5, "male", "torso"))
    assert rows == [
        ("photograph", 0.5), ("age 30.5", 0.25), ("sex male", -0.125), ("site torso", 0.0),
        ("bias", 1.0), ("= logit", 1.625),
    ]  # fmt: skip
    assert (decimals, holds) == (3, True)
