"""Random-effects pooling against statsmodels, closed forms and simulated archives.

R's metafor is compared with in test_r_oracles.py.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import t as student
from statsmodels.stats.meta_analysis import combine_effects

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.wald import logit_interval, wald_interval
from melanoscope.stats.meta_analysis import pooled_auroc_over, random_effects

ARCHIVES = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 3)), min_size=2, max_size=8).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


def auroc(estimate: float, error: float) -> Interval:
    return wald_interval(estimate, error, n=100, method="DeLong")


def covers(found: Interval, truth: float) -> bool:
    return found.low <= truth <= found.high


def bounds(found: Interval) -> tuple[float, float]:
    return found.low, found.high


@settings(deadline=None, max_examples=60)
@given(ARCHIVES)
def test_as_statsmodels_says(archives: tuple[np.ndarray, np.ndarray]) -> None:
    value, error = archives
    with np.errstate(all="ignore"):
        theirs = combine_effects(value, error**2, method_re="dl", use_t=True)
    found = random_effects(value, error, never_narrower=False)
    close = {"rel": 1e-6, "abs": 1e-9}
    assert found.q == pytest.approx(theirs.q, **close)
    # With two that agree p has the root of Q, whose rounding differs.
    assert found.p_heterogeneity == pytest.approx(theirs.test_homogeneity().pvalue, abs=1e-5)
    assert found.common_weights == pytest.approx(theirs.weights_rel_fe, **close)
    assert found.common.estimate == pytest.approx(theirs.mean_effect_fe, **close)
    assert found.common.standard_error == pytest.approx(theirs.sd_eff_w_fe, **close)
    # It leaves a variance below 0 as it is.
    assert found.tau_squared == pytest.approx(max(theirs.tau2, 0), **close)
    if theirs.tau2 <= 0:
        assert found.i_squared == 0
        assert found.interval.estimate == pytest.approx(found.common.estimate, **close)
        return
    assert found.i_squared == pytest.approx(theirs.i2, abs=1e-6)
    assert found.interval.estimate == pytest.approx(theirs.mean_effect_re, **close)
    assert found.weights == pytest.approx(theirs.weights_rel_re, **close)
    assert found.usual.standard_error == pytest.approx(theirs.sd_eff_w_re, **close)
    assert found.interval.standard_error == pytest.approx(theirs.sd_eff_w_re_hksj, **close)
    hksj = theirs.conf_int(use_t=True)[3]
    assert bounds(found.interval) == pytest.approx(hksj, rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(ARCHIVES)
def test_safeguard_holds_and_changes_nothing_else(archives: tuple[np.ndarray, ...]) -> None:
    held, free = (random_effects(*archives, never_narrower=safe) for safe in (True, False))
    least = min(held.interval.low - held.usual.low, held.usual.high - held.interval.high)
    assert least <= 1e-9
    assert held.interval.standard_error == max(
        held.usual.standard_error, free.interval.standard_error
    )
    assert held.interval.estimate == free.interval.estimate
    assert held.interval.method != free.interval.method
    if held.prediction is not None:
        assert held.prediction.low <= held.interval.low
        assert held.prediction.high >= held.interval.high


def test_two_archives_have_one_degree_of_freedom_and_no_prediction() -> None:
    # Equal errors s: tau^2 = d^2 / 2 - s^2, so that the mean has the error d / 2 of the plain t.
    found = random_effects([1.0, 2.0], [0.1, 0.1])
    assert found.tau_squared == pytest.approx(0.5 - 0.01)
    assert found.interval.standard_error == pytest.approx(0.5)
    assert found.interval.high - 1.5 == pytest.approx(0.5 * student.ppf(0.975, 1))
    assert found.prediction is None


def test_archives_that_agree_are_one_common_value() -> None:
    error = np.array([0.1, 0.2, 0.4])
    found = random_effects([1.0, 1.01, 0.99], error)
    assert found.tau_squared == found.i_squared == 0
    assert found.weights == pytest.approx(error**-2 / (error**-2).sum())
    assert bounds(found.usual) == pytest.approx(bounds(found.common))
    assert found.interval.standard_error == pytest.approx(found.common.standard_error)
    assert found.p_heterogeneity > 0.99
    # Without the safeguard three estimates that agree by luck would be certain.
    lucky = random_effects([1.0, 1.0, 1.0], error, never_narrower=False)
    assert lucky.interval.half_width == 0
    assert random_effects([1.0, 1.0, 1.0], error).interval.half_width > 0.2


def test_closed_form_of_prediction() -> None:
    value, error = np.array([1.0, 2.0, 3.0, 1.5]), np.full(4, 0.1)
    found = random_effects(value, error)
    assert found.prediction is not None
    # Equal errors: the mean has the error of the plain t, and tau^2 + s^2 is the sample variance.
    spread = value.var(ddof=1)
    half = student.ppf(0.975, 2) * np.sqrt(spread / 4 + spread - 0.01)
    assert found.prediction.high - found.prediction.estimate == pytest.approx(half)
    # Where the error of the mean is the larger one of Hartung & Knapp, it is that which counts.
    unlike = random_effects([1.0, 1.1, 0.9, 4.0], [0.1, 0.1, 0.1, 1.0])
    assert unlike.interval.standard_error > 1.05 * unlike.usual.standard_error
    assert unlike.prediction is not None
    assert unlike.prediction.standard_error**2 == pytest.approx(
        unlike.interval.standard_error**2 + unlike.tau_squared
    )


def test_aurocs_are_pooled_as_logits() -> None:
    areas, errors = (0.91, 0.84, 0.88), (0.01, 0.03, 0.02)
    names = ("isic", "ham", "ph2")
    archives = {n: auroc(a, e) for n, a, e in zip(names, areas, errors, strict=True)}
    found = pooled_auroc_over(archives)
    area = np.array(areas)
    by_hand = random_effects(logit(area), np.array(errors) / area / (1 - area))
    assert found.interval.estimate == pytest.approx(expit(by_hand.interval.estimate))
    assert bounds(found.interval) == pytest.approx(tuple(expit(bounds(by_hand.interval))))
    assert found.prediction is not None
    assert found.prediction.low == pytest.approx(expit(by_hand.prediction.low))
    assert 0 < found.prediction.low < found.interval.low < found.interval.high < 1
    assert sum(found.weights.values()) == pytest.approx(1)
    assert found.common_weights["isic"] > found.weights["isic"]
    assert (found.interval.n, found.interval.unit) == (3, "archives")
    assert "logit" in found.interval.method
    # An archive's interval on the logit scale has this very error.
    one = logit_interval(0.9, 0.02, n=1, method="")
    two = pooled_auroc_over({"a": one, "b": one})
    assert bounds(two.usual)[0] > one.low
    halved = logit_interval(0.9, 0.02 / np.sqrt(2), n=1, method="")
    assert bounds(two.common) == pytest.approx(bounds(halved))
    assert two.common.standard_error == pytest.approx(halved.standard_error)


def test_order_of_archives_does_not_matter() -> None:
    archives = {"a": auroc(0.9, 0.01), "b": auroc(0.8, 0.04), "c": auroc(0.85, 0.02)}
    first = pooled_auroc_over(archives)
    for order in permutations(archives):
        found = pooled_auroc_over({name: archives[name] for name in order})
        assert bounds(found.interval) == pytest.approx(bounds(first.interval))
        assert found.weights == pytest.approx(first.weights)


@pytest.mark.parametrize(
    ("value", "error"),
    [([1.0], [0.1]), ([], []), ([1.0, 2.0], [0.1]), ([[1.0], [2.0]], [[0.1], [0.1]])],
)
def test_fewer_than_two_archives_are_refused(value: list, error: list) -> None:
    with pytest.raises(StatisticsError, match="2 archives"):
        random_effects(value, error)


@pytest.mark.parametrize(
    ("value", "error"),
    [([1.0, 2.0], [0.1, 0.0]), ([1.0, 2.0], [0.1, -1.0]), ([1.0, np.nan], [0.1, 0.1]),
     ([1.0, 2.0], [np.inf, 0.1]), ([1.0, 2.0], [0.1, np.nan])],
)  # fmt: skip
def test_errors_must_be_errors(value: list, error: list) -> None:
    with pytest.raises(StatisticsError, match="above 0"):
        random_effects(value, error)


@pytest.mark.parametrize("wrong", [auroc(1.0, 0.01), auroc(0.9, 0.0), auroc(0.9, float("nan"))])
def test_separated_archive_is_refused_by_name(wrong: Interval) -> None:
    with pytest.raises(StatisticsError, match="ph2"):
        pooled_auroc_over({"isic": auroc(0.9, 0.01), "ph2": wrong})


def test_no_archive_and_one_archive_are_refused() -> None:
    for archives in ({}, {"isic": auroc(0.9, 0.01)}):
        with pytest.raises(StatisticsError, match="2 archives"):
            pooled_auroc_over(archives)


@pytest.mark.parametrize(
    ("error", "least"),
    [
        ((0.1, 0.2, 0.2, 0.3, 0.3), 0.92),
        ((0.2, 0.2, 0.2), 0.94),
        ((0.05, 0.2, 0.2, 0.3, 0.4), 0.88),
    ],
)
def test_simulated_archives_are_covered(error: tuple[float, ...], least: float) -> None:
    """The mean's interval, and the next archive's, which is known to be too short (0.87 to 0.92).

    With errors from 1 to 8 the variance by moments is often 0, and no interval with it keeps 95 %.
    """
    rng = np.random.default_rng(0)
    runs, mean, tau, k = 800, 2.0, 0.3, len(error)
    seen = mean + tau * rng.normal(size=(runs, k)) + np.array(error) * rng.normal(size=(runs, k))
    following = mean + tau * rng.normal(size=runs)
    held = free = usual = predicted = 0
    for estimate, next_one in zip(seen, following, strict=True):
        found = random_effects(estimate, error)
        unheld = random_effects(estimate, error, never_narrower=False)
        assert found.prediction is not None
        held += covers(found.interval, mean)
        free += covers(unheld.interval, mean)
        usual += covers(found.usual, mean)
        predicted += covers(found.prediction, next_one)
    assert least <= held / runs
    assert usual < free < held
    assert usual / runs < 0.9, "the usual interval would do, and need not be widened"
    assert predicted / runs >= 0.85
