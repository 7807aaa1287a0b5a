"""Decision curves against counts by hand and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.decision_curve import DecisionCurve, decision_curve
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def test_decision_curve_closed_forms(make: Make) -> None:
    one = make()
    t = np.array([0.0, 0.001, 0.1, 0.3, 0.999])
    found = decision_curve(one, prevalence=one.target.mean(), thresholds=t)
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
    curve = decision_curve(perfect, prevalence=0.018, thresholds=t)
    assert curve.network == pytest.approx(np.full(5, 0.018))


def test_band_is_about_that_of_resampling_patients(make: Make) -> None:
    one = make(n=900, patients=300)
    t = np.array([0.3, 0.45, 0.6])
    found = decision_curve(one, prevalence=0.1, thresholds=t)
    wide = decision_curve(one, prevalence=0.1, thresholds=t, widening=1.8)
    assert (wide.low < found.low).all()
    assert (wide.high > found.high).all()
    rng, draws = np.random.default_rng(0), []
    rows = [np.flatnonzero(one.group == g) for g in np.unique(one.group)]
    for _ in range(400):
        picked = np.concatenate([rows[i] for i in rng.integers(0, len(rows), len(rows))])
        hit, called = one.target[picked] == 1, one.probability[picked][:, None] >= t
        rates = called[hit].mean(axis=0), called[~hit].mean(axis=0)
        draws.append(0.1 * rates[0] - 0.9 * rates[1] * t / (1 - t))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    assert (found.high - found.low) / (high - low) == pytest.approx(np.ones(3), abs=0.2)


def test_hardly_anybody_called_is_not_certainty(make: Make) -> None:
    """Nobody at 0.99: net benefit 0, and yet others might be called."""
    found = decision_curve(make(), prevalence=0.1, thresholds=np.array([0.9999]))
    assert found.network[0] == 0
    assert found.low[0] < 0 < found.high[0]


def _curve(low: list[float], prevalence: float) -> DecisionCurve:
    t = np.round(np.arange(1, len(low) + 1) / 100, 2)
    lower = np.array(low)
    return DecisionCurve(
        threshold=t,
        network=lower + 0.1,
        low=lower,
        high=lower + 0.2,
        treat_all=np.where(t < 0.025, 0.3, -0.2),
        prevalence=prevalence,
    )


def test_runs_have_no_holes_and_that_of_the_prevalence_comes_first() -> None:
    """At 1 and 2 % treat-all is better; 5, 8 and 9 % are holes that min and max would print."""
    low = [0.2, 0.2, 0.1, 0.1, -0.1, 0.1, 0.1, 0.0, -0.2, 0.1]
    assert _curve(low, 0.06).useful_runs() == [(0.06, 0.07), (0.03, 0.04), (0.1, 0.1)]
    assert _curve(low, 0.018).useful_runs() == [(0.03, 0.04), (0.06, 0.07), (0.1, 0.1)]
    assert _curve([-1.0] * 4, 0.01).useful_runs() == []
    assert _curve([1.0] * 4, 0.02).useful_runs() == [(0.01, 0.04)]


def test_acting_on_a_guess_is_worth_less_than_the_better_of_all_and_none(make: Make) -> None:
    """One probability for all is treat-all below it and treat-none above."""
    one = make()
    guess = one.with_probability(np.full(one.target.size, 0.1))
    found = decision_curve(guess, prevalence=0.1, thresholds=np.array([0.05, 0.1, 0.2]))
    assert found.network[:2] == pytest.approx(found.treat_all[:2])
    assert found.network[1] == pytest.approx(0)
    assert found.network[2] == 0


def test_thresholds_and_classes_that_cannot_be(make: Make) -> None:
    one = make()
    for bad in (np.array([1.0]), np.array([np.nan]), np.array([])):
        with pytest.raises(StatisticsError, match="a prevalence and ascending thresholds"):
            decision_curve(one, prevalence=0.1, thresholds=bad)
    others = one.where(one.target == 0)
    with pytest.raises(StatisticsError, match="one class"):
        decision_curve(others, prevalence=0.1, thresholds=np.array([0.1]))
