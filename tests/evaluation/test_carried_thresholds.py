"""Thresholds carried over, and how the photographs differ."""

from __future__ import annotations

import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from melanoscope.evaluation.carried_thresholds import carry_thresholds
from melanoscope.evaluation.case_mix import describe_case_mix
from melanoscope.stats.intervals.mover import independent_difference

from .samples import THRESHOLD, drawn, sample_of


@pytest.fixture(scope="module")
def sample():
    return sample_of(*drawn(800))


def test_a_threshold_is_the_bundles_own(sample):
    main, other = carry_thresholds(sample)
    positive = sample.logit[sample.target == 1]
    assert main.external.sensitivity.estimate == pytest.approx((positive >= THRESHOLD).mean())
    assert (main.key, other.key) == ("main", "other")
    known = sample.manifest.thresholds[0]
    assert main.internal["specificity"] == known.specificity
    assert main.external.prevalence == known.prevalence
    wanted = independent_difference(main.external.sensitivity, known.sensitivity)
    assert main.changes["sensitivity"].to_dict() == wanted.to_dict()


def test_the_moved_threshold_is_the_roc_curves(sample):
    """The specificity at the old sensitivity is that of the ROC curve (scikit-learn)."""
    wanted = sample.manifest.thresholds[0].sensitivity.estimate
    fpr, tpr, _ = roc_curve(sample.target, sample.logit, drop_intermediate=False)
    best = 1 - fpr[tpr >= wanted - 1e-12].min()
    assert carry_thresholds(sample)[0].specificity_if_moved == pytest.approx(best)


def test_the_auroc_is_the_expected_one_and_what_is_missing_from_it(sample):
    mix = describe_case_mix(sample)
    found = roc_auc_score(sample.target, sample.logit)
    assert mix.expected + mix.shortfall.estimate == pytest.approx(found)
    assert mix.shortfall.low < 0 < mix.shortfall.high  # drawn as the bundle says


def test_a_network_that_ranks_worse_than_it_says_falls_short():
    logit, target = drawn(800, slope=0.3)
    assert describe_case_mix(sample_of(logit, target)).shortfall.high < 0


def test_shares_of_levels_are_those_of_both_tests(sample):
    mix = describe_case_mix(sample)
    shares = {(one.variable, one.level): one for one in mix.levels}
    assert shares["Sex", "male"].external == pytest.approx(267 / 800)  # every third
    levels = {one.level: one.n for one in sample.manifest.subgroups[0].levels}
    assert shares["Sex", "male"].internal == pytest.approx(levels["male"] / sum(levels.values()))
    assert shares["Age", "under 30"].internal is None  # the bundle does not say
    for variable in ("Sex", "Age", "Body site", "Diagnosis"):
        total = sum(one.external for one in mix.levels if one.variable == variable)
        assert total == pytest.approx(1)
    assert mix.spread["positives"].external == pytest.approx(
        (sample.logit[sample.target == 1].mean(), sample.logit[sample.target == 1].std())
    )
    assert mix.spread["positives"].internal == (0.5, 0.0)  # two quantiles, 0 and 1
