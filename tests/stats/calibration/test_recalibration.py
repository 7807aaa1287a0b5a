"""Recalibration against statsmodels, and what it costs where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.recalibration import (
    RecalibrationCost,
    cross_fitted,
    fit_recalibration,
    photographs_needed,
    recalibration_cost,
)


def sample(n, *, intercept=0.0, slope=1.0, seed=0):
    rng = np.random.default_rng(seed)
    logit = rng.normal(-1, 1.5, n)
    risk = 1 / (1 + np.exp(-(intercept + slope * logit)))
    return (rng.random(n) < risk).astype(np.int64), logit


def test_intercept_and_slope_are_those_of_statsmodels():
    target, logit = sample(500, intercept=-0.5, slope=0.6)
    found = fit_recalibration(target, logit, slope=True)
    oracle = sm.Logit(target, sm.add_constant(logit)).fit(disp=0).params
    assert (found.intercept, found.slope) == pytest.approx(tuple(oracle), abs=1e-7)
    only = fit_recalibration(target, logit, slope=False)
    offset = sm.GLM(target, np.ones(500), family=sm.families.Binomial(), offset=logit).fit()
    assert (only.intercept, only.slope) == pytest.approx((offset.params[0], 1.0), abs=1e-7)


@pytest.mark.parametrize(
    ("target", "logit"),
    [
        ([1, 1, 1], [0.1, 0.2, 0.3]),
        ([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0]),
        ([1, 1, 0, 0], [-2.0, -1.0, 1.0, 2.0]),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_what_no_line_fits_best_is_refused(target, logit):
    with pytest.raises(StatisticsError):
        fit_recalibration(np.array(target), np.array(logit), slope=True)


def test_no_fold_sees_its_own_labels():
    target, logit = sample(400, intercept=1.0)
    fold = np.arange(400) % 5
    found = cross_fitted(target, logit, fold, slope=True)
    turned = np.where(fold == 2, 1 - target, target)
    again = cross_fitted(turned, logit, fold, slope=True)
    assert np.array_equal(found[fold == 2], again[fold == 2])
    assert not np.isclose(found[fold != 2], again[fold != 2]).any()


def test_what_is_right_already_is_not_improved():
    target, logit = sample(1500)
    costs = recalibration_cost(target, logit, np.arange(1500), draws=60)
    assert all(cost.gain < 0.01 for cost in costs)
    assert photographs_needed(costs) is None


def test_what_is_wrong_takes_so_many_photographs():
    target, logit = sample(3000, intercept=-1.5, slope=0.5)
    costs = recalibration_cost(target, logit, np.arange(3000) // 2, draws=60)
    needed = photographs_needed(costs)
    assert needed is not None
    assert needed.photographs <= 100
    gains = [cost.gain for cost in costs]
    assert gains == sorted(gains)  # more photographs, more gain
    # What all photographs would gain, which many come close to.
    line = fit_recalibration(target, logit, slope=True)
    both = [np.logaddexp(0, x) - target * x for x in (logit, line.intercept + line.slope * logit)]
    assert costs[-1].gain == pytest.approx((both[0] - both[1]).mean(), rel=0.1)


def test_patients_are_drawn_as_wholes():
    target, logit = sample(600)
    group = np.arange(600) // 100
    (cost,) = recalibration_cost(target, logit, group, sizes=[25], draws=20)
    assert cost.photographs == 100


def test_few_photographs_that_happen_to_do_well_are_not_enough():
    def cost(photographs, improved):
        return RecalibrationCost(
            photographs=photographs, positives=1, gain=0, low=0, high=0, improved=improved
        )

    costs = [cost(25, 0.97), cost(50, 0.9), cost(100, 0.96), cost(200, 1.0)]
    assert photographs_needed(costs) == costs[2]
    assert photographs_needed(costs[:2]) is None
    assert photographs_needed([]) is None
