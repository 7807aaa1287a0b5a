"""Differences of levels by hand, and exact bounds where the bootstrap is blind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from melanoscope.stats.bootstrap.group_weights import sample_group_weights
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.metrics.operating_points import Resampled
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.subgroup_sums import SubgroupSums, difference_of


def _interval(estimate: float, low: float, high: float, error: float) -> Interval:
    return Interval(
        estimate=estimate,
        low=low,
        high=high,
        standard_error=error,
        n=50,
        method="",
        unit="groups",
    )


def test_bootstrap_p_by_hand() -> None:
    """Of 99 differences 2 are below 0 and one is 0: p = 2 (1 + 3) / 100."""
    values = np.array([-0.2, -0.1, 0.0, *np.linspace(0.1, 0.5, 96)])
    first = Resampled(_interval(0.8, 0.7, 0.9, 0.05), values + 0.5)
    second = Resampled(_interval(0.5, 0.4, 0.6, 0.05), np.full(99, 0.5))
    found, p = difference_of(first, second, 70)
    assert p == pytest.approx(0.08)
    assert found.estimate == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])))
    assert found.standard_error == pytest.approx(values.std(ddof=1))
    assert found.n == 70
    back, same = difference_of(second, first, 70)
    assert same == p
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))
    # Replicates without a pair are left out; all on both sides gives 1 at most.
    holed = Resampled(first[0], np.where(np.arange(99) < 3, np.nan, first[1]))
    assert difference_of(holed, second, 70)[1] == pytest.approx(2 / 97)
    assert difference_of(Resampled(first[0], second[1]), second, 70)[1] == 1


@pytest.mark.parametrize(("hits", "of"), [(80, 100), (60, 100)])
def test_blind_difference_is_newcombes(hits: int, of: int) -> None:
    """Method 10 is square-and-add of Wilson's bounds; given these, statsmodels is the oracle."""
    low, high = proportion_confint(12, 12, method="wilson")
    rest_low, rest_high = proportion_confint(hits, of, method="wilson")
    one = Resampled(_interval(1.0, low, high, 0.0), np.ones(9))
    rest = Resampled(_interval(hits / of, rest_low, rest_high, 0.04), np.full(9, hits / of))
    found, p = difference_of(one, rest, 112)
    expected = confint_proportions_2indep(12, 12, hits, of, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-10)
    # p is below 0.05 exactly when the interval leaves 0 out.
    assert (p < 0.05) == (found.low > 0)
    assert p == pytest.approx(
        2 * norm.sf(norm.ppf(0.975) * found.estimate / (1 - hits / of - found.low))
    )
    back, same = difference_of(rest, one, 112)
    assert same == p
    assert back.low == pytest.approx(-found.high)


def test_separated_classes_have_the_exact_bound_of_disjoint_pairs() -> None:
    """Part 0: 3 and 5 groups, 3 pairs; fold 1: 4 groups that hold both classes, 2 pairs."""
    target = np.array([1] * 3 + [0] * 5 + [1, 0] * 4)
    group = np.array([*range(8), *np.repeat(range(8, 12), 2)])
    fold = np.repeat([0, 1], 8)
    one = Predictions(
        target=target,
        probability=target * 0.6 + 0.2,
        threshold=np.full(16, 0.5),
        fold_id=fold,
        group=group,
        image_index=np.arange(16),
    )
    weights = sample_group_weights(one, replicates=50)
    sums = SubgroupSums.of(one, weights, np.zeros(16, np.int64), 1)
    found, values = sums.resampled("auroc", [0])
    assert values == pytest.approx(1, abs=1e-12)
    assert (found.estimate, found.high, found.n) == (1, 1, 5)
    assert found.low == pytest.approx(0.025 ** (1 / 5))
    assert sums.n_groups([0]) == 12
    # The same photographs again in another repeat are no new evidence.
    again = Predictions(
        target=np.tile(target, 2),
        probability=np.tile(one.probability, 2),
        threshold=np.full(32, 0.5),
        fold_id=np.concatenate([fold, fold + 2]),
        group=np.tile(group, 2),
        image_index=np.tile(np.arange(16), 2),
    )
    twice = SubgroupSums.of(
        again, sample_group_weights(again, replicates=50), np.zeros(32, np.int64), 1
    )
    assert twice.resampled("auroc", [0])[0].low == found.low
