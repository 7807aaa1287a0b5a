"""What an interval carries, its one way to JSON and back, and the tests that follow from it."""

from __future__ import annotations

import json
import math
from dataclasses import FrozenInstanceError, replace

import pytest
from scipy.stats import norm, t

from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.intervals.wald import wald_interval, wald_test

FOUND = Interval(estimate=0.8, low=0.7, high=0.95, standard_error=0.06, n=5, method="m")


def test_defaults_and_half_width() -> None:
    assert (FOUND.unit, FOUND.confidence) == ("folds", 0.95)
    assert FOUND.half_width == pytest.approx(0.125)


def test_is_built_by_keyword() -> None:
    with pytest.raises(TypeError):
        Interval(0.8, 0.7, 0.95, 0.06, 5, "m")


def test_frozen() -> None:
    for value, name in ((FOUND, "low"), (PairedTest(FOUND, 1.0, 0.2, 4.0), "p_value")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 0.0)


def test_json_and_back() -> None:
    assert Interval.from_dict(json.loads(json.dumps(FOUND.to_dict()))) == FOUND
    without = replace(FOUND, standard_error=math.nan)
    assert without.to_dict()["standard_error"] is None
    assert math.isnan(Interval.from_dict(without.to_dict()).standard_error)
    with pytest.raises(KeyError):
        Interval.from_dict({"estimate": 0.8})


@pytest.mark.parametrize("freedom", [4, math.inf])
def test_wald_by_hand(freedom: float) -> None:
    distribution = norm if math.isinf(freedom) else t(freedom)
    found = wald_interval(0.03, 0.02, n=5, method="m", degrees_of_freedom=freedom)
    assert found.half_width == pytest.approx(0.02 * distribution.ppf(0.975), abs=1e-15)
    test = wald_test(found, freedom)
    assert test.statistic == pytest.approx(1.5)
    assert test.p_value == pytest.approx(distribution.sf(1.5), abs=1e-15)


@pytest.mark.parametrize(
    ("estimate", "statistic", "p_value"),
    [(0.1, math.inf, 0), (-0.1, -math.inf, 1), (0.0, 0, 0.5), (1e-15, 0, 0.5)],
)
@pytest.mark.parametrize("freedom", [4, math.inf])
def test_wald_where_nothing_varies(
    estimate: float, statistic: float, p_value: float, freedom: float
) -> None:
    test = wald_test(wald_interval(estimate, 0.0, n=5, method="m"), freedom)
    assert (test.statistic, test.p_value) == (statistic, p_value)


def test_wald_is_cut_at_its_limits() -> None:
    found = wald_interval(0.9, 0.2, n=5, method="m", limits=(0.0, 1.0))
    assert (found.high, found.standard_error) == (1.0, 0.2)
