"""Learning curves against SciPy's least squares and simulated results of known curves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.inverse_power_law import EXPONENTS, fit_power_laws
from melanoscope.stats.learning_curve import (
    ASYMPTOTE,
    EXPONENT,
    FLAT,
    MISFIT,
    learning_curve,
)

SIZE = np.array([25.0, 50, 100, 200, 400, 800])
CURVES = st.tuples(st.floats(0.6, 1), st.floats(0, 2), st.floats(0.1, 1.5))


def truth(a: float, b: float, c: float) -> Callable[[float], float]:
    return lambda n: a - b * n**-c


def simulated(
    seed: int, a: float, b: float, c: float, *, spread: float = 0.15, draws: int = 4
) -> np.ndarray:
    """Results of 5 folds, errors of correlation 1/2 within a draw that shrink with root n."""
    rng = np.random.default_rng(seed)
    own, common = rng.normal(size=(draws, 5, SIZE.size)), rng.normal(size=(draws, 5, 1))
    of_fold = 0.01 * np.linspace(-1, 1, 5)[:, None]
    luck = spread * (own + common) / np.sqrt(2 * SIZE)
    return np.clip(truth(a, b, c)(SIZE) + of_fold + luck, 0, 1)


def covers(found: Interval, value: float) -> bool:
    return found.low <= value <= found.high


@settings(deadline=None, max_examples=30)
@given(CURVES, st.integers(0, 10**6))
def test_no_curve_fits_better(curve: tuple[float, float, float], seed: int) -> None:
    """SciPy's bounded least squares, from four starts."""
    rng = np.random.default_rng(seed)
    values = truth(*curve)(SIZE) + 0.3 * rng.normal(size=SIZE.size) / np.sqrt(SIZE)
    found = fit_power_laws(SIZE, values[None], SIZE)

    def residual(p: np.ndarray) -> np.ndarray:
        return np.sqrt(SIZE) * (values - p[0] + p[1] * (SIZE / SIZE[-1]) ** -p[2])

    mine = residual(np.array([found.a[0], found.b[0], found.c[0]]))
    assert found.misfit[0] == pytest.approx(mine @ mine, rel=1e-6, abs=1e-9)
    assert found.a[0] <= 1
    assert found.b[0] >= 0
    bounds = ([-np.inf, 0, EXPONENTS[0]], [1, np.inf, EXPONENTS[1]])
    for start in (0.1, 0.5, 1.0, 3.0):
        theirs = least_squares(residual, [0.8, 0.1, start], bounds=bounds)
        assert found.misfit[0] <= 2 * theirs.cost * (1 + 1e-5) + 1e-9


@settings(deadline=None, max_examples=30)
@given(st.tuples(st.floats(0.7, 0.99), st.floats(0.1, 2), st.floats(0.1, 1.5)))
def test_exact_results_give_the_curve_back(curve: tuple[float, float, float]) -> None:
    found = fit_power_laws(SIZE, truth(*curve)(SIZE)[None], np.ones(SIZE.size))
    for n in (SIZE[0], 100.0, SIZE[-1]):
        assert found.at(n)[0] == pytest.approx(truth(*curve)(n), abs=1e-5)
    assert found.c[0] == pytest.approx(curve[2], rel=0.01)
    assert found.a[0] == pytest.approx(curve[0], abs=0.01)


def test_rows_are_fitted_each_by_itself() -> None:
    rows = np.stack([truth(0.9, 0.5, 0.5)(SIZE), truth(0.8, 0.9, 0.7)(SIZE), 0.9 - SIZE * 1e-5])
    together = fit_power_laws(SIZE, rows, SIZE)
    for i, row in enumerate(rows):
        alone = fit_power_laws(SIZE, row[None], SIZE)
        for one in ("a", "b", "c", "misfit"):
            assert getattr(together, one)[i] == pytest.approx(getattr(alone, one)[0], abs=1e-9)
    assert together.b[2] == 0


@settings(deadline=None, max_examples=15)
@given(st.tuples(st.floats(0.7, 1), st.floats(0, 0.5), st.floats(0.1, 1.5)), st.integers(0, 1000))
def test_curve_never_falls_and_needs_more_for_more(
    curve: tuple[float, float, float], seed: int
) -> None:
    found = learning_curve(SIZE, simulated(seed, *curve), replicates=100)
    sizes = np.geomspace(10, 1e6, 30)
    for value in ("estimate", "low", "high"):
        heights = [getattr(found.at(n), value) for n in sizes]
        assert (np.diff(heights) >= -1e-12).all()
        assert max(heights) <= 1
    asked = [found.needed(d) for d in (0.002, 0.005, 0.01, 0.05)]
    for less, more in pairwise(asked):
        assert less.total <= more.total
        assert less.low <= more.low
        assert less.high <= more.high
    for one in asked:
        assert one.present < one.low <= one.high
        assert one.known == (one.high <= 10 * one.present)
        if np.isfinite(one.total):
            gain = found.at(one.total).estimate - found.at(one.present).estimate
            assert gain == pytest.approx(one.difference, abs=1e-9)


CASES = {  # a, b, c; AUROC at 800: 0.899, 0.819 and 0.893
    "even": (0.92, 0.6, 0.5),
    "slow": (0.95, 0.5, 0.2),
    "fast": (0.9, 1.5, 0.8),
}


@pytest.mark.parametrize("name", CASES)
def test_intervals_cover_known_curves(name: str) -> None:
    curve, runs = CASES[name], 100
    at = truth(*curve)
    a, b, c = curve
    total = (b / (a - at(800) - 0.005)) ** (1 / c)
    inside, needed = dict.fromkeys((50, 800, 3200), 0), 0
    for seed in range(runs):
        found = learning_curve(SIZE, simulated(seed, *curve), replicates=300, seed=seed)
        for n in inside:
            inside[n] += covers(found.at(n), at(n))
        asked = found.needed(0.005)
        needed += asked.low <= total <= asked.high
    assert all(hits / runs >= 0.9 for hits in inside.values()), inside
    assert needed / runs >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_coverage_in_full(name: str) -> None:
    curve, runs = CASES[name], 1500
    at = truth(*curve)
    a, b, c = curve
    total = (b / (a - at(800) - 0.005)) ** (1 / c)
    inside, needed = dict.fromkeys((50, 800, 3200), 0), 0
    for seed in range(runs):
        found = learning_curve(SIZE, simulated(seed, *curve), replicates=500, seed=seed)
        for n in inside:
            inside[n] += covers(found.at(n), at(n))
        asked = found.needed(0.005)
        needed += asked.low <= total <= asked.high
    assert all(0.94 <= hits / runs <= 0.995 for hits in inside.values()), inside
    assert needed / runs >= 0.94


def test_errors_are_those_of_many_simulated_means() -> None:
    curve = (0.92, 0.6, 0.5)
    means = np.array([simulated(seed, *curve).mean(axis=(0, 1)) for seed in range(500)])
    found = [learning_curve(SIZE, simulated(s, *curve), replicates=100) for s in range(40)]
    stated = np.sqrt(np.mean([one.results.variance for one in found], axis=0))
    assert stated == pytest.approx(means.std(axis=0, ddof=1), rel=0.35)
    assert (stated > 0.9 * means.std(axis=0, ddof=1)).all(), "held to be smaller than they are"
    correlated = np.corrcoef(means.T)[~np.eye(SIZE.size, dtype=bool)].mean()
    assert np.mean([one.results.correlation for one in found]) == pytest.approx(correlated, abs=0.1)
    luck = found[0].results.luck(np.random.default_rng(0), 20_000)
    assert np.corrcoef(luck.T)[0, 1:] == pytest.approx(found[0].results.correlation, abs=0.03)
    # Of a t variable: k / (k - 2) times the variance.
    assert luck.var(axis=0) == pytest.approx(found[0].results.variance * 15 / 13, rel=0.05)


def test_more_draws_narrow_the_answer() -> None:
    few, many = (
        learning_curve(SIZE, simulated(1, 0.95, 0.5, 0.2, draws=draws)) for draws in (3, 30)
    )
    assert many.at(3200).half_width < 0.6 * few.at(3200).half_width
    asked = many.needed(0.01)
    assert asked.known
    assert "more positives (" in asked.words
    assert asked.low <= 1189 <= asked.high


def test_shared_error_moves_the_curve_and_not_what_is_needed() -> None:
    results = simulated(2, 0.92, 0.6, 0.5)
    alone, shared = (learning_curve(SIZE, results, shared_error=e) for e in (0.0, 0.02))
    assert alone.at(800).half_width < 0.006
    assert shared.at(800).half_width == pytest.approx(1.96 * 0.02, rel=0.1)
    one, other = alone.needed(0.005), shared.needed(0.005)
    assert one.total == other.total
    assert other.low == pytest.approx(one.low, rel=0.05)


def test_folds_of_unlike_difficulty_are_no_error() -> None:
    results = simulated(3, 0.92, 0.6, 0.5)
    harder = results - np.array([0.0, 0.05, 0.1, 0.02, 0.15])[:, None]
    one, other = (learning_curve(SIZE, r) for r in (results, harder))
    assert other.results.variance == pytest.approx(one.results.variance)
    assert other.at(800).half_width == pytest.approx(one.at(800).half_width, rel=0.05)


def test_whole_archive_in_every_draw_is_no_certainty() -> None:
    results = simulated(4, 0.92, 0.6, 0.5)
    results[:, :, -1] = results[0, :, -1]
    found = learning_curve(SIZE, results)
    assert found.results.variance[-1] > 0.3 * found.results.variance[-2] / 2


def test_curve_that_does_not_rise_says_so() -> None:
    found = learning_curve(SIZE, simulated(5, 0.85, 0.0, 0.5))
    assert FLAT in found.doubts
    asked = found.needed(0.02)
    assert not asked.known
    assert "more than 10 times the present data, or never" in asked.words


def test_asymptote_and_exponent_that_are_not_known() -> None:
    nearly_logarithmic = learning_curve(SIZE, 0.1 * np.log(SIZE) / np.log(800) + 0.75
                                        + simulated(6, 0.1, 0.0, 1.0, spread=0.05))  # fmt: skip
    assert ASYMPTOTE in nearly_logarithmic.doubts
    assert nearly_logarithmic.asymptote.high == 1
    step = np.where(SIZE > 30, 0.9, 0.6) + simulated(7, 0.0, 0.0, 1.0, spread=0.02)
    assert EXPONENT in learning_curve(SIZE, np.clip(step, 0, 1)).doubts
    assert learning_curve(SIZE, simulated(8, 0.92, 0.6, 0.5, spread=0.03)).doubts == ()


def test_results_that_lie_on_no_such_curve_say_so() -> None:
    hump = 0.85 - 0.1 * (np.log(SIZE / 140) / 3) ** 2
    assert MISFIT in learning_curve(SIZE, hump + simulated(9, 0.05, 0.0, 1.0, spread=0.03)).doubts
    fits = [
        learning_curve(SIZE, simulated(s, 0.92, 0.6, 0.5), replicates=200).p_misfit
        for s in range(60)
    ]
    assert 0.3 < np.mean(fits) < 0.75


def test_seed_makes_it_anew() -> None:
    results = simulated(0, 0.92, 0.6, 0.5)
    one, same, other = (learning_curve(SIZE, results, seed=s).at(800) for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_words() -> None:
    found = learning_curve(SIZE, simulated(0, 0.95, 0.5, 0.2, spread=0.02))
    asked = found.needed(0.01, present=400)
    assert asked.present == 400
    assert asked.words.startswith("+0.01 AUROC takes ")
    assert f"{asked.total - 400:,.0f} more positives" in asked.words
    assert "at least" in learning_curve(SIZE, simulated(3, 0.92, 0.6, 0.5, spread=0.3)).needed(
        0.01
    ).words  # fmt: skip


@pytest.mark.parametrize(
    ("size", "results", "message"),
    [
        (SIZE[:3], np.full((2, 2, 3), 0.8), "4 training sizes"),
        (SIZE[::-1], np.full((2, 2, 6), 0.8), "ascending"),
        (np.append(0.0, SIZE[1:]), np.full((2, 2, 6), 0.8), "ascending"),
        (np.append(SIZE[:5], np.nan), np.full((2, 2, 6), 0.8), "ascending"),
        (SIZE, np.full((1, 2, 6), 0.8), "2 draws"),
        (SIZE, np.full((2, 2, 5), 0.8), "2 draws"),
        (SIZE, np.full((2, 0, 6), 0.8), "between 0 and 1"),
        (SIZE, np.full((2, 2, 6), 1.8), "between 0 and 1"),
        (SIZE, np.full((2, 2, 6), np.nan), "between 0 and 1"),
        (SIZE, np.full((2, 2, 6), 0.8), "vary"),
    ],
)
def test_what_tells_nothing_is_refused(size: np.ndarray, results: np.ndarray, message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        learning_curve(size, results)


def test_questions_out_of_range_are_refused() -> None:
    results = simulated(0, 0.92, 0.6, 0.5)
    found = learning_curve(SIZE, results)
    for difference, present in ((0.0, None), (-0.01, None), (1.0, None), (0.01, 0.0)):
        with pytest.raises(StatisticsError, match="between 0 and 1"):
            found.needed(difference, present)
    with pytest.raises(StatisticsError, match="above 0"):
        found.at(0)
    for wrong in ({"shared_error": -1.0}, {"shared_error": np.nan}, {"replicates": 10}):
        with pytest.raises(StatisticsError, match="100 replicates"):
            learning_curve(SIZE, results, **wrong)
