"""Temperature, prevalence and calibration line, against statsmodels and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss
from statsmodels.stats.proportion import proportion_confint

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_line import calibration_line
from melanoscope.stats.calibration.temperature_scaling import (
    apply_temperature,
    fit_temperature,
    to_prevalence,
)
from melanoscope.stats.intervals.proportion import wilson_interval


def _drawn(n: int = 3000, seed: int = 0, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes of calibrated probabilities, and these with logits stretched."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 1.2, n)
    target = (rng.random(n) < 1 / (1 + np.exp(-x))).astype(int)
    return target, 1 / (1 + np.exp(-stretch * x))


@pytest.mark.parametrize("stretch", [0.5, 1.0, 2.0])
def test_temperature_is_the_inverse_slope_without_intercept(stretch: float) -> None:
    """The oracle: a logistic regression on the logit alone has slope 1 / T."""
    target, probability = _drawn(stretch=stretch)
    x = np.log(probability / (1 - probability))
    slope = sm.Logit(target, x[:, None]).fit(disp=0, tol=1e-12).params[0]
    found = fit_temperature(target, probability)
    assert found == pytest.approx(1 / slope, rel=1e-10)
    tempered = apply_temperature(probability, found)
    assert fit_temperature(target, tempered) == pytest.approx(1, rel=1e-10)
    loss = log_loss(target, tempered)
    for other in (0.99, 1.01):
        assert log_loss(target, apply_temperature(probability, found * other)) > loss


def test_temperature_refuses_what_none_can_fit() -> None:
    with pytest.raises(StatisticsError, match="separated"):
        fit_temperature([0, 0, 1, 1], [0.1, 0.2, 0.7, 0.8])
    rng = np.random.default_rng(0)
    with pytest.raises(StatisticsError, match="say nothing"):
        fit_temperature([0, 1] * 100, np.tile(rng.random(100).repeat(2), 1))
    with pytest.raises(StatisticsError, match="say nothing"):
        fit_temperature([0, 1], [0.5, 0.5])
    with pytest.raises(StatisticsError, match="say nothing"):
        fit_temperature([0, 0, 1, 1], [0.9, 0.8, 0.3, 0.2])
    for bad in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(StatisticsError, match="above 0"):
            apply_temperature([0.5], bad)


def test_temperature_keeps_the_order_and_bounds_of_probabilities() -> None:
    probability = np.array([0.0, 1e-6, 0.3, 0.5, 0.9, 1.0])
    for temperature in (0.3, 3.0):
        tempered = apply_temperature(probability, temperature)
        assert (np.diff(tempered) > 0).all()
        assert tempered[3] == 0.5
        assert 0 < tempered[0] < tempered[-1] <= 1


@pytest.mark.parametrize("bad", [[1.7], [-0.1], [np.nan]])
def test_what_is_no_probability_is_refused(bad: list[float]) -> None:
    with pytest.raises(StatisticsError, match="probabilities between 0 and 1"):
        apply_temperature(bad, 2.0)
    with pytest.raises(StatisticsError, match="probabilities between 0 and 1"):
        to_prevalence(bad, 0.136, 0.018)
    with pytest.raises(StatisticsError, match="a prevalence"):
        to_prevalence([0.5], 0.136, 1.8)


def test_prevalence_of_the_poster_and_of_isic_2020() -> None:
    """13.6 % is not 1.8 %: calibrated there, half as sure is a tenth here."""
    assert to_prevalence([0.0, 1.0], 0.136, 0.018).tolist() == [0.0, 1.0]
    odds = (0.018 / 0.982) / (0.136 / 0.864)
    assert to_prevalence([0.5], 0.136, 0.018)[0] == pytest.approx(odds / (1 + odds), rel=1e-12)
    # On average a calibrated prediction moves with the prevalence.
    target, probability = _drawn(n=200_000)
    keep = (target == 1) | (np.random.default_rng(1).random(target.size) < 0.2)
    p, q = target.mean(), target[keep].mean()
    moved = to_prevalence(probability[keep], p, q)
    assert moved.mean() == pytest.approx(q, abs=0.005)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99), st.floats(0.02, 0.98), st.floats(0.02, 0.98))
@settings(max_examples=100, deadline=None)
def test_prevalence_is_bayes_rule(p: float, q: float, sample: float, stated: float) -> None:
    """Two kinds of photographs, each with its likelihood ratio: the posterior is known."""
    ratio = p / (1 - p) / (sample / (1 - sample))
    posterior = ratio * stated / (ratio * stated + 1 - stated)
    moved = to_prevalence([p, q], sample, stated)
    assert moved[0] == pytest.approx(posterior, rel=1e-9)
    assert (moved[0] < moved[1]) == (p < q) or p == pytest.approx(q)
    assert to_prevalence(moved, stated, sample) == pytest.approx([p, q], rel=1e-7)


def test_line_is_statsmodels() -> None:
    target, probability = _drawn(stretch=1.7)
    x = np.log(probability / (1 - probability))
    both = sm.Logit(target, sm.add_constant(x)).fit(disp=0, tol=1e-13)
    offset = sm.GLM(target, np.ones((x.size, 1)), family=sm.families.Binomial(), offset=x)
    found = calibration_line(target, probability)
    assert (found.slope_intercept, found.slope) == pytest.approx(tuple(both.params), abs=1e-10)
    assert found.intercept == pytest.approx(offset.fit(tol=1e-13).params[0], abs=1e-8)


def test_line_survives_extreme_probabilities_and_refuses_separation() -> None:
    target, probability = _drawn()
    probability[:3] = (0.0, 1.0, 1.0)
    assert np.isfinite(calibration_line(target, probability).slope)
    with pytest.raises(StatisticsError, match="perfect separation"):
        calibration_line([0, 1], [0.2, 0.3])
    with pytest.raises(StatisticsError, match="probabilities that differ"):
        calibration_line([0, 1], [0.3, 0.3])


def test_shares_refuse_nothing_to_count() -> None:
    for hits, n in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(StatisticsError, match="hits of some photographs"):
            wilson_interval(hits, n)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (3, 17)])
def test_wilson_is_statsmodels(hits: int, n: int) -> None:
    found = wilson_interval(hits, n)
    expected = proportion_confint(hits, n, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-10)
    assert (found.estimate, found.n, found.unit) == (hits / n, n, "photographs")
