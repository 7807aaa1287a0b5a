"""The flexible calibration curve against R's rms, statsmodels with patsy, and its coverage."""

from __future__ import annotations

import numpy as np
import patsy
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.flexible_curve import KNOTS, flexible_curve, spline_basis
from melanoscope.stats.calibration.logistic import fit_logistic, group_shifts
from tests.stats.calibration.simulated import draw_patients


def _deterministic() -> tuple[np.ndarray, np.ndarray]:
    """Logits and outcomes that R computes alike."""
    i = np.arange(300)
    x = -1.5 + 1.6 * np.sin(i * 0.7) + 0.9 * np.cos(i * 0.31)
    return x, ((i * 37) % 101 / 101 < expit(0.2 + 0.6 * x + 0.15 * x**2)).astype(int)


# By R's rms 6.5, which benchmarks/r_oracles.R asks likewise: `lrm(y ~ rcs(x, k))` with k at the
# quantiles `KNOTS`, its distances from `plogis(x)`, and its linear predictor at -3, -1 and 0.5.
R_DISTANCES = (0.231488702169, 0.226518620990, 0.417950676456)
R_LINEAR = (-0.320602964382, -0.129432522456, 0.490994173967)
# `rcspline.eval` at -2, 0.3 and 1.5 with knots at -3, -1, 0 and 1.
R_BASIS = ((-2, 0.3, 1.5), (0.0625, 2.2393125, 4.875), (0, 0.1339375, 0.5625))


def test_distances_are_those_of_rms() -> None:
    x, target = _deterministic()
    found = flexible_curve(target, expit(x), np.arange(300))
    assert (found.ici, found.e50, found.e90) == pytest.approx(R_DISTANCES, abs=1e-8)
    at = np.interp([-3, -1, 0.5], logit(found.predicted), logit(found.observed))
    assert at == pytest.approx(R_LINEAR, abs=2e-3)  # between the curve's points


def test_basis_is_that_of_rms_and_linear_beyond_the_knots() -> None:
    knots = np.array([-3.0, -1, 0, 1])
    assert (
        pytest.approx(np.array(R_BASIS), abs=1e-10)
        == spline_basis(np.array([-2, 0.3, 1.5]), knots).T
    )
    for beyond in (np.linspace(-9, -3, 7), np.linspace(1, 9, 7)):
        assert np.abs(np.diff(spline_basis(beyond, knots), 2, axis=0)).max() < 1e-10


def test_distances_are_those_of_another_basis() -> None:
    """patsy's natural cubic splines span the same curves."""
    sample = draw_patients(np.random.default_rng(0), groups=400, mean=5, icc=0.3, stretch=1.6)
    x = logit(sample.probability)
    knots = np.quantile(x, KNOTS)
    design = patsy.cr(x, knots=knots[1:-1], lower_bound=knots[0], upper_bound=knots[-1])
    fitted = sm.Logit(sample.target, np.asarray(design)).fit(disp=0, tol=1e-12).predict()
    gaps = np.abs(fitted - sample.probability)
    found = flexible_curve(sample.target, sample.probability, sample.group)
    expected = (gaps.mean(), np.median(gaps), np.quantile(gaps, 0.9))
    assert (found.ici, found.e50, found.e90) == pytest.approx(expected, abs=1e-7)


def test_a_group_left_out_by_one_step_is_nearly_the_fit_without_it() -> None:
    sample = draw_patients(np.random.default_rng(1), groups=400, mean=4, icc=0.5)
    x = logit(sample.probability)
    design = np.stack([np.ones_like(x), x, np.maximum(x, 0) ** 3], axis=1)
    y, nothing = sample.target.astype(float), np.zeros_like(x)
    beta = fit_logistic(design, y, nothing)
    shifts = group_shifts(design, y, design @ beta, sample.group).shift
    for group in range(5):
        rest = sample.group != group
        without = sm.Logit(y[rest], design[rest]).fit(disp=0, tol=1e-12).params
        assert shifts[group] == pytest.approx(beta - without, rel=0.1, abs=2e-3)


@pytest.mark.parametrize("stretch", [1.0, 1.5])
def test_band_covers_the_true_curve(stretch: float) -> None:
    """Patients with 10 photographs each; the truth is a line, which the spline holds.

    Of 60 samples and 7 points that go together, 95 % nominal.
    """
    rng, at = np.random.default_rng(2), np.linspace(-3, 1, 7)
    held = np.zeros((60, at.size))
    for row in held:
        sample = draw_patients(rng, groups=80, mean=10, icc=0.3, stretch=stretch)
        curve = flexible_curve(sample.target, sample.probability, sample.group)
        x = logit(curve.predicted)
        low, high = (np.interp(at, x, logit(bound)) for bound in (curve.low, curve.high))
        inside = (at > x[0]) & (at < x[-1])
        row[:] = np.where(inside, (low <= at / stretch) & (at / stretch <= high), np.nan)
    assert np.nanmean(held) >= 0.88
    assert np.nanmean(held, axis=0).min() >= 0.83


def test_widening_widens_the_band_on_the_logit_scale() -> None:
    sample = draw_patients(np.random.default_rng(3), groups=80, mean=5, icc=0.3)
    args = sample.target, sample.probability, sample.group
    plain, wide = flexible_curve(*args), flexible_curve(*args, widening=4.0)
    reach = [logit(c.high) - logit(c.observed) for c in (plain, wide)]
    assert reach[1] == pytest.approx(2 * reach[0])
    assert wide.ici == plain.ici


def test_few_groups_separation_and_few_values_have_no_curve() -> None:
    rng = np.random.default_rng(4)
    probability = rng.random(400)
    target = (rng.random(400) < probability).astype(int)
    with pytest.raises(StatisticsError, match="at least 10 groups"):
        flexible_curve(target, probability, np.arange(400) % 9)
    with pytest.raises(StatisticsError, match="perfect separation"):
        flexible_curve((probability > 0.5).astype(int), probability, np.arange(400))
    with pytest.raises(StatisticsError, match="probabilities of many values"):
        flexible_curve(target, np.where(probability > 0.5, 0.7, 0.2), np.arange(400))
