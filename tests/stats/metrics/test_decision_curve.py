"""Decision curves against counts by hand and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import sample_group_weights
from melanoscope.stats.metrics.decision_curve import decision_curve
from melanoscope.stats.predictions import Predictions

from ..conftest import replicate_weights

Make = Callable[..., Predictions]


def test_decision_curve_closed_forms(make: Make) -> None:
    one = make()
    weights = sample_group_weights(one, replicates=200)
    t = np.array([0.0, 0.001, 0.1, 0.3, 0.999])
    found = decision_curve(one, weights, prevalence=one.target.mean(), thresholds=t)
    n = one.target.size
    for i, risk in enumerate(t):
        called = one.probability >= risk
        tp, fp = (called & (one.target == 1)).sum(), (called & (one.target == 0)).sum()
        assert found.network[i] == pytest.approx(tp / n - fp / n * risk / (1 - risk), abs=1e-12)
    prevalence = one.target.mean()
    assert found.treat_all == pytest.approx(prevalence - (1 - prevalence) * t / (1 - t))
    assert ((found.low <= found.network + 1e-12) & (found.network - 1e-12 <= found.high)).all()
    # A perfect network has net benefit equal to the prevalence, whatever the threshold.
    perfect = one.with_probability(one.target.astype(float))
    curve = decision_curve(perfect, weights, prevalence=0.018, thresholds=t)
    assert curve.network == pytest.approx(np.full(5, 0.018))


def test_band_is_that_of_counting(make: Make) -> None:
    one = make(n=300, patients=80)
    weights = sample_group_weights(one, replicates=60)
    t = np.array([0.05, 0.3])
    found = decision_curve(one, weights, prevalence=0.1, thresholds=t)
    hit, row, by_hand = one.target == 1, weights.positions(one.group), []
    for counted in replicate_weights(weights):
        weight = counted[row][:, None]
        called = one.probability[:, None] >= t
        se = (weight * called)[hit].sum(axis=0) / weight[hit].sum()
        fpr = (weight * called)[~hit].sum(axis=0) / weight[~hit].sum()
        by_hand.append(0.1 * se - 0.9 * fpr * t / (1 - t))
    low, high = np.quantile(by_hand, [0.025, 0.975], axis=0)
    assert found.low == pytest.approx(low, abs=1e-12)
    assert found.high == pytest.approx(high, abs=1e-12)


def test_acting_on_a_guess_is_worth_less_than_the_better_of_all_and_none(make: Make) -> None:
    """One probability for all is treat-all below it and treat-none above."""
    one = make()
    weights = sample_group_weights(one, replicates=50)
    guess = one.with_probability(np.full(one.target.size, 0.1))
    found = decision_curve(guess, weights, prevalence=0.1, thresholds=np.array([0.05, 0.1, 0.2]))
    assert found.network[:2] == pytest.approx(found.treat_all[:2])
    assert found.network[1] == pytest.approx(0)
    assert found.network[2] == 0


def test_thresholds_and_classes_that_cannot_be(make: Make) -> None:
    one = make()
    weights = sample_group_weights(one, replicates=20)
    for bad in (np.array([1.0]), np.array([np.nan]), np.array([])):
        with pytest.raises(StatisticsError, match="a prevalence and thresholds"):
            decision_curve(one, weights, prevalence=0.1, thresholds=bad)
    others = one.where(one.target == 0)
    with pytest.raises(StatisticsError, match="one class"):
        decision_curve(others, weights, prevalence=0.1, thresholds=np.array([0.1]))
