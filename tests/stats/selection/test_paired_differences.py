"""Simultaneous bounds against closed forms: one paired test, Dunnett's quantile, constants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.selection.paired_differences import paired_differences

from .conftest import FAR

SIZES = {"folds": 5, "n_train": 80.0, "n_test": 20.0, "degrees_of_freedom": 1e9}


def dunnett(k: int) -> float:
    """Return the one-sided 95 % quantile of the largest of k - 1 differences from one control.

    Dunnett (1955): all means are independent and vary alike, so that the differences correlate
    with 1/2; given the control's error z, the others are independent.
    """

    def below(c: float) -> float:
        inner = lambda z: norm.pdf(z) * norm.cdf(z + np.sqrt(2) * c) ** (k - 1)  # noqa: E731
        return float(quad(inner, -8, 8)[0])

    return float(brentq(lambda c: below(c) - 0.95, 1, 5))


def test_dunnetts_table() -> None:
    """The oracle itself: Dunnett's (1955) table 1a, infinite degrees of freedom, 5 %."""
    printed = {2: 1.64, 3: 1.92, 4: 2.06, 6: 2.23, 10: 2.42}
    assert {k: round(dunnett(k), 2) for k in printed} == printed


@pytest.mark.parametrize("k", [2, 3, 6, 22])
def test_independent_networks_have_dunnetts_quantile(k: int) -> None:
    rng = np.random.default_rng(k)
    replicates = rng.normal(size=(k, 100_000)) * 0.01
    values = np.repeat(rng.normal(size=(k, 1)), 5, axis=1)
    found = paired_differences(values, replicates, **SIZES)
    others = ~np.eye(k, dtype=bool)
    quantile = found.allowance[others] / found.standard_error[others]
    np.testing.assert_allclose(quantile, dunnett(k), rtol=0.015)


def test_networks_that_vary_together_need_less() -> None:
    """Differences from a noisy control are nearly one: its quantile is that of one comparison."""
    rng = np.random.default_rng(0)
    replicates = rng.normal(size=(6, 100_000)) * np.array([[1.0], *([[0.01]] * 5)])
    values = np.repeat(rng.normal(size=(6, 1)), 5, axis=1)
    found = paired_differences(values, replicates, **SIZES)
    quantile = found.allowance[0, 1:] / found.standard_error[0, 1:]
    np.testing.assert_allclose(quantile, norm.ppf(0.95), rtol=0.015)
    assert (found.allowance[1, 2:] / found.standard_error[1, 2:] > 2).all()


@pytest.mark.parametrize("spread", [0.005, 0.06])
def test_two_networks_are_one_paired_test(spread: float) -> None:
    """Allowed is what a one-sided t test of the paired differences allows, written out here."""
    rng = np.random.default_rng(1)
    values = rng.normal(0.8, spread, (2, 5))
    replicates = rng.normal(size=(2, 200_000)) * 0.01
    found = paired_differences(values, replicates, **(SIZES | {"degrees_of_freedom": 30.0}))
    v = (replicates[0] - replicates[1]).var(ddof=1)
    b = (values[0] - values[1]).var(ddof=1) / 5
    widened, excess = 1.8 * v, max(b - v, 0)  # 1 + (5 - 1) 20 / (80 + 20)
    error = np.sqrt(widened + excess)
    freedom = error**4 / (widened**2 / 30 + excess**2 / 4)
    assert found.difference[0, 1] == pytest.approx(values[0].mean() - values[1].mean())
    assert found.standard_error[0, 1] == found.standard_error[1, 0] == pytest.approx(error)
    for allowed in (found.allowance[0, 1], found.allowance[1, 0]):
        assert allowed == pytest.approx(student.ppf(0.95, freedom) * error, rel=0.01)


def test_few_degrees_of_freedom_widen() -> None:
    rng = np.random.default_rng(2)
    values, replicates = np.repeat([[0.8], [0.7]], 5, axis=1), rng.normal(size=(2, 100_000))
    few = paired_differences(values, replicates, **(SIZES | {"degrees_of_freedom": 8.0}))
    quantile = few.allowance[0, 1] / few.standard_error[0, 1]
    assert quantile == pytest.approx(student.ppf(0.95, 8), rel=0.02)


def test_equal_networks_differ_by_nothing() -> None:
    rng = np.random.default_rng(3)
    values, replicates = rng.normal(size=(3, 5)), rng.normal(size=(3, 500))
    values[1], replicates[1] = values[0], replicates[0]
    found = paired_differences(values, replicates, **SIZES)
    assert found.difference[0, 1] == found.standard_error[0, 1] == found.allowance[0, 1] == 0
    assert np.isfinite(found.allowance).all()
    assert (found.allowance[:, 2][:2] > 0).all()


@given(st.integers(0, 2**31), st.floats(-3, 3), st.integers(2, 6))
def test_a_constant_and_the_order_of_the_networks_change_nothing(
    seed: int, constant: float, k: int
) -> None:
    rng = np.random.default_rng(seed)
    values, replicates = rng.normal(size=(k, 5)), rng.normal(size=(k, 60))
    order = rng.permutation(k)
    found = paired_differences(values, replicates, **SIZES)
    moved = paired_differences(values + constant, replicates + constant, **SIZES)
    turned = paired_differences(values[order], replicates[order], **SIZES)
    for name in ("difference", "standard_error", "allowance"):
        one = getattr(found, name)
        np.testing.assert_allclose(getattr(moved, name), one, rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(getattr(turned, name), one[np.ix_(order, order)], rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "replicates"),
    [
        (np.zeros((1, 5)), np.zeros((1, 9))),
        (np.zeros((2, 1)), np.zeros((2, 9))),
        (np.zeros((2, 5)), np.zeros((3, 9))),
        (np.zeros((2, 5)), np.full((2, 9), np.nan)),
        (np.full((2, 5), np.inf), np.zeros((2, 9))),
        (np.zeros((2, 5)), np.array([[0.0, 0.1, 0.2, np.nan], [0.3, 0.4, 0.5, 0.6]])),
    ],
)
def test_refusals(values: np.ndarray, replicates: np.ndarray) -> None:
    with pytest.raises(StatisticsError):
        paired_differences(values, replicates, **SIZES)


def test_far_apart_training_needs_no_widening() -> None:
    rng = np.random.default_rng(4)
    values = np.repeat([[0.8], [0.7]], 5, axis=1)
    found = paired_differences(values, rng.normal(size=(2, 500)), **(SIZES | {"n_train": FAR}))
    np.testing.assert_allclose(found.standard_error, found.replicated_error)


def test_a_draw_without_a_class_is_left_out_for_all() -> None:
    rng = np.random.default_rng(6)
    values, replicates = rng.normal(size=(3, 5)), rng.normal(size=(3, 100))
    holed = replicates.copy()
    holed[1, :3] = np.nan
    found, whole = (paired_differences(values, r, **SIZES) for r in (holed, replicates[:, 3:]))
    np.testing.assert_array_equal(found.allowance, whole.allowance)


def test_one_set_needs_no_folds() -> None:
    """Closed form: t times the standard deviation of the paired replicates, nothing added."""
    rng = np.random.default_rng(11)
    replicates = rng.normal(size=(2, 200_000)) * 0.01
    values = np.array([[0.8], [0.7]])
    found = paired_differences(
        values, replicates, folds=1, n_train=1, n_test=1, degrees_of_freedom=30
    )
    error = (replicates[0] - replicates[1]).std(ddof=1)
    assert found.difference[0, 1] == pytest.approx(0.1)
    assert found.standard_error[0, 1] == pytest.approx(error)
    assert found.allowance[0, 1] == pytest.approx(student.ppf(0.95, 30) * error, rel=0.02)
    assert found.method == "group bootstrap"


@pytest.mark.parametrize(("results", "folds"), [(1, 5), (5, 1)])
def test_results_and_folds_have_to_fit(results: int, folds: int) -> None:
    with pytest.raises(StatisticsError, match="one result of one set"):
        paired_differences(np.zeros((2, results)), np.zeros((2, 50)), **(SIZES | {"folds": folds}))
