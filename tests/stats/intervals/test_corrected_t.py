"""Corrected intervals and tests against closed forms, Holm against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from statsmodels.stats.multitest import multipletests

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.crossval_interval import corrected_t_interval, corrected_t_test
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.reference.physicians import (
    DERMATOLOGISTS,
    GENERAL_PRACTITIONERS,
    PHYSICIANS,
    p_above,
)


def test_interval_closed_form():
    # J = 5, s^2 = 0.00025, n_test/n_train = 1/4: variance 0.00025 * 0.45; t(4) = 2.7764451.
    i = corrected_t_interval([0.88, 0.89, 0.90, 0.91, 0.92], n_train=80, n_test=20)
    half = 2.7764451051977987 * np.sqrt(0.00025 * 0.45)
    assert (i.estimate, i.n) == (pytest.approx(0.9), 5)
    assert i.high - i.estimate == pytest.approx(half, rel=1e-12)
    assert i.estimate - i.low == pytest.approx(half, rel=1e-12)
    assert i.half_width == pytest.approx(half, rel=1e-12)
    assert "Nadeau" in i.method


def test_without_shared_training_data_it_is_the_ordinary_t_test():
    d = np.array([0.02, -0.01, 0.03, 0.015, 0.004])
    ours = corrected_t_test(d, n_train=1e12, n_test=1)
    theirs = stats.ttest_1samp(d, 0, alternative="greater")
    assert ours.statistic == pytest.approx(theirs.statistic, rel=1e-9)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    low, high = stats.ttest_1samp(d, 0).confidence_interval(0.95)
    assert (ours.difference.low, ours.difference.high) == pytest.approx((low, high), rel=1e-9)


def test_correction_shrinks_t_by_a_known_factor():
    d = [0.02, -0.01, 0.03, 0.015, 0.004]
    plain = corrected_t_test(d, n_train=1e12, n_test=1).statistic
    ours = corrected_t_test(d, n_train=75, n_test=25).statistic
    assert ours == pytest.approx(plain * np.sqrt((1 / 5) / (1 / 5 + 1 / 3)), rel=1e-9)


@given(hnp.arrays(np.float64, st.integers(2, 12), elements=st.floats(-1, 1)))
def test_opposite_differences_have_opposite_p_values(d):
    forth = corrected_t_test(d, n_train=80, n_test=20)
    back = corrected_t_test(-d, n_train=80, n_test=20)
    assert forth.p_value + back.p_value == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(
    ("d", "p", "t"),
    [
        ([0.3 - 0.2, 0.1, 0.1], 0.0, np.inf),
        ([-0.1, -0.1], 1.0, -np.inf),
        ([0.0, 0.0], 0.5, 0.0),
        ([1e-17, -1e-17, 0.0], 0.5, 0.0),
    ],
)
def test_differences_that_do_not_vary(d, p, t):
    test = corrected_t_test(d, n_train=80, n_test=20)
    assert (test.p_value, test.statistic, test.difference.half_width) == (p, t, 0)


@pytest.mark.parametrize("values", [[], [0.9], [[0.9, 0.8]]])
def test_one_result_has_no_interval(values):
    with pytest.raises(StatisticsError, match="at least two finite results"):
        corrected_t_interval(values, n_train=80, n_test=20)


@pytest.mark.parametrize(
    ("values", "sizes", "said"),
    [
        ([0.8, np.nan], (80, 20), "finite"),
        ([0.8, 0.9], (0, 20), "sizes"),
        ([0.8, 0.9], (80, 0), "sizes"),
    ],
)
def test_other_dishonest_input(values, sizes, said):
    with pytest.raises(StatisticsError, match=said):
        corrected_t_interval(values, n_train=sizes[0], n_test=sizes[1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(p):
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-12)


def test_holm_of_nothing_and_of_nonsense():
    assert holm([]).size == 0
    with pytest.raises(StatisticsError, match="p-values"):
        holm([0.2, np.nan])


def test_physicians_published_numbers_and_errors():
    assert [who.auroc.estimate for who in PHYSICIANS] == [0.83, 0.91]
    assert [who.auroc.n for who in PHYSICIANS] == [10, 92]
    assert GENERAL_PRACTITIONERS.auroc.standard_error == pytest.approx(0.07 / 3.919928, rel=1e-6)
    assert DERMATOLOGISTS.auroc.standard_error == pytest.approx(0.05 / 3.919928, rel=1e-6)


def _auroc(estimate: float, low: float, high: float, n: int = 100) -> Interval:
    return Interval(
        estimate=estimate, low=low, high=high, standard_error=0.0, n=n, method="", unit="groups"
    )


def test_against_physicians_on_the_logit_scale() -> None:
    """The poster's best network: p = 0.053 by symmetric errors, 0.033 on the logit scale."""
    network = _auroc(0.931, 0.926, 0.936)

    def logit(p: float) -> float:
        return np.log(p / (1 - p))

    errors = [(logit(0.93) - logit(0.88)) / 3.919928, (logit(0.936) - logit(0.926)) / 3.919928]
    z = (logit(0.931) - logit(0.91)) / np.hypot(*errors)
    assert p_above([network], DERMATOLOGISTS) == pytest.approx(stats.norm.sf(z), rel=1e-5)
    assert round(p_above([network], DERMATOLOGISTS), 3) == 0.033
    assert p_above([network], GENERAL_PRACTITIONERS) < 0.001
    # The larger error counts, whichever method has it; a lucky one of few folds changes nothing.
    wide = _auroc(0.931, 0.88, 0.97)
    for both in ([network, wide], [wide, network]):
        assert p_above(both, DERMATOLOGISTS) == p_above([wide], DERMATOLOGISTS)
    # Bounds of a t interval that reach beyond 1 are no reason to fail.
    assert 0.1 < p_above([_auroc(0.931, 0.8, 1.06)], DERMATOLOGISTS) < 0.5
    assert p_above([_auroc(0.85, 0.8, 0.9)], DERMATOLOGISTS) > 0.5


def test_separated_classes_are_above_nobody_for_certain() -> None:
    """AUROC 1 once gave p = 9e-13, however few patients: its exact bounds decide instead."""
    few, many = (_auroc(1.0, 0.025 ** (1 / pairs), 1.0, n=pairs) for pairs in (10, 100))
    assert p_above([few], DERMATOLOGISTS) > 0.3
    assert p_above([few], GENERAL_PRACTITIONERS) > 0.05
    assert p_above([many], DERMATOLOGISTS) < 0.001
    # An interval over folds without width, and the exact one: the wider counts.
    assert p_above([_auroc(1.0, 1.0, 1.0), few], DERMATOLOGISTS) > 0.3
    assert p_above([_auroc(1.0, 1.0, 1.0, n=5)], DERMATOLOGISTS) > 0.3
    assert p_above([_auroc(0.0, 0.0, 0.5)], DERMATOLOGISTS) == 1
    for wrong in ([], [_auroc(1.5, 1.0, 2.0)], [_auroc(float("nan"), 0.1, 0.2)]):
        with pytest.raises(StatisticsError, match="an AUROC between 0 and 1"):
            p_above(wrong, DERMATOLOGISTS)
