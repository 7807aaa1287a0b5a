"""Operating points against counts by hand, statsmodels and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import sample_group_weights
from melanoscope.stats.intervals.proportion import clopper_pearson_interval, proportion_interval
from melanoscope.stats.metrics.operating_points import CORNERS, operating_point
from melanoscope.stats.metrics.thresholds import (
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.predictions import Predictions

from ..conftest import replicate_weights

Make = Callable[..., Predictions]


@given(st.integers(0, 10_000), st.integers(3, 60), st.floats(0.01, 1.0))
@settings(max_examples=100, deadline=None)
def test_thresholds_reach_their_share_and_no_better_one_does(
    seed: int, n: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    target = np.append(rng.integers(0, 2, n), [0, 1])
    probability = np.round(rng.random(n + 2), 1)
    hits, others = probability[target == 1], probability[target == 0]
    t = threshold_for_sensitivity(target, probability, share)
    assert (hits >= t).mean() >= share - 1e-9
    higher = hits[hits > t]
    assert not higher.size or (hits >= higher.min()).mean() < share - 1e-9 + 1e-12
    s = threshold_for_specificity(target, probability, share)
    assert (others < s).mean() >= share - 1e-9
    assert (others < np.nextafter(s, -1)).mean() < share


def test_point_by_hand(make: Make) -> None:
    one = make()
    weights = sample_group_weights(one, replicates=400)
    t = np.full(one.target.size, 0.4)
    found = operating_point(one, weights, name="x", threshold=t, prevalence=0.018)
    called = one.probability >= 0.4
    se, sp = called[one.target == 1].mean(), (~called)[one.target == 0].mean()
    assert found.sensitivity.estimate == pytest.approx(se)
    assert found.specificity.estimate == pytest.approx(sp)
    ppv = 0.018 * se / (0.018 * se + 0.982 * (1 - sp))
    npv = 0.982 * sp / (0.982 * sp + 0.018 * (1 - se))
    assert found.ppv.estimate == pytest.approx(ppv)
    assert found.npv.estimate == pytest.approx(npv)
    for interval in (found.sensitivity, found.specificity, found.ppv, found.npv):
        assert interval.low < interval.estimate < interval.high
    # At the sample's own prevalence Bayes' rule gives the sample's precision.
    own = operating_point(one, weights, name="x", threshold=t, prevalence=one.target.mean())
    assert own.ppv.estimate == pytest.approx(one.target[called].mean())


def test_nothing_missed_is_not_certainty(make: Make) -> None:
    one = make()
    weights = sample_group_weights(one, replicates=200)
    none_called = np.full(one.target.size, 2.0)
    found = operating_point(one, weights, name="x", threshold=none_called, prevalence=0.1)
    assert found.sensitivity.estimate == 0
    assert found.ppv is None
    holders = np.unique(one.group[one.target == 1]).size
    assert found.sensitivity.high == pytest.approx(proportion_confint(0, holders, method="beta")[1])
    everybody = operating_point(one, weights, name="x", threshold=none_called - 2, prevalence=0.1)
    assert everybody.npv is None
    assert everybody.sensitivity.low < 1
    assert everybody.ppv.estimate == pytest.approx(0.1)
    assert everybody.ppv.low < 0.1 <= everybody.ppv.high


def test_replicates_are_those_of_counting(make: Make) -> None:
    """Percentiles of shares counted one replicate at a time."""
    one = make(n=300, patients=80)
    weights = sample_group_weights(one, replicates=50)
    found = operating_point(one, weights, name="", threshold=one.threshold, prevalence=0.05)
    called, hit, row = (
        one.probability >= one.threshold,
        one.target == 1,
        weights.positions(one.group),
    )
    by_hand = []
    for counted in replicate_weights(weights):
        weight = counted[row]
        se = weight[called & hit].sum() / weight[hit].sum()
        sp = weight[~called & ~hit].sum() / weight[~hit].sum()
        by_hand.append((se, sp, 0.05 * se / (0.05 * se + 0.95 * (1 - sp))))
    expected = np.quantile(by_hand, [0.025, 0.975], axis=0).T
    for interval, bounds in zip(
        (found.sensitivity, found.specificity, found.ppv), expected, strict=True
    ):
        assert (interval.low, interval.high) == pytest.approx(tuple(bounds), abs=1e-12)


def test_predictive_values_are_not_certain_when_one_share_is_blind(make: Make) -> None:
    """Nothing missed, some called in vain: NPV is 1 in every replicate, and yet not certain."""
    one = make()
    perfect = one.with_probability(np.where(one.target == 1, 0.9, one.probability * 0.99))
    weights = sample_group_weights(one, replicates=200)
    found = operating_point(perfect, weights, name="", threshold=one.threshold, prevalence=0.018)
    assert found.sensitivity.estimate == found.npv.estimate == 1
    assert found.sensitivity.low < 1
    se, sp = found.sensitivity.low, found.specificity.low
    assert found.npv.low == pytest.approx(0.982 * sp / (0.982 * sp + 0.018 * (1 - se)))
    assert found.ppv.low == pytest.approx(0.018 * se / (0.018 * se + 0.982 * (1 - sp)))
    assert found.ppv.low < found.ppv.estimate < found.ppv.high
    assert found.npv.method == found.ppv.method == CORNERS


def test_replicates_without_a_class_are_not_passed_over() -> None:
    with pytest.raises(StatisticsError, match="both classes in nearly every replicate"):
        proportion_interval(0.5, np.array([0.5, 0.4, np.nan, 0.6]), 4)


def test_matches_dermatologists_by_default() -> None:
    target, probability = np.repeat([0, 1], [1000, 1]), np.append(np.arange(1000) / 1000, 0.5)
    t = threshold_for_specificity(target, probability)
    assert (probability[:1000] < t).mean() == 0.814
    # A share below one photograph still asks for one.
    assert threshold_for_sensitivity([0, 1, 1], [0.5, 0.2, 0.9], 1e-12) == 0.9


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (2, 9)])
def test_clopper_pearson_is_statsmodels(hits: int, n: int) -> None:
    expected = proportion_confint(hits, n, method="beta")
    found = clopper_pearson_interval(hits / n, n)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-10)
    assert (found.estimate, found.standard_error, found.n) == (hits / n, 0, n)


def test_thresholds_prevalences_and_classes_that_cannot_be(make: Make) -> None:
    one = make()
    weights = sample_group_weights(one, replicates=20)
    with pytest.raises(StatisticsError, match="a prevalence between 0 and 1"):
        operating_point(one, weights, name="", threshold=one.threshold, prevalence=1.8)
    for bad in (np.full(600, np.nan), np.full(5, 0.5)):
        with pytest.raises(StatisticsError, match="finite thresholds of shape"):
            operating_point(one, weights, name="", threshold=bad, prevalence=0.1)
    others = one.where(one.target == 0)
    with pytest.raises(StatisticsError, match="one class"):
        operating_point(others, weights, name="", threshold=others.threshold, prevalence=0.1)
    with pytest.raises(StatisticsError, match="a share above 0"):
        threshold_for_sensitivity(one.target, one.probability, 0.0)
