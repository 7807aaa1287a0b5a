"""The widened interval against its closed form, its limits and the study's own implementation."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.crossval_interval import (
    corrected_t_interval,
    crossval_interval,
    crossval_test,
)

SIZES = {"folds": 5, "n_train": 80, "n_test": 20, "groups": 60}


@given(st.lists(st.floats(0.5, 1.0), min_size=5, max_size=5), st.floats(1e-6, 1e-2))
@settings(max_examples=60, deadline=None)
def test_closed_form(values: list[float], variance: float) -> None:
    found = crossval_interval(values, variance, **SIZES)
    b = np.var(values, ddof=1) / 5
    total = max(variance, b) + 4 * 0.2 * variance
    assert found.standard_error == pytest.approx(np.sqrt(total))
    quantile = t.ppf(0.975, 4 * (total / b) ** 2) if b > variance else norm.ppf(0.975)
    assert found.half_width == pytest.approx(quantile * np.sqrt(total))
    assert found.estimate == pytest.approx(np.mean(values))
    assert found.n == 60


def test_is_the_rule_that_the_study_measured() -> None:
    """The study of the statistics has its own vectorised form; both must be one rule."""
    sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
    try:
        from null_study_parts.methods import widened
    finally:
        sys.path.pop(0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        values, variance = rng.normal(0.8, 0.02, 5), float(rng.uniform(1e-5, 1e-3))
        error, _ = widened(
            np.array([variance]), np.array([values.var(ddof=1)]), cells=5, folds=5, share=0.2
        )
        assert crossval_interval(values, variance, **SIZES).standard_error == pytest.approx(
            error[0]
        )


def test_never_narrower_than_the_bootstrap_and_without_it_the_plain_t() -> None:
    values = [0.80, 0.82, 0.79, 0.85, 0.81]
    wide = crossval_interval(values, 0.01, **SIZES)
    assert wide.half_width > norm.ppf(0.975) * 0.1
    bare = crossval_interval(values, 0.0, **SIZES)
    plain = t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)
    assert bare.half_width == pytest.approx(plain)
    assert bare.half_width < corrected_t_interval(values, n_train=80, n_test=20).half_width


def test_one_sided_test() -> None:
    found = crossval_test([0.03, 0.05, 0.04, 0.06, 0.02], 1e-4, **SIZES)
    assert found.statistic == pytest.approx(0.04 / found.difference.standard_error)
    back = crossval_test([-0.03, -0.05, -0.04, -0.06, -0.02], 1e-4, **SIZES)
    assert found.p_value + back.p_value == pytest.approx(1)
    assert crossval_test([0.0, 0.0], 0.0, **(SIZES | {"folds": 2})).p_value == 0.5


@pytest.mark.parametrize(
    ("values", "variance", "change"),
    [
        ([0.8], 0.1, {}),
        ([0.8, np.nan], 0.1, {}),
        ([0.8, 0.9], -1.0, {}),
        ([0.8, 0.9], 0.1, {"n_test": 0}),
        ([0.8, 0.9], 0.1, {"folds": 1}),
    ],
)
def test_values_and_sizes_without_an_interval(
    values: list[float], variance: float, change: dict[str, int]
) -> None:
    with pytest.raises(StatisticsError):
        crossval_interval(values, variance, **(SIZES | change))
