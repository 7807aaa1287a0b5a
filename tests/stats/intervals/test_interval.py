"""What an interval carries, and that it cannot be changed afterwards."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals import corrected_t
from melanoscope.stats.intervals.interval import Interval, PairedTest, refuse_confidence


def test_order_defaults_and_half_width() -> None:
    found = Interval(0.8, 0.7, 0.95, 0.06, 5, "m")
    assert (found.estimate, found.low, found.high, found.standard_error) == (0.8, 0.7, 0.95, 0.06)
    assert (found.n, found.method, found.unit, found.confidence) == (5, "m", "folds", 0.95)
    assert found.half_width == pytest.approx(0.125)


def test_frozen() -> None:
    found = Interval(0.8, 0.7, 0.9, 0.05, 5, "m")
    for one, name in ((found, "low"), (PairedTest(found, 1.0, 0.2), "p_value")):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, 0.0)


def test_importable_from_resampled() -> None:
    assert corrected_t.Interval is Interval
    assert corrected_t.PairedTest is PairedTest


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.1, float("nan")])
def test_confidence_out_of_range(confidence: float) -> None:
    with pytest.raises(StatisticsError, match="confidence between 0 and 1"):
        refuse_confidence(confidence)
