"""LeDell's interval against the formula pair by pair, DeLong, and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.intervals.auroc_interval import delong_interval, influence_interval
from melanoscope.stats.metrics.classification import auroc
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def _placements(one: Predictions, fold: int) -> tuple[float, dict[int, float]]:
    """AUROC of a fold, and the share of rightly ordered pairs of each row; all pairs in turn."""
    rows = np.flatnonzero(one.fold_id == fold)
    sides = [[r for r in rows if one.target[r] == k] for k in (0, 1)]
    share = {}
    for r in rows:
        others = sides[1 - one.target[r]]
        sign = 1 if one.target[r] else -1
        gaps = [sign * np.sign(one.probability[r] - one.probability[o]) for o in others]
        share[int(r)] = float(np.mean([(g + 1) / 2 for g in gaps]))
    return float(np.mean([share[r] for r in sides[1]])), share


@pytest.mark.parametrize("settings", [{}, {"repeats": 2}, {"decimals": 1}, {"folds": 1}])
def test_formula_by_brute_force(make: Make, settings: dict[str, int]) -> None:
    one = make(n=150, patients=50, **settings)
    by_group: dict[int, float] = {}
    areas = []
    for fold in one.fold_ids:
        area, share = _placements(one, fold)
        areas.append(area)
        counts = np.bincount(one.target[one.fold_id == fold])
        for r, value in share.items():
            moved = (value - area) / counts[one.target[r]] / one.fold_ids.size
            by_group[int(one.group[r])] = by_group.get(int(one.group[r]), 0.0) + moved
    k = len(by_group)
    error = np.sqrt(sum(v**2 for v in by_group.values()) * k / (k - 1))
    found = influence_interval(one)
    assert found.estimate == pytest.approx(np.mean(areas), abs=1e-12)
    assert found.standard_error == pytest.approx(error, abs=1e-12)
    assert found.high == pytest.approx(min(1, np.mean(areas) + 1.959963984540054 * error))
    assert (found.n, found.unit, found.confidence) == (k, "groups", 0.95)


def test_folds_alike_give_the_papers_variance() -> None:
    """sigma^2 = mean over folds of the mean squared influence, weighed by the shares in all folds.

    So in the authors' package cvAUC, but for our factor k / (k - 1).
    """
    rng = np.random.default_rng(4)
    n, folds = 240, 4
    fold_id = np.repeat(np.arange(folds), n // folds)
    target = np.tile((np.arange(n // folds) < 18).astype(np.int64), folds)
    one = Predictions(
        target=target,
        probability=np.round(rng.beta(2, 3, n) * 0.7 + 0.2 * target, 2),
        threshold=np.full(n, 0.5),
        fold_id=fold_id,
        group=np.arange(n),
        image_index=np.arange(n),
    )
    share_of = np.bincount(target) / n
    squares = []
    for fold in range(folds):
        area, share = _placements(one, fold)
        influence = [(v - area) / share_of[target[r]] for r, v in share.items()]
        squares.append(np.mean(np.square(influence)))
    expected = np.mean(squares) / n * n / (n - 1)
    assert influence_interval(one).standard_error ** 2 == pytest.approx(expected, abs=1e-14)


def test_with_one_part_it_is_delong_up_to_its_small_sample_factor(make: Make) -> None:
    """Both sum squared effects; DeLong divides by n - 1 and m - 1, LeDell by n and m."""
    one = make(n=500, patients=500, folds=1)
    alone = replace(one, group=np.arange(500))
    found = influence_interval(alone)
    x, y = (one.probability[one.target == k] for k in (1, 0))
    psi = (x[:, None] > y) + (x[:, None] == y) / 2
    v, w = psi.mean(axis=1), psi.mean(axis=0)
    exact = (v.var() / x.size + w.var() / y.size) * 500 / 499
    assert found.standard_error**2 == pytest.approx(exact, abs=1e-14)
    delong = delong_interval(one.target, one.probability)
    assert found.estimate == pytest.approx(delong.estimate, abs=1e-12)
    assert found.standard_error == pytest.approx(delong.standard_error, rel=0.01)


def test_groups_and_repeats_count_once(make: Make) -> None:
    once, twice = make(repeats=1), make(repeats=2)
    # The second repeat divides anew but holds the same patients: hardly more information.
    assert influence_interval(twice).standard_error == pytest.approx(
        influence_interval(once).standard_error, rel=0.1
    )
    thrice = Predictions(
        **{
            name: np.tile(getattr(once, name), 3)
            for name in ("target", "probability", "threshold", "fold_id")
        },
        group=np.tile(once.group, 3),
        image_index=np.arange(3 * once.target.size),
    )
    # Each photograph three times in its patient is no more information than once.
    assert influence_interval(thrice).standard_error == pytest.approx(
        influence_interval(once).standard_error, rel=1e-9
    )
    areas = [
        auroc(once.target[once.fold_id == p], once.probability[once.fold_id == p])
        for p in once.fold_ids
    ]
    assert influence_interval(once).estimate == pytest.approx(np.mean(areas), abs=1e-12)


def test_agrees_with_the_bootstrap(make: Make) -> None:
    one = make(n=3000, patients=800, folds=5)
    drawn = group_bootstrap(one, metrics=("auroc",), replicates=1500)
    found = influence_interval(one)
    assert found.estimate == pytest.approx(drawn.estimate["auroc"], abs=1e-12)
    assert found.standard_error == pytest.approx(drawn.variance("auroc") ** 0.5, rel=0.08)


def _first_positives(one: Predictions) -> list[int]:
    return [int(np.flatnonzero((one.fold_id == k) & (one.target == 1))[0]) for k in one.fold_ids]


def test_too_few_groups_of_a_class_in_a_fold(make: Make) -> None:
    one = make(n=60, patients=20, folds=2)
    with pytest.raises(StatisticsError, match="both classes in every fold"):
        influence_interval(one.where((one.fold_id > 0) | (one.target == 0)))
    with pytest.raises(StatisticsError, match="at least 2 groups with positives in one fold"):
        influence_interval(replace(one, group=np.where(one.target == 1, 99, one.group)))
    with pytest.raises(StatisticsError, match="at least 2 groups with negatives in one fold"):
        influence_interval(replace(one, group=np.where(one.target == 0, 99, one.group)))
    lone = one.where((one.target == 0) | np.isin(np.arange(60), _first_positives(one)))
    with pytest.raises(StatisticsError, match="at least 2 groups with positives in one fold"):
        influence_interval(lone)
