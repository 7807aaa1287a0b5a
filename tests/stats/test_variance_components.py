"""Patients, division and training: known components come out again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.crossval_interval import (
    CrossValidation,
    Variance,
    crossval_variance,
)
from melanoscope.stats.variance_components import (
    DIVISION,
    PATIENTS,
    TOGETHER,
    TRAINING,
    Component,
    VarianceComponents,
    variance_components,
)


def divided(y, variance) -> VarianceComponents:
    """Divide results of 400 photographs for training and 100 for the test."""
    design = CrossValidation(np.shape(y)[1], 400.0, 100.0)
    return variance_components(y, Variance(variance, 59.0), design)


def drawn(rng, repeats, folds, seeds, *, division, training, draws=()):
    """Draw results whose folds share out the patients of their repeat: they sum up to 0."""
    shape = (*draws, repeats, folds, seeds)
    folds_differ = rng.normal(0, 0.03, shape[:-1])
    folds_differ -= folds_differ.mean(axis=-1, keepdims=True)
    of_repeats = rng.normal(0, np.sqrt(division), shape[:-2])[..., None, None]
    return 0.8 + of_repeats + folds_differ[..., None] + rng.normal(0, np.sqrt(training), shape)


def one(found: VarianceComponents, source: str) -> Component:
    return next(component for component in found.components if component.source == source)


def test_known_components_come_out_and_their_intervals_hold_them():
    division, training, draws = 4e-4, 9e-4, 400
    rng = np.random.default_rng(1)
    y = drawn(rng, 5, 4, 3, division=division, training=training, draws=(draws,))
    found = [divided(values, 1e-4) for values in y]
    for source, truth in ((DIVISION, division), (TRAINING, training)):
        mine = [one(each, source) for each in found]
        estimates = np.array([component.variance for component in mine])
        # Monte Carlo margins of 4 standard errors: of the mean, and of a share of 95 %.
        margin = 4 * estimates.std() / np.sqrt(draws)
        assert estimates.mean() == pytest.approx(truth, abs=margin)
        held = np.mean([component.low <= truth <= component.high for component in mine])
        assert held > 0.95 - 4 * np.sqrt(0.95 * 0.05 / draws)
        if source == TRAINING:
            assert held < 0.95 + 4 * np.sqrt(0.95 * 0.05 / draws)


def test_the_whole_is_the_variance_of_the_mean_over_runs():
    """Of one set of patients: what repeats and seeds leave is D / R + T / (R K S)."""
    rng = np.random.default_rng(2)
    y = drawn(rng, 3, 4, 2, division=4e-4, training=9e-4, draws=(4000,))
    true = y.mean(axis=(1, 2, 3)).var(ddof=1)
    assert true == pytest.approx(4e-4 / 3 + 9e-4 / 24, rel=0.1)
    found = [divided(values, 0.0).variance for values in y[:600]]
    assert np.mean(found) == pytest.approx(true, rel=0.12)


def test_trainings_taken_for_results_would_seem_to_vary_less():
    """Ten seeds of one division say nothing of another division: it is not in the sum."""
    rng = np.random.default_rng(3)
    y = drawn(rng, 1, 5, 10, division=4e-4, training=1e-4)
    found = divided(y, 1e-4)
    assert [component.source for component in found.components] == [PATIENTS, TRAINING]
    assert found.share(DIVISION) is None
    assert found.by_repeat is None
    assert found.by_seed.least == found.by_patients.least == 0 < found.by_seed.most


def test_agrees_with_a_mixed_model():
    """REML of balanced results is the analysis of variance, where nothing is below 0."""
    rng = np.random.default_rng(5)
    repeats, folds, seeds = 6, 4, 3
    # Folds that vary freely, as the mixed model has them, and a division that is well above them.
    y = (
        0.8
        + rng.normal(0, 0.05, (repeats, 1, 1))
        + rng.normal(0, 0.03, (repeats, folds, 1))
        + rng.normal(0, 0.02, (repeats, folds, seeds))
    )
    found = divided(y, 1e-4)
    r, k, _ = (index.ravel() for index in np.indices(y.shape))
    # In hundredths: statsmodels warns of small variances, whatever their unit.
    table = pd.DataFrame({"y": 100 * y.ravel(), "repeat": r, "fold": k})
    nested = {"re_formula": "1", "vc_formula": {"fold": "0 + C(fold)"}}
    fitted = smf.mixedlm("y ~ 1", table, groups="repeat", **nested).fit(reml=True)
    division = float(fitted.cov_re.iloc[0, 0]) + float(fitted.vcomp[0]) / folds
    assert one(found, TRAINING).variance == pytest.approx(fitted.scale / 1e4, rel=1e-3)
    assert one(found, DIVISION).variance == pytest.approx(division / 1e4, rel=1e-3)


def test_patients_are_the_bootstraps_variance_widened():
    found = divided(np.full((2, 5, 2), 0.8), 2e-4)
    patients = one(found, PATIENTS)
    assert patients.variance == pytest.approx(2e-4 * (1 + 4 * 0.2))
    assert patients.low == pytest.approx(59 * patients.variance / chi2.ppf(0.975, 59))
    assert found.share(PATIENTS) == 1
    assert found.by_patients.least == found.by_patients.most == pytest.approx(1 - 1.2**-0.5)
    assert found.by_seed.most == found.by_repeat.most == 0


def test_one_repeat_and_one_seed_are_told_together():
    y = np.array([0.80, 0.86, 0.90, 0.84]).reshape(1, 4, 1)
    found = divided(y, 1e-4)
    together = one(found, TOGETHER)
    assert together.variance == pytest.approx(y.var(ddof=1) / 4 - 1e-4)
    assert 0 == found.by_seed.least < found.by_seed.most == found.by_repeat.most
    # More patients explain the spread: nothing is left, and that is said.
    rest = one(divided(y, 1e-2), TOGETHER)
    assert (rest.variance, rest.truncated) == (0, True)


def test_several_repeats_of_one_seed_are_told_together():
    y = drawn(np.random.default_rng(4), 4, 5, 1, division=4e-4, training=9e-4)
    together = one(divided(y, 1e-4), TOGETHER)
    assert together.variance == pytest.approx(y.mean(axis=(1, 2)).var(ddof=1))
    assert together.of_mean == pytest.approx(together.variance / 4)


def test_a_division_below_what_training_explains_is_set_to_nothing():
    rng = np.random.default_rng(0)
    y = 0.8 + rng.normal(0, 0.05, (2, 3, 4))
    y -= y.mean(axis=(1, 2), keepdims=True)
    division = one(divided(y, 1e-4), DIVISION)
    assert (division.variance, division.low, division.truncated) == (0, 0, True)
    assert division.high == 0


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(1, 4)),
    seed=st.integers(0, 10**6),
    variance=st.floats(0, 1e-2),
)
@settings(max_examples=100, deadline=None)
def test_what_always_holds(shape, seed, variance):
    y = np.random.default_rng(seed).uniform(0.5, 1, shape)
    found = divided(y, variance)
    shares = [found.share(component.source) for component in found.components]
    if found.variance:
        assert sum(shares) == pytest.approx(1)
    for component in found.components:
        assert 0 <= component.low <= component.variance + 1e-15
        assert component.variance <= component.high + 1e-15
    for narrowing in (found.by_repeat, found.by_seed, found.by_patients):
        assert narrowing is None or 0 <= narrowing.least <= narrowing.most < 1
    moved = divided(y[::-1, ::-1, ::-1] + 0.1, variance)
    assert moved.variance == pytest.approx(found.variance, abs=1e-12)


@pytest.mark.parametrize(
    ("y", "variance"),
    [
        (np.zeros((2, 3)), 1e-4),
        (np.zeros((2, 1, 3)), 1e-4),
        (np.full((2, 2, 2), np.nan), 1e-4),
        (np.zeros((2, 2, 2)), -1e-4),
        (np.zeros((2, 2, 2)), np.nan),
    ],
)
def test_what_cannot_be_divided(y, variance):
    with pytest.raises(StatisticsError):
        divided(y, variance)


def test_folds_are_those_of_the_design():
    with pytest.raises(StatisticsError, match="of 3 folds"):
        variance_components(np.zeros((2, 2, 2)), Variance(0, 9), CrossValidation(3, 400, 100))


def test_one_repeat_and_one_seed_make_the_variance_that_is_reported():
    for variance in (1e-4, 1e-2):
        y = np.random.default_rng(6).normal(0.8, 0.05, (1, 5, 1))
        reported = crossval_variance(
            Variance(variance, 59.0), CrossValidation(5, 400.0, 100.0), y.ravel()
        )
        assert divided(y, variance).variance == pytest.approx(reported.value)
