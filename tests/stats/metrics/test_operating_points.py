"""Operating points against counts by hand, statsmodels and closed forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.clustered import ClusteredShare
from melanoscope.stats.intervals.proportion import exact_bounds
from melanoscope.stats.metrics.operating_points import CORNERS, operating_point
from melanoscope.stats.metrics.thresholds import threshold_for_specificity
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


@given(st.integers(0, 10_000), st.integers(3, 60), st.floats(0.01, 1.0))
@settings(max_examples=100, deadline=None)
def test_a_threshold_reaches_its_share_and_no_lower_one_does(
    seed: int, n: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    target = np.append(rng.integers(0, 2, n), [0, 1])
    probability = np.round(rng.random(n + 2), 1)
    others = probability[target == 0]
    s = threshold_for_specificity(target, probability, share)
    assert (others < s).mean() >= share - 1e-9
    assert (others < np.nextafter(s, -1)).mean() < share


def test_point_by_hand(make: Make) -> None:
    one = make()
    t = np.full(one.target.size, 0.4)
    found = operating_point(one, name="x", threshold=t, prevalence=0.018)
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
        # JSON of bundles takes Python's own numbers only.
        assert {type(interval.low), type(interval.estimate), type(interval.high)} == {float}
    # At the sample's own prevalence Bayes' rule gives the sample's precision.
    own = operating_point(one, name="x", threshold=t, prevalence=one.target.mean())
    assert own.ppv.estimate == pytest.approx(one.target[called].mean())


def test_nothing_missed_is_not_certainty(make: Make) -> None:
    one = make()
    none_called = np.full(one.target.size, 2.0)
    found = operating_point(one, name="x", threshold=none_called, prevalence=0.1)
    assert found.sensitivity.estimate == 0
    assert found.ppv is None
    sizes = np.unique(one.group[one.target == 1], return_counts=True)[1]
    groups = sizes.sum() ** 2 / (sizes**2).sum()  # groups of unlike sizes are worth fewer
    assert groups < sizes.size
    assert found.sensitivity.high == pytest.approx(1 - 0.025 ** (1 / groups))
    everybody = operating_point(one, name="x", threshold=none_called - 2, prevalence=0.1)
    assert everybody.npv is None
    assert everybody.sensitivity.low < 1
    assert everybody.ppv.estimate == pytest.approx(0.1)
    assert everybody.ppv.low < 0.1 <= everybody.ppv.high


def test_a_share_is_r_surveys_beta_interval(make: Make) -> None:
    """Korn & Graubard's bounds from statsmodels' cluster-robust error, as R's svyciprop."""
    one = make(n=300, patients=80)
    found = operating_point(one, name="", threshold=one.threshold, prevalence=0.05, widening=1.8)
    hit = one.target == 1
    right = (one.probability >= one.threshold)[hit].astype(float)
    robust = sm.OLS(right, np.ones(right.size)).fit(
        cov_type="cluster", cov_kwds={"groups": one.group[hit], "use_correction": False}
    )
    k, n, p = np.unique(one.group[hit]).size, right.size, right.mean()
    variance = 1.8 * float(robust.cov_params()[0, 0]) * k / (k - 1)
    assert found.sensitivity.standard_error == pytest.approx(variance**0.5)
    size = p * (1 - p) / variance * (student.ppf(0.975, n - 1) / student.ppf(0.975, k - 1)) ** 2
    assert size < n / 1.8
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx(
        (
            beta.ppf(0.025, p * size, size - p * size + 1),
            beta.ppf(0.975, p * size + 1, size - p * size),
        )
    )
    assert found.sensitivity.n == k


def test_one_photograph_a_group_is_never_surer_than_clopper_pearson(make: Make) -> None:
    one = make(n=200, patients=200, seed=2)
    alone = replace(one, group=np.arange(200))
    found = operating_point(alone, name="", threshold=alone.threshold, prevalence=0.1)
    for share, side in ((found.sensitivity, 1), (found.specificity, 0)):
        n = int((one.target == side).sum())
        low, high = proportion_confint(round(share.estimate * n), n, method="beta")
        assert (share.low, share.high) == pytest.approx((low, high), abs=0.004)
        assert share.low <= low + 1e-12
        assert share.high >= high - 1e-12


def test_few_groups_are_covered() -> None:
    """The percentile bootstrap held 89 to 91 %; 0.5 and 1 % are the errors of 2,000 and 500."""
    rng = np.random.default_rng(0)
    for groups, truth, alike in ((12, 0.9, 0.3), (30, 0.9, 0.3), (60, 0.9, 0.7)):
        held = []
        for _ in range(500):
            own = rng.beta(truth * (1 / alike - 1), (1 - truth) * (1 / alike - 1), groups)
            member = np.repeat(np.arange(groups), rng.integers(1, 6, groups))
            right = rng.random(member.size) < own[member]
            among = np.ones(member.size, bool)
            low, high = ClusteredShare.of(right, among, member, np.arange(member.size)).bounds()
            held.append(low <= truth <= high)
        assert np.mean(held) >= 0.94 - 0.01, groups


def test_widening_is_a_factor_on_variances(make: Make) -> None:
    one = make()
    plain, wide = (
        operating_point(one, name="", threshold=one.threshold, prevalence=0.1, widening=w)
        for w in (1.0, 1.8)
    )
    for share in ("sensitivity", "specificity"):
        ratio = getattr(wide, share).standard_error / getattr(plain, share).standard_error
        assert ratio == pytest.approx(1.8**0.5)
    assert wide.ppv.low < plain.ppv.low < plain.ppv.high < wide.ppv.high


def test_predictive_values_are_not_certain_when_one_share_is_blind(make: Make) -> None:
    """Nothing missed, some called in vain: NPV is 1 in every replicate, and yet not certain."""
    one = make()
    perfect = one.with_probability(np.where(one.target == 1, 0.9, one.probability * 0.99))
    found = operating_point(perfect, name="", threshold=one.threshold, prevalence=0.018)
    assert found.sensitivity.estimate == found.npv.estimate == 1
    assert found.sensitivity.low < 1
    se, sp = found.sensitivity.low, found.specificity.low
    assert found.npv.low == pytest.approx(0.982 * sp / (0.982 * sp + 0.018 * (1 - se)))
    assert found.npv.method == CORNERS
    # The likelihood ratio is finite, so that PPV need not go to the corners.
    assert 0.018 * se / (0.018 * se + 0.982 * (1 - sp)) < found.ppv.low
    assert found.ppv.low < found.ppv.estimate < found.ppv.high


def test_matches_dermatologists_by_default() -> None:
    target, probability = np.repeat([0, 1], [1000, 1]), np.append(np.arange(1000) / 1000, 0.5)
    t = threshold_for_specificity(target, probability)
    assert (probability[:1000] < t).mean() == 0.814
    # A share below one photograph still asks for one.
    assert threshold_for_specificity([1, 0, 0], [0.5, 0.2, 0.9], 1e-12) == np.nextafter(0.2, 1)


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (2, 9)])
def test_clopper_pearson_is_statsmodels(hits: int, n: int) -> None:
    expected = proportion_confint(hits, n, method="beta")
    assert exact_bounds(hits / n, n) == pytest.approx(expected, abs=1e-10)


def test_thresholds_prevalences_and_classes_that_cannot_be(make: Make) -> None:
    one = make()
    with pytest.raises(StatisticsError, match="a prevalence between 0 and 1"):
        operating_point(one, name="", threshold=one.threshold, prevalence=1.8)
    for bad in (np.full(600, np.nan), np.full(5, 0.5)):
        with pytest.raises(StatisticsError, match="finite thresholds of shape"):
            operating_point(one, name="", threshold=bad, prevalence=0.1)
    others = one.where(one.target == 0)
    with pytest.raises(StatisticsError, match="one class"):
        operating_point(others, name="", threshold=others.threshold, prevalence=0.1)
    with pytest.raises(StatisticsError, match="a share above 0"):
        threshold_for_specificity(one.target, one.probability, 0.0)
