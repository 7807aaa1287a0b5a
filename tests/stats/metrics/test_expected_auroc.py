"""The expected AUROC: against all pairs, against truth, and its influence against leaving out."""

from __future__ import annotations

import numpy as np
import pytest

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.auroc_interval import auroc_influence
from melanoscope.stats.intervals.wald import clustered_error
from melanoscope.stats.metrics.classification import area_under_roc
from melanoscope.stats.metrics.expected_auroc import expected_auroc


def over_all_pairs(p):
    weight = p[:, None] * (1 - p[None])
    right = (p[:, None] > p[None]) + 0.5 * (p[:, None] == p[None])
    apart = ~np.eye(p.size, dtype=bool)
    return (weight * right)[apart].sum() / weight[apart].sum()


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_mean_over_all_pairs(seed):
    p = np.random.default_rng(seed).random(60).round(1)  # with ties
    assert expected_auroc(p).estimate == pytest.approx(over_all_pairs(p), abs=1e-12)


def test_true_probabilities_give_the_auroc_that_they_promise():
    rng = np.random.default_rng(0)
    p = rng.beta(0.6, 2.0, 400)
    found = np.mean([area_under_roc(rng.random(400) < p, p) for _ in range(400)])
    # The mean of 400 samples with an error of 0.02 each.
    assert expected_auroc(p).estimate == pytest.approx(found, abs=0.004)


def test_the_influence_is_what_leaving_a_photograph_out_does():
    p = np.random.default_rng(1).random(300)
    whole = expected_auroc(p)
    without = [expected_auroc(np.delete(p, i)).estimate for i in range(p.size)]
    assert np.abs(whole.influence - (whole.estimate - np.array(without))).max() < 5e-5
    assert whole.influence.sum() == pytest.approx(0, abs=1e-12)


def test_the_difference_to_the_auroc_found_holds_its_level():
    """Where probabilities are true, the shortfall's interval holds 0 in about 95 % of samples."""
    rng = np.random.default_rng(2)
    held, n, member = 0, 500, np.arange(250).repeat(2)
    for _ in range(400):
        # Two photographs of one patient have the same lesion.
        p = rng.beta(0.8, 1.6, 250).repeat(2)
        p = np.clip(p + rng.normal(0, 1e-3, n), 1e-6, 1 - 1e-6)
        positive = (rng.random(250).repeat(2) < p).astype(np.int64)
        areas, influence = auroc_influence(positive, p, np.zeros(n, np.int64))
        promised = expected_auroc(p)
        error = clustered_error(influence - promised.influence, member)
        held += abs(np.mean(areas) - promised.estimate) < 1.96 * error
    assert 0.92 <= held / 400 <= 0.98


@pytest.mark.parametrize("wrong", [[0.5], [0.0, 0.0], [1.0, 1.0], [0.5, 1.5], [[0.1, 0.2]]])
def test_what_promises_nothing_is_refused(wrong):
    with pytest.raises(StatisticsError):
        expected_auroc(wrong)
