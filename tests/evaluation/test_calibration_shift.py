"""Probabilities as they are, after prior shift and recalibrated, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from melanoscope.evaluation.calibration_shift import (
    AS_IS,
    BOTH,
    INTERCEPT,
    OVER_EXPECTED,
    PRIOR_SHIFT,
    calibration_shift,
    calibrations,
)
from melanoscope.inference.calibration import TemperatureScaling

from .samples import ASSUMED, DEVELOPED, TEMPERATURE, drawn, sample_of


def test_as_is_is_what_the_bundle_answers():
    logit, target = drawn()
    sample = sample_of(logit, target)
    scaling = TemperatureScaling(TEMPERATURE, DEVELOPED)
    found, missing = calibrations(sample, 0)
    assert missing == ""
    for name, prevalence in ((AS_IS, ASSUMED), (PRIOR_SHIFT, target.mean())):
        wanted = [scaling.probability(one, prevalence) for one in logit]
        assert found[name] == pytest.approx(wanted, abs=1e-12)


def test_each_step_mends_what_it_can():
    # A slope of 0.6 and another share of positives than the bundle assumes.
    logit, target = drawn(2000, intercept=-0.3, slope=0.6)
    shift = calibration_shift(sample_of(logit, target), 0)
    metrics = {one.name: one.metrics for one in shift.variants}
    assert list(metrics) == [AS_IS, PRIOR_SHIFT, INTERCEPT, BOTH]
    assert metrics[AS_IS][OVER_EXPECTED].low > 1.5  # 10 % assumed, 40 % there
    assert metrics[INTERCEPT][OVER_EXPECTED].estimate == pytest.approx(1, abs=0.01)
    for name in (AS_IS, PRIOR_SHIFT, INTERCEPT):  # only the last one touches the slope
        assert metrics[name]["calibration_slope"].estimate == pytest.approx(0.6, abs=0.08)
    assert metrics[BOTH]["calibration_slope"].estimate == pytest.approx(1, abs=0.03)
    brier = [metrics[name]["brier"].estimate for name in metrics]
    assert brier == sorted(brier, reverse=True)
    assert shift.needed is not None
    assert shift.needed in shift.costs


def test_classes_that_are_separated_are_not_recalibrated():
    target = np.arange(80) % 2
    shift = calibration_shift(sample_of(4.0 * target - 2, target), 0)
    assert [one.name for one in shift.variants] == [AS_IS, PRIOR_SHIFT, INTERCEPT]
    assert "separate" in shift.missing
    assert shift.needed is None
