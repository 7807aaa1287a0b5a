"""Comparisons with the best: the promised coverage, the worked bounds, networks that tie."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from melanoscope.stats.selection.best import DistanceToBest, compare_with_best
from melanoscope.stats.selection.paired_differences import PairedDifferences, paired_differences

from .conftest import FAR, Floats

GROUPS, FOLDS, SHARED = 40, 5, 0.2
# 0.2 of the photographs are tested in turn: n_test / (n_test + n_train).
SIZES = {"folds": FOLDS, "n_train": 80.0, "n_test": 20.0, "degrees_of_freedom": GROUPS - 1.0}
REPETITIONS = 300
# What 95 % gives with fewer than 1 in 1,000 below it by chance.
LEAST = binom.ppf(0.001, REPETITIONS, 0.95) / REPETITIONS


def rates(networks: Callable, truth: list[float], correlation: float, **sizes: float):
    """Share of runs whose set holds a best network, and of those whose intervals all hold."""
    true = np.array(truth)
    distance = np.array([one - np.delete(true, i).max() for i, one in enumerate(true)])
    drawn = networks(
        true, groups=GROUPS, folds=FOLDS, correlation=correlation, shared=SHARED, seed=7
    )
    in_set = covered = 0
    for _ in range(REPETITIONS):
        found = compare_with_best(paired_differences(*next(drawn), **(SIZES | sizes)), n=GROUPS)
        in_set += found[int(true.argmax())].may_be_best
        covered += all(
            one.interval.low <= d <= one.interval.high
            for one, d in zip(found, distance, strict=True)
        )
    return in_set / REPETITIONS, covered / REPETITIONS


@pytest.mark.parametrize(
    ("truth", "correlation"),
    [
        ([0.0] * 6, 0.5),
        ([0.0] * 12, 0.9),
        ([0.0, 0.0, 0.0, -0.3, -0.3, -0.3], 0.8),
        ([0.0, -0.2, -0.4, -0.6], 0.5),
        ([0.0, 0.0], 0.5),
    ],
)
def test_the_best_is_in_the_set_and_the_intervals_hold(
    networks: Callable, truth: list[float], correlation: float
) -> None:
    in_set, covered = rates(networks, truth, correlation)
    assert in_set >= LEAST
    assert covered >= LEAST


def test_without_widening_they_would_not(networks: Callable) -> None:
    """The check can fail: as if folds shared no training patients, the best is left out."""
    assert rates(networks, [0.0] * 6, 0.5, n_train=FAR)[0] < LEAST


def test_a_clear_winner_is_told(networks: Callable) -> None:
    truth = np.array([1.0, 0.0, 0.0])
    drawn = networks(truth, groups=GROUPS, folds=FOLDS, correlation=0.9, shared=SHARED, seed=1)
    found = compare_with_best(paired_differences(*next(drawn), **SIZES), n=GROUPS)
    assert [one.may_be_best for one in found] == [True, False, False]
    assert [one.non_inferior for one in found] == [True, False, False]
    assert found[0].interval.low == 0
    assert found[1].interval.high == 0


def bare(estimate: list[float], allowance: list[list[float]]) -> PairedDifferences:
    mean, reach = np.array(estimate), np.array(allowance)
    return PairedDifferences(
        difference=mean[:, None] - mean,
        standard_error=reach / 2,
        allowance=reach,
        replicated_error=reach / 2,
    )


def test_edwards_and_hsu_by_hand() -> None:
    """Bounds of Edwards & Hsu (1983): each candidate's own allowance bounds the others below."""
    found = compare_with_best(
        bare([0.90, 0.89, 0.80], [[0, 0.02, 0.03], [0.025, 0, 0.04], [0.035, 0.05, 0]]), n=9
    )
    low, high = ([getattr(one.interval, side) for one in found] for side in ("low", "high"))
    assert [one.may_be_best for one in found] == [True, True, False]
    assert [one.interval.estimate for one in found] == pytest.approx([0.01, -0.01, -0.10])
    assert high == pytest.approx([0.03, 0.015, 0])
    assert low == pytest.approx([0.01 - 0.025, -0.01 - 0.02, min(-0.10 - 0.03, -0.09 - 0.04)])
    assert [one.non_inferior for one in found] == [True, False, False]


def test_two_networks_with_equal_predictions_are_both_the_best() -> None:
    found = compare_with_best(
        bare([0.9, 0.9, 0.7], [[0, 0, 0.02], [0, 0, 0.02], [0.02, 0.02, 0]]), n=9
    )
    assert [one.may_be_best for one in found] == [True, True, False]
    assert [one.non_inferior for one in found] == [True, True, False]
    assert (found[0].interval.low, found[0].interval.high) == (0, 0)


@given(st.integers(0, 2**31), st.integers(2, 7))
def test_what_holds_of_any_networks(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    values, replicates = rng.normal(size=(k, 5)), 0.3 * rng.normal(size=(k, 60))

    def compare(mine: np.ndarray) -> tuple[DistanceToBest, ...]:
        return compare_with_best(paired_differences(values[mine], replicates[mine], **SIZES), n=9)

    found = compare(np.arange(k))
    assert found[int(values.mean(axis=1).argmax())].may_be_best
    for one in found:
        i = one.interval
        assert i.low <= i.estimate <= i.high or i.low == 0 == i.high or i.estimate * i.low >= 0
        assert i.low <= 0 <= i.high
        assert one.may_be_best == (i.high > 0)
    order = rng.permutation(k)
    for i, one in zip(order, compare(order), strict=True):
        assert one.may_be_best == found[i].may_be_best
        assert one.interval.low == pytest.approx(found[i].interval.low, abs=1e-12)
        assert one.interval.high == pytest.approx(found[i].interval.high, abs=1e-12)


def test_one_set_covers(networks: Callable[..., Iterator[tuple[Floats, Floats]]]) -> None:
    """Networks tested once, on patients that none was trained on: all intervals hold in 95 %."""
    true = np.array([0.0, 0.0, -0.2, -0.4])
    distance = np.array([one - np.delete(true, i).max() for i, one in enumerate(true)])
    drawn = networks(true, groups=60, folds=1, correlation=0.6, shared=0.0, seed=8)
    one_set = {"folds": 1, "n_train": 1.0, "n_test": 1.0, "degrees_of_freedom": 59.0}
    covered = 0
    for _ in range(REPETITIONS):
        found = compare_with_best(paired_differences(*next(drawn), **one_set), n=60)
        covered += all(
            one.interval.low <= d <= one.interval.high
            for one, d in zip(found, distance, strict=True)
        )
    assert covered / REPETITIONS >= LEAST
    assert found[0].interval.method.endswith("group bootstrap")
