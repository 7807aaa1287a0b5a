"""Intervals of calibration: statsmodels' cluster-robust errors, and coverage."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_intervals import (
    brier_interval,
    calibration_line_intervals,
    observed_over_expected,
)


def _drawn(seed: int, n: int = 600, patients: int = 200) -> tuple[np.ndarray, ...]:
    """Outcomes, their true risks, and patients whose risks hang together."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, patients, n)
    logit = rng.normal(-1.5, 1.0, n) + 0.7 * rng.normal(size=patients)[group]
    risk = 1 / (1 + np.exp(-logit))
    return (rng.random(n) < risk).astype(int), risk, group


def test_errors_are_statsmodels_over_clusters() -> None:
    target, risk, group = _drawn(0)
    x = np.log(risk / (1 - risk))
    family, clusters = sm.families.Binomial(), {"groups": group, "use_correction": False}
    slope, large = calibration_line_intervals(target, risk, group)
    both = sm.GLM(target, sm.add_constant(x), family=family)
    only = sm.GLM(target, np.ones((x.size, 1)), family=family, offset=x)
    n = np.unique(group).size
    for found, model, column in ((slope, both, 1), (large, only, 0)):
        oracle = model.fit(tol=1e-13, cov_type="cluster", cov_kwds=clusters)
        assert found.estimate == pytest.approx(oracle.params[column], abs=1e-8)
        error = oracle.bse[column] * np.sqrt(n / (n - 1))
        assert found.standard_error == pytest.approx(error, rel=1e-7)
        half = student.ppf(0.975, n - 1) * error
        assert found.half_width == pytest.approx(half, rel=1e-7)
        assert found.n == n


def test_ratio_of_independent_photographs_has_the_closed_form() -> None:
    """With one risk for all, the error of log(O / E) is that of a binomial share."""
    target = np.repeat([1, 0], [30, 170])
    found = observed_over_expected(target, np.full(200, 0.1), np.arange(200))
    assert found.estimate == pytest.approx(1.5)
    error = np.sqrt((1 - 0.15) / 30 * 200 / 199)
    assert found.standard_error == pytest.approx(1.5 * error, abs=1e-12)
    assert found.low * found.high == pytest.approx(1.5**2)
    assert np.log(found.high / 1.5) == pytest.approx(student.ppf(0.975, 199) * error)


def test_a_patient_photographed_twice_is_one_patient() -> None:
    target, risk, group = _drawn(1)
    once = observed_over_expected(target, risk, group)
    twice = observed_over_expected(np.tile(target, 2), np.tile(risk, 2), np.tile(group, 2))
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))
    naive = observed_over_expected(np.tile(target, 2), np.tile(risk, 2), np.arange(1200))
    assert naive.high - naive.low < 0.8 * (once.high - once.low)


def test_all_three_cover() -> None:
    """150 samples each; fewer than 90 % at a true 95 % happen once in 300 times."""
    covered = np.zeros(3)
    for seed in range(150):
        drawn = _drawn(seed)
        intervals = (observed_over_expected(*drawn), *calibration_line_intervals(*drawn))
        truth = (1, 1, 0)
        covered += [i.low <= t <= i.high for i, t in zip(intervals, truth, strict=True)]
    assert (covered >= 135).all()
    assert (covered < 150).all()


def test_groups_and_probabilities_without_an_interval() -> None:
    with pytest.raises(StatisticsError, match="at least 2 groups"):
        observed_over_expected([0, 1], [0.1, 0.2], [3, 3])
    with pytest.raises(StatisticsError, match="groups of shape"):
        observed_over_expected([0, 1], [0.1, 0.2], [3])
    with pytest.raises(StatisticsError, match="probabilities above 0"):
        observed_over_expected([0, 1], [0.0, 0.0], [1, 2])
    with pytest.raises(StatisticsError, match="perfect separation"):
        calibration_line_intervals([0, 1], [0.1, 0.2], [1, 2])


def test_brier_is_a_mean_with_clustered_errors() -> None:
    """The oracle: ordinary least squares of the squared errors on a constant, by cluster."""
    target, risk, group = _drawn(2)
    found = brier_interval(target, risk, group)
    n = np.unique(group).size
    squares = (risk - target) ** 2
    clusters = {"groups": group, "use_correction": False}
    oracle = sm.OLS(squares, np.ones(squares.size)).fit(cov_type="cluster", cov_kwds=clusters)
    assert found.estimate == pytest.approx(oracle.params[0], abs=1e-12)
    assert found.standard_error == pytest.approx(oracle.bse[0] * np.sqrt(n / (n - 1)), rel=1e-10)
    # With each photograph its own patient: the standard error of a mean.
    alone = brier_interval(target, risk, np.arange(600))
    assert alone.standard_error == pytest.approx(squares.std(ddof=1) / np.sqrt(600), rel=1e-10)


def test_brier_covers_the_expected_score() -> None:
    """The truth is the mean of risk x (1 - risk) in a large sample of the same population."""
    truth = np.mean([np.mean(risk * (1 - risk)) for _, risk, _ in map(_drawn, range(500, 700))])
    held = 0
    for seed in range(200):
        found = brier_interval(*_drawn(seed))
        held += found.low <= truth <= found.high
    assert 0.90 <= held / 200 <= 0.99
