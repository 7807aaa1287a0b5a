"""Limits of the gate: fixed where that is sensible, and never inside what a bundle's own are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melanoscope.errors import StatisticsError
from melanoscope.export.outputs import GraphOutputs
from melanoscope.export.quality_limits import (
    STANDARD,
    fit_distance_limits,
    fit_gate,
    fit_limits,
    gate_rates,
)
from melanoscope.inference.quality.gate import LOW, MEASURES, gate_issues
from melanoscope.inference.quality.issues import QualityIssue
from melanoscope.inference.quality.measures import measure_quality
from melanoscope.inference.result import status_of
from melanoscope.stats.intervals.proportion import wilson_interval


def good(rng):
    pixels = np.clip(np.array([190, 140, 120]) + rng.normal(0, 6, (64, 64, 1)), 0, 255)
    y, x = np.mgrid[:64, :64] - 32
    pixels[np.hypot(y, x) < 12] *= 0.5
    return measure_quality(pixels.astype(np.uint8), 640, 480)


@pytest.fixture(scope="module")
def qualities():
    rng = np.random.default_rng(0)
    return [good(rng) for _ in range(60)]


def test_good_photographs_leave_the_standard_as_it_is(qualities):
    assert fit_limits(qualities) == STANDARD


@pytest.mark.parametrize("name", MEASURES)
def test_limits_move_outwards_and_never_inwards(name, qualities):
    sign = -1 if name in LOW else 1
    fixed = getattr(STANDARD, name)
    worse = fixed.refused - sign * 0.1 * abs(fixed.refused)
    strange = [replace(one, **{name: worse}) for one in qualities]
    moved = getattr(fit_limits(strange), name)
    assert sign * moved.doubtful <= sign * worse + 1e-9
    assert sign * moved.refused < sign * worse
    better = [
        replace(one, **{name: fixed.doubtful + sign * 0.2 * abs(fixed.doubtful)})
        for one in qualities
    ]
    assert getattr(fit_limits(better), name) == fixed


@given(st.integers(20, 400), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_few_further_distances_lie_beyond_the_limits(n, seed):
    rng = np.random.default_rng(seed)
    limits = fit_distance_limits(rng.chisquare(64, n))
    assert limits.doubtful_above <= limits.refused_above
    assert (rng.chisquare(64, 4000) > limits.refused_above).mean() < 0.12


def test_the_share_beyond_the_doubting_limit_is_that_of_its_quantile():
    rng = np.random.default_rng(0)
    beyond = [
        (rng.chisquare(64, 500) > fit_distance_limits(rng.chisquare(64, 300)).doubtful_above).mean()
        for _ in range(200)
    ]
    assert np.mean(beyond) == pytest.approx(0.03, abs=0.004)


@pytest.mark.parametrize("distances", [np.array([]), np.array([1.0, np.nan]), np.array([np.inf])])
def test_distances_that_are_none_are_refused(distances):
    with pytest.raises(StatisticsError, match="finite distances"):
        fit_distance_limits(distances)


def test_no_calibration_photographs_are_refused():
    with pytest.raises(StatisticsError):
        fit_limits([])


def test_rates_are_counted():
    doubt = QualityIssue("blurred", "doubtful", "", "")
    too_dark = QualityIssue("too dark", "refused", "", "")
    found = gate_rates([(), (doubt,), (doubt, too_dark), ()])
    assert [getattr(found, s).estimate for s in ("accepted", "doubtful", "refused")] == [
        0.5,
        0.25,
        0.25,
    ]
    assert found.concerns["blurred"].estimate == 0.5
    wilson = wilson_interval(1, 4)
    assert (found.refused.low, found.refused.high) == (wilson.low, wilson.high)
    assert status_of((doubt, too_dark)) == "refused"


def test_the_record_of_a_gate_repeats_its_own_verdicts(qualities):
    rng = np.random.default_rng(1)
    fitted, held_out = rng.chisquare(64, 60), rng.chisquare(64, 60) * 1.3
    ids = [f"i{n}" for n in range(60)]
    measured = dict(zip(ids, qualities, strict=True))
    turned = rng.permutation(60)  # matched by id, in whatever order
    outputs = GraphOutputs(tuple(ids[n] for n in turned), np.zeros(60), held_out[turned])
    found = fit_gate(
        calibration=measured,
        test=measured,
        outputs={"float32": (GraphOutputs(tuple(ids), np.zeros(60), fitted), outputs)},
    )
    limits, far = fit_limits(qualities), fit_distance_limits(fitted)
    verdicts = [
        status_of(gate_issues(q, d, limits, far)) for q, d in zip(qualities, held_out, strict=True)
    ]
    assert found.rates["float32"].refused.estimate == verdicts.count("refused") / 60
    assert found.distance["float32"].refused_above == far.refused_above
    assert found.limits == limits
