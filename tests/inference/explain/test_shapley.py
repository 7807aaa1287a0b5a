"""Shapley shares of age, sex and site: exact, fair, and the sum of the parts."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melanoscope import patient
from melanoscope.inference.explain.shapley import (
    COALITIONS,
    FEATURES,
    coalition_rows,
    shapley_values,
)
from melanoscope.patient import PatientInfo

ANSWERS = st.lists(st.floats(-50, 50), min_size=8, max_size=8).map(np.array)


def by_permutations(answers):
    """Shapley's own definition: the mean over all orders."""
    value = dict(zip(COALITIONS, answers.tolist(), strict=True))
    found = dict.fromkeys(FEATURES, 0.0)
    for order in permutations(FEATURES):
        known = frozenset()
        for part in order:
            found[part] += (value[known | {part}] - value[known]) / 6
            known |= {part}
    return found


@given(ANSWERS)
def test_shares_are_the_mean_over_all_orders(answers):
    found, unknown = shapley_values(answers)
    assert found == pytest.approx(by_permutations(answers), abs=1e-9)
    assert unknown == answers[-1]


@given(ANSWERS)
def test_shares_and_the_unknown_sum_to_the_whole(answers):
    found, unknown = shapley_values(answers)
    assert sum(found.values()) + unknown == pytest.approx(answers[0], abs=1e-9)


def test_what_changes_nothing_has_no_share():
    answers = np.array([3.0 * ("age" in known) - 2.0 * ("site" in known) for known in COALITIONS])
    found, unknown = shapley_values(answers)
    assert found == pytest.approx({"age": 3.0, "sex": 0.0, "site": -2.0})
    assert unknown == 0


def test_the_person_comes_first_and_nobody_last():
    one = PatientInfo(75, "male", "palms/soles")
    rows = coalition_rows(one)
    assert rows.shape == (8, patient.WIDTH)
    assert np.array_equal(rows[:1], patient.encode([75], ["male"], ["palms/soles"]))
    assert np.array_equal(rows[-1:], patient.encode([None], ["unknown"], ["unknown"]))
    assert len({row.tobytes() for row in rows}) == 8


def test_a_person_of_whom_nothing_is_known_has_no_shares():
    rows = coalition_rows(PatientInfo())
    assert (rows == rows[0]).all()
