"""AUROC and shares of photographs in groups: DeLong, R's bounds, exact ones, and differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals import mover
from melanoscope.stats.intervals.auroc_interval import delong_interval
from melanoscope.stats.intervals.clustered import ClusteredAuroc, ClusteredShare
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def test_one_fold_is_delongs_with_obuchowskis_groups(make: Make) -> None:
    one = make(folds=1)
    found = pooled_auroc(one)
    expected = delong_interval(one.target, one.probability, one.group)
    assert found.estimate == pytest.approx(expected.estimate)
    assert found.standard_error == pytest.approx(expected.standard_error)
    k = min(np.unique(one.group[one.target == side]).size for side in (0, 1))
    reach = student.ppf(0.975, k - 1) * found.standard_error
    reach /= found.estimate * (1 - found.estimate)
    bounds = expit(logit(found.estimate) + np.array([-reach, reach]))
    assert found.bounds() == pytest.approx(tuple(bounds))
    assert pooled_auroc(one, widening=1.8).standard_error == pytest.approx(
        1.8**0.5 * found.standard_error
    )


def _separated(copies: int = 1) -> Predictions:
    """Fold 0: 3 and 5 groups, 3 pairs; fold 1: 4 groups that hold both classes, 2 pairs."""
    target = np.array([1] * 3 + [0] * 5 + [1, 0] * 4)
    group = np.array([*range(8), *np.repeat(range(8, 12), 2)])
    fold = np.repeat([0, 1], 8)
    return Predictions(
        target=np.tile(target, copies),
        probability=np.tile(target * 0.6 + 0.2, copies),
        threshold=np.full(16 * copies, 0.5),
        fold_id=np.concatenate([fold + 2 * copy for copy in range(copies)]),
        group=np.tile(group, copies),
        image_index=np.tile(np.arange(16), copies),
    )


def test_separated_classes_have_the_exact_bound_of_disjoint_pairs() -> None:
    found = pooled_auroc(_separated()).interval
    assert (found.estimate, found.high, found.n) == (1, 1, 5)
    assert found.low == pytest.approx(proportion_confint(5, 5, method="beta")[0])
    # A second division of the same patients into folds is no new evidence.
    assert pooled_auroc(_separated(2)).interval.low == found.low
    # Cross-validation makes them worth fewer.
    wide = pooled_auroc(_separated(), widening=1.8).interval
    assert wide.low == pytest.approx(0.025 ** (1.8 / 5))


def test_constant_scores_are_not_certain_to_be_chance() -> None:
    one = _separated()
    found = pooled_auroc(one.with_probability(np.full(16, 0.5))).interval
    assert found.estimate == 0.5
    assert found.low < 0.2
    assert found.high > 0.8


def test_no_pair_is_refused() -> None:
    one = _separated()
    with pytest.raises(StatisticsError, match="a positive and a negative"):
        pooled_auroc(one, one.target == 1)


def test_few_positive_groups_are_covered() -> None:
    """12 patients with melanomas: 95 % of 600 less three errors."""
    held = []
    truth = norm.cdf(1.8 / 2**0.5)
    for seed in range(600):
        rng = np.random.default_rng(seed)
        group = np.concatenate([np.repeat(np.arange(12), 2), np.arange(12, 112)])
        target = (group < 12).astype(np.int64)
        share = 0.5
        score = (1 - share) ** 0.5 * rng.normal(size=124) + share**0.5 * rng.normal(size=112)[group]
        one = Predictions(
            target=target,
            probability=norm.cdf(score + 1.8 * target),
            threshold=np.full(124, 0.5),
            fold_id=np.zeros(124, np.int64),
            group=group,
            image_index=np.arange(124),
        )
        low, high = pooled_auroc(one).bounds()
        held.append(low <= truth <= high)
    assert np.mean(held) >= 0.95 - 0.027


def _share(hits: int, of: int, first: int, groups: int) -> ClusteredShare:
    """A share of `of` groups of one photograph, numbered from `first` among `groups`."""
    member, among = np.arange(groups), np.zeros(groups, bool)
    among[first : first + of] = True
    right = np.zeros(groups, bool)
    right[first : first + hits] = True
    return ClusteredShare.of(right, among, member, member)


def test_a_difference_is_newcombes_given_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Method 10 is square-and-add of Wilson's bounds; given these, statsmodels is the oracle."""
    one, rest = _share(12, 12, 0, 112), _share(80, 100, 12, 112)

    def wilson(self: ClusteredShare, tail: float = 0.025) -> tuple[float, float]:
        hits = round(self.estimate * self.photographs)
        return proportion_confint(hits, self.photographs, alpha=2 * tail, method="wilson")

    monkeypatch.setattr(ClusteredShare, "bounds", wilson)
    found, p = mover.difference(one, rest, n=112)
    expected = confint_proportions_2indep(12, 12, 80, 100, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-10)
    at_p = confint_proportions_2indep(12, 12, 80, 100, method="newcomb", compare="diff", alpha=p)
    assert at_p[0] == pytest.approx(0, abs=1e-6)
    back, same = mover.difference(rest, one, n=112)
    assert same == pytest.approx(p)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_p_is_the_level_at_which_0_is_reached(make: Make) -> None:
    one = make()
    member = np.unique(one.group, return_inverse=True)[1]
    side = member % 2 == 0
    a, b = pooled_auroc(one, side), pooled_auroc(one, ~side)
    found, p = mover.difference(a, b, n=one.n_groups)
    assert (p < 0.05) == (found.low > 0 or found.high < 0)
    # Far from the bounds it is about the normal one.
    z = abs(found.estimate) / np.hypot(a.standard_error, b.standard_error)
    assert p == pytest.approx(2 * norm.sf(z), abs=0.02)
    assert mover.difference(a, a, n=1)[1] == 1


def test_shared_patients_count() -> None:
    """Both shares of the same patients and alike: their difference hardly varies."""
    member = np.repeat(np.arange(40), 2)
    right = np.repeat(np.arange(40) % 4 != 0, 2)
    first = np.arange(80) % 2 == 0
    a, b = (ClusteredShare.of(right, among, member, np.arange(80)) for among in (first, ~first))
    assert mover.correlation(a, b) == pytest.approx(1)
    moved = replace(b, estimate=b.estimate - 0.05)
    alone = replace(moved, influence=np.roll(b.influence, 1))
    assert (
        mover.difference(a, moved, n=40)[0].half_width
        < 0.5 * mover.difference(a, alone, n=40)[0].half_width
    )


def test_a_huge_difference_has_no_floor() -> None:
    _, p = mover.difference(_share(190, 200, 0, 400), _share(10, 200, 200, 400), n=400)
    assert 0 < p < 1e-10


def test_one_group_of_a_class_has_no_error() -> None:
    found = ClusteredAuroc(0.8, np.array([[0.1, -0.1], [0.0, 0.0]]), (1, 2, 3), 1)
    assert found.standard_error == 0
    assert found.separated
