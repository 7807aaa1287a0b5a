"""The widened interval against its closed form and its limits, and one-sided bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm, t

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.crossval_interval import (
    CrossValidation,
    Variance,
    corrected_t_interval,
    corrected_t_test,
    crossval_interval,
    crossval_test,
    crossval_variance,
    prediction_interval,
)
from melanoscope.stats.intervals.wald import (
    effective_degrees_of_freedom,
    equivalence_p_value,
    lower_bound,
)

DESIGN = CrossValidation(folds=5, n_train=80, n_test=20)
VALUES = [0.80, 0.82, 0.79, 0.85, 0.81]


@given(st.lists(st.floats(0.5, 1.0), min_size=5, max_size=5), st.floats(1e-6, 1e-2))
@settings(max_examples=60, deadline=None)
def test_closed_form(values: list[float], v: float) -> None:
    found = crossval_variance(Variance(v, 40), DESIGN, values)
    b = np.var(values, ddof=1) / 5
    assert found.value == pytest.approx(max(v, b) + 4 * 0.2 * v)
    excess = max(b - v, 0)
    doubt = (1.8 * v) ** 2 / 40 + excess**2 / 4
    assert found.degrees_of_freedom == pytest.approx(found.value**2 / doubt)


@given(st.floats(1e-5, 1e-3))
def test_no_jump_where_the_two_variances_cross(b: float) -> None:
    values = np.array([-2, -1, 0, 1, 2]) * np.sqrt(2 * b) + 0.8  # s^2 / 5 is b
    below, above = (
        crossval_variance(Variance(b * by, 40), DESIGN, values) for by in (1 - 1e-9, 1 + 1e-9)
    )
    assert below.value == pytest.approx(above.value, rel=1e-6)
    assert below.degrees_of_freedom == pytest.approx(above.degrees_of_freedom, rel=1e-6)


def test_symmetric_on_the_logit_scale_and_never_outside() -> None:
    found = crossval_interval(0.9, Variance(0.01, 8), groups=30)
    half = t.ppf(0.975, 8) * 0.1 / (0.9 * 0.1)
    assert (found.low, found.high) == pytest.approx(expit(logit(0.9) + np.array([-half, half])))
    assert found.n == 30
    part = crossval_interval(0.18, Variance(0.0004, 8), groups=30, top=0.2)
    whole = crossval_interval(0.9, Variance(0.01, 8), groups=30)
    assert (part.low, part.high) == pytest.approx((whole.low / 5, whole.high / 5))
    for estimate in (0.0, 1.0):
        with pytest.raises(StatisticsError, match="exact bounds"):
            crossval_interval(estimate, Variance(0.01, 8), groups=30)


def test_never_narrower_than_the_bootstrap_and_without_it_the_plain_t() -> None:
    wide = crossval_test(np.mean(VALUES), crossval_variance(Variance(1e-2, 59), DESIGN), groups=60)
    assert wide.difference.half_width > norm.ppf(0.975) * 0.1
    bare = crossval_variance(Variance(0.0, 59), DESIGN, VALUES)
    assert bare.degrees_of_freedom == pytest.approx(4)
    assert bare.standard_error == pytest.approx(np.std(VALUES, ddof=1) / np.sqrt(5))


def test_the_next_study_scatters_by_root_two_more() -> None:
    one = crossval_interval(0.85, Variance(0.0009, 1e9), groups=200)
    following = prediction_interval(one)
    ratio = np.diff(logit([following.low, following.high])) / np.diff(logit([one.low, one.high]))
    assert ratio == pytest.approx(np.sqrt(2))
    # Two studies of the same network, scattered alike on the logit scale: 95 % hold the other.
    rng = np.random.default_rng(0)
    first, second = rng.normal(logit(0.85), 0.03 / (0.85 * 0.15), (2, 4000))
    reach = logit(following.high) - logit(0.85)
    assert (np.abs(first - second) < reach).mean() == pytest.approx(0.95, abs=0.012)


def test_one_sided_test() -> None:
    variance = crossval_variance(Variance(1e-4, 59), DESIGN, [0.03, 0.05, 0.04, 0.06, 0.02])
    found = crossval_test(0.04, variance, groups=60)
    assert found.statistic == pytest.approx(0.04 / found.difference.standard_error)
    back = crossval_test(-0.04, variance, groups=60)
    assert found.p_value + back.p_value == pytest.approx(1)
    assert crossval_test(0.0, Variance(0.0, 59), groups=60).p_value == 0.5


@given(
    st.lists(st.floats(-0.1, 0.1), min_size=3, max_size=8).filter(lambda d: np.ptp(d) > 1e-3),
    st.floats(0.001, 0.2),
)
def test_a_bound_is_above_zero_where_its_test_rejects(values: list[float], alpha: float) -> None:
    test = corrected_t_test(values, n_train=80, n_test=20)
    assert (lower_bound(test, alpha) > 0) == (test.p_value < alpha)
    # The bound at 2.5 % is the lower end of the two-sided interval.
    assert lower_bound(test, 0.025) == pytest.approx(test.difference.low)


@given(st.lists(st.floats(-0.03, 0.03), min_size=3, max_size=8).filter(lambda d: np.ptp(d) > 1e-4))
def test_equivalence_is_where_the_90_percent_interval_is_inside(values: list[float]) -> None:
    test = corrected_t_test(values, n_train=80, n_test=20)
    low = lower_bound(test, 0.05)
    high = 2 * test.difference.estimate - low
    inside = low > -0.02 and high < 0.02
    assert (equivalence_p_value(test, 0.02) < 0.05) == inside


def test_two_folds_have_bounds_that_can_be() -> None:
    """0.335 +- 3.018 was printed: two results, one degree of freedom."""
    found = corrected_t_interval([0.1, 0.57], n_train=50, n_test=50, on_logit_scale=True)
    assert 0 < found.low < found.estimate < found.high < 1
    plain = corrected_t_interval([0.1, 0.57], n_train=50, n_test=50)
    assert plain.low < 0
    assert plain.high > 1


def test_degrees_of_freedom_are_few_where_one_patient_has_most() -> None:
    rng = np.random.default_rng(0)
    alike = [effective_degrees_of_freedom(rng.normal(size=60), np.arange(60)) for _ in range(200)]
    assert np.median(alike) == pytest.approx(59, rel=0.1)
    group = np.concatenate([np.zeros(40, np.int64), np.arange(1, 161)])
    shared = rng.normal(size=161)[group]  # photographs of one patient move the estimate alike
    assert effective_degrees_of_freedom(shared, group) < 30
    assert effective_degrees_of_freedom(np.zeros(5), np.arange(5)) == 4


@pytest.mark.parametrize(
    ("values", "variance"), [([0.8], 0.1), ([0.8, np.nan], 0.1), ([0.8, 0.9], -1.0)]
)
def test_refused(values: list[float], variance: float) -> None:
    with pytest.raises(StatisticsError):
        crossval_variance(Variance(variance, 9), DESIGN, values)


@pytest.mark.parametrize("change", [{"n_test": 0}, {"n_train": np.nan}, {"folds": 0}])
def test_designs_that_cannot_be(change: dict[str, float]) -> None:
    with pytest.raises(StatisticsError, match="at least one fold"):
        CrossValidation(**({"folds": 5, "n_train": 80, "n_test": 20} | change))
