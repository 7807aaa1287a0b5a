"""Operating points and decision curves against counts by hand, statsmodels and closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from melanoscope.errors import EvidenceError
from melanoscope.evidence.draws import draw_groups
from melanoscope.evidence.net_benefit import decision_curve
from melanoscope.evidence.operating import (
    clopper_pearson,
    operating_point,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.evidence.predictions import Predictions

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
    draws = draw_groups(one, replicates=400)
    t = np.full(one.target.size, 0.4)
    found = operating_point(one, draws, name="x", threshold=t, prevalence=0.018)
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
    own = operating_point(one, draws, name="x", threshold=t, prevalence=one.target.mean())
    assert own.ppv.estimate == pytest.approx(one.target[called].mean())


def test_nothing_missed_is_not_certainty(make: Make) -> None:
    one = make()
    draws = draw_groups(one, replicates=200)
    none_called = np.full(one.target.size, 2.0)
    found = operating_point(one, draws, name="x", threshold=none_called, prevalence=0.1)
    assert found.sensitivity.estimate == 0
    assert found.ppv is None
    holders = np.unique(one.group[one.target == 1]).size
    assert found.sensitivity.high == pytest.approx(proportion_confint(0, holders, method="beta")[1])
    everybody = operating_point(one, draws, name="x", threshold=none_called - 2, prevalence=0.1)
    assert everybody.npv is None
    assert everybody.sensitivity.low < 1
    assert everybody.ppv.estimate == pytest.approx(0.1)
    assert everybody.ppv.low < 0.1 <= everybody.ppv.high


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (2, 9)])
def test_clopper_pearson_is_statsmodels(hits: int, n: int) -> None:
    expected = proportion_confint(hits, n, method="beta")
    assert clopper_pearson(hits, n) == pytest.approx(expected, abs=1e-10)


def test_decision_curve_closed_forms(make: Make) -> None:
    one = make()
    draws = draw_groups(one, replicates=200)
    t = np.array([0.001, 0.1, 0.3, 0.999])
    found = decision_curve(one, draws, prevalence=one.target.mean(), thresholds=t)
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
    curve = decision_curve(perfect, draws, prevalence=0.018, thresholds=t)
    assert curve.network == pytest.approx(np.full(4, 0.018))


def test_refusals(make: Make) -> None:
    one = make()
    draws = draw_groups(one, replicates=20)
    with pytest.raises(EvidenceError, match="a prevalence between 0 and 1"):
        operating_point(one, draws, name="", threshold=one.threshold, prevalence=1.8)
    with pytest.raises(EvidenceError, match="a prevalence and thresholds"):
        decision_curve(one, draws, prevalence=0.1, thresholds=np.array([1.0]))
    with pytest.raises(EvidenceError, match="a share above 0"):
        threshold_for_sensitivity(one.target, one.probability, 0.0)
