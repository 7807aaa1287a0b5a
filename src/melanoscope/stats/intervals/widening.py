"""Widening an interval over groups for cross-validation, by the factor of `CrossValidation`."""

from __future__ import annotations

from dataclasses import replace

from melanoscope.stats.intervals.interval import Interval

UNTOUCHED = 1.0
"""The factor for photographs that no network was trained on."""


def widen(interval: Interval, factor: float, *, ratio: bool = False) -> Interval:
    """Widen an interval by the root of a `factor` on its variance; a ratio's on the log scale."""
    root = factor**0.5
    estimate = interval.estimate
    if ratio:
        low = estimate * (interval.low / estimate) ** root
        high = estimate * (interval.high / estimate) ** root
    else:
        low = estimate - root * (estimate - interval.low)
        high = estimate + root * (interval.high - estimate)
    return replace(interval, low=low, high=high, standard_error=root * interval.standard_error)
