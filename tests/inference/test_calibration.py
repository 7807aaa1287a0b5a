"""Probabilities at a stated prevalence, against the evidence room's own functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from melanoscope.errors import DataError
from melanoscope.inference.calibration import TemperatureScaling, log_odds
from melanoscope.stats.calibration.temperature_scaling import apply_temperature, to_prevalence

SHARE = st.floats(0.001, 0.999)


@given(st.floats(-20, 20), st.floats(0.1, 10), SHARE, SHARE)
def test_it_is_temperature_and_then_bayes(logit, temperature, sample, stated):
    expected = to_prevalence(apply_temperature([expit(logit)], temperature), sample, stated)[0]
    found = TemperatureScaling(temperature, sample).probability(logit, stated)
    assert found == pytest.approx(expected, abs=1e-7)


@given(st.floats(-1e6, 1e6))
def test_no_logit_overflows(logit):
    assert 0 <= TemperatureScaling(0.02, 0.4).probability(logit, 0.018) <= 1


def test_at_its_own_prevalence_only_the_temperature_counts():
    assert TemperatureScaling(2, 0.3).probability(3, 0.3) == pytest.approx(expit(1.5))


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, np.nan, 1.8])
def test_a_prevalence_out_of_range_is_refused(share):
    with pytest.raises(DataError, match="a prevalence between 0 and 1"):
        log_odds(share)
