"""The calibration error: without chance's part, with an interval that holds, also over patients."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ncx2

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration import calibration_error
from melanoscope.stats.calibration.calibration_error import (
    calibration_bins,
    calibration_error_interval,
    equal_mass_bins,
)
from tests.stats.calibration.simulated import Sample, draw_patients


def _truth(sample: Sample) -> float:
    """Root mean squared gap of the true risks, over the bins that the estimate has."""
    bins = calibration_error._choose_bins(sample.probability, sample.group)
    sizes = np.bincount(bins)
    gaps = np.bincount(bins, sample.risk - sample.probability) / sizes
    return float(np.sqrt(sizes / sizes.sum() @ gaps**2))


@pytest.mark.parametrize(("groups", "mean", "icc"), [(400, 1, 0.0), (60, 10, 0.3), (60, 10, 0.7)])
@pytest.mark.parametrize("wrong", [{}, {"shift": 0.5}])
def test_interval_covers(groups: int, mean: int, icc: float, wrong: dict[str, float]) -> None:
    """60 samples each: fewer than 52 at a true 95 % happen once in 150 times.

    On 400 samples each, over these and more settings, 93 to 98 % were held; the percentiles of a
    bootstrap of the uncorrected error hold a calibrated network's 0 in none.
    """
    rng, held, zero = np.random.default_rng(6), 0, 0
    for _ in range(60):
        sample = draw_patients(rng, groups=groups, mean=mean, icc=icc, **wrong)
        found = calibration_error_interval(sample.target, sample.probability, sample.group)
        assert found.low <= found.estimate <= found.high
        held += found.low <= _truth(sample) + 1e-12 <= found.high + 1e-12
        zero += found.low == 0
    assert held >= 52
    if not wrong:
        assert zero >= 52


def test_chance_is_taken_off() -> None:
    """A calibrated network's squared error is 0 on average; the uncorrected one is far above it."""
    rng, squared, raw = np.random.default_rng(1), [], []
    for _ in range(100):
        sample = draw_patients(rng, groups=300, mean=3, icc=0.5)
        bins = calibration_error._choose_bins(sample.probability, sample.group)
        difference = sample.target - sample.probability
        gaps, covariance = calibration_error._gaps(difference, sample.group, bins)
        squared.append(gaps @ gaps - np.trace(covariance))
        raw.append(gaps @ gaps)
    error = np.std(squared) / np.sqrt(100)
    assert abs(np.mean(squared)) < 4 * error
    assert np.mean(raw) > 8 * error


def test_independent_photographs_have_the_published_correction() -> None:
    """Kumar, Liang & Ma (2019): each bin's p (1 - p) / (n - 1), for one probability in each bin."""
    rng = np.random.default_rng(2)
    probability = np.repeat(np.linspace(0.05, 0.95, 10), 60)
    target = (rng.random(600) < probability**1.3).astype(int)
    found = calibration_error_interval(target, probability, np.arange(600))
    observed = target.reshape(10, 60).mean(axis=1)
    gaps = observed - np.linspace(0.05, 0.95, 10)
    expected = np.mean(gaps**2 - observed * (1 - observed) / 59)
    # Leaving out one photograph of 600 instead of one of 60 in a bin: 599 / 600 for 59 / 60.
    assert found.estimate**2 == pytest.approx(expected, abs=0.02 * np.mean(gaps**2))


def test_bounds_are_those_of_the_noncentral_chi_squared() -> None:
    """Kent & Hainsworth's interval, for gaps of equal variance that are known well."""
    k, d = 10, 6.0
    gaps = np.full(k, d / np.sqrt(k))
    low, high = calibration_error._bounds(gaps, np.eye(k), 1e9)
    for bound in (low, high):
        reach = abs(d - bound)
        inside = ncx2.cdf((bound + reach) ** 2, k, bound**2)
        inside -= ncx2.cdf(max(bound - reach, 0) ** 2, k, bound**2)
        assert inside == pytest.approx(0.95, abs=0.006)
    # No calibrated network gives such gaps, and smaller ones it may.
    assert low > 0
    assert calibration_error._bounds(gaps / 2, np.eye(k), 1e9)[0] == 0


@pytest.mark.parametrize(
    ("gap", "bounds"), [(0.0, (0, 1.645)), (1e-9, (0, 1.645)), (5.0, (3.04, 6.96))]
)
def test_one_bin_has_the_bounds_of_one_gap(gap: float, bounds: tuple[float, float]) -> None:
    """Constant probabilities: one normal gap; near 0 its distance is one-sided."""
    assert calibration_error._bounds(np.array([gap]), np.eye(1), 1e9) == pytest.approx(
        bounds, abs=0.1
    )


def test_widening_widens_and_leaves_the_estimate() -> None:
    sample = draw_patients(np.random.default_rng(3), groups=200, mean=5, icc=0.3, stretch=2.0)
    args = sample.target, sample.probability, sample.group
    plain, wide = (calibration_error_interval(*args, widening=w) for w in (1.0, 1.8))
    assert wide.estimate == plain.estimate
    assert wide.low < plain.low < plain.high < wide.high
    assert "widened" in wide.method
    assert "widened" not in plain.method


def test_few_groups_have_fewer_bins_and_one_has_no_interval() -> None:
    rng = np.random.default_rng(4)
    probability = rng.random(400)
    for groups, bins in ((400, 10), (100, 5), (30, 1)):
        few = np.arange(groups) if groups == 30 else np.arange(400) * groups // 400
        score = probability[: few.size] if groups != 100 else np.sort(probability)
        found = calibration_error._choose_bins(score, few)
        assert np.unique(found).size == bins
    with pytest.raises(StatisticsError, match="at least 2 groups"):
        calibration_error_interval([0, 1], [0.1, 0.2], [3, 3])


def test_a_network_that_is_sure_and_right_has_no_error() -> None:
    found = calibration_error_interval([0, 1] * 30, [0.0, 1.0] * 30, np.arange(60))
    assert (found.low, found.estimate, found.high) == (0, 0, 0)


def test_bins_have_equal_mass_without_ties_and_ignore_the_order() -> None:
    rng = np.random.default_rng(0)
    sizes = np.bincount(equal_mass_bins(rng.random(150), 15))
    assert (sizes == 10).all()
    probability = np.round(rng.random(200), 1)
    order = rng.permutation(200)
    assert (equal_mass_bins(probability)[order] == equal_mass_bins(probability[order])).all()


def test_bins_add_up_to_the_sample() -> None:
    sample = draw_patients(np.random.default_rng(5), groups=1000, mean=1, icc=0.0)
    bins = calibration_bins(sample.target, sample.probability)
    n = np.array([b.n for b in bins])
    assert n.sum() == 1000
    assert n @ [b.observed for b in bins] == pytest.approx(sample.target.sum())
    assert n @ [b.predicted for b in bins] == pytest.approx(sample.probability.sum())
    assert [b.predicted for b in bins] == sorted(b.predicted for b in bins)
    with pytest.raises(StatisticsError, match="at least one bin"):
        calibration_bins([0, 1], [0.2, 0.3], bins=0)
    (only,) = calibration_bins([0, 0, 0, 1], np.full(4, 0.5))
    assert only.predicted - only.observed == 0.25
