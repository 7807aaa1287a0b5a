"""Replicates against scikit-learn and statsmodels on the same weights, photograph by photograph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap import group_weights as module
from melanoscope.stats.bootstrap.group_bootstrap import (
    bootstrap_many,
    group_bootstrap,
)
from melanoscope.stats.bootstrap.group_weights import _strata, sample_group_weights
from melanoscope.stats.bootstrap.weighted_metrics import RESAMPLED_METRICS
from melanoscope.stats.bootstrap.weighted_rank_metrics import RANK_METRICS
from melanoscope.stats.intervals.auroc_interval import delong_interval
from melanoscope.stats.metrics.classification import table_metrics
from melanoscope.stats.predictions import Predictions

from ..conftest import replicate_weights

Make = Callable[..., Predictions]


def _pauc(target, score, weight) -> float:
    """Area above sensitivity 0.8 by the trapezoid rule on a fine grid of exact points."""
    fpr, tpr, _ = roc_curve(target, score, sample_weight=weight, drop_intermediate=False)
    at = np.unique(np.concatenate([[0.8], tpr[tpr > 0.8]]))
    total = 0.0
    for low, high in pairwise(at):
        rises = np.flatnonzero((tpr[:-1] <= low + 1e-15) & (tpr[1:] >= high - 1e-15))
        i = next(i for i in rises if tpr[i + 1] > tpr[i])
        inside = [np.interp(t, tpr[i : i + 2], fpr[i : i + 2]) for t in (low, high)]
        total += (high - low) * (1 - np.mean(inside))
    return total


def _oracle(one: Predictions, weight: np.ndarray) -> dict[str, float]:
    ranked, decided = [], []
    called = (one.probability >= one.threshold).astype(int)
    for fold in one.fold_ids:
        m = one.fold_id == fold
        y, p, w, c = one.target[m], one.probability[m], weight[m], called[m]
        ranked.append(
            (
                roc_auc_score(y, p, sample_weight=w),
                average_precision_score(y, p, sample_weight=w),
                _pauc(y, p, w),
            )
        )
        decided.append(
            (
                accuracy_score(y, c, sample_weight=w),
                balanced_accuracy_score(y, c, sample_weight=w),
                f1_score(y, c, sample_weight=w),
            )
        )
    values = dict(zip(RANK_METRICS, np.mean(ranked, axis=0), strict=True))
    values |= dict(
        zip(("accuracy", "balanced_accuracy", "f1"), np.mean(decided, axis=0), strict=True)
    )
    values["sensitivity"] = recall_score(one.target, called, sample_weight=weight)
    values["specificity"] = recall_score(one.target, called, pos_label=0, sample_weight=weight)
    return values


@pytest.mark.parametrize(
    "settings",
    [{}, {"decimals": None}, {"decimals": 1}, {"repeats": 2}, {"folds": 1, "patients": 30}],
)
def test_replicates_are_the_weighted_metrics(make: Make, settings: dict[str, int]) -> None:
    one = make(**settings)
    drawn = group_bootstrap(one, replicates=12, seed=5)
    position = drawn.weights.positions(one.group)
    for b in range(12):
        weight = replicate_weights(drawn.weights)[b][position].astype(float)
        for metric, expected in _oracle(one, weight).items():
            assert drawn.replicates[metric][b] == pytest.approx(expected, abs=1e-10), metric


def test_estimates_are_the_metrics_themselves(make: Make) -> None:
    one = make(repeats=2)
    drawn = group_bootstrap(one, replicates=2)
    expected = _oracle(one, np.ones(one.target.size))
    assert tuple(drawn.estimate) == RESAMPLED_METRICS
    assert set(expected) == set(RESAMPLED_METRICS)
    for metric, value in expected.items():
        assert drawn.estimate[metric] == pytest.approx(value, abs=1e-10), metric
    per_part = [
        table_metrics(one.target[m], one.probability[m], 0.45)
        for m in (one.fold_id == fold for fold in one.fold_ids)
    ]
    for metric in per_part[0]:
        mean = np.mean([values[metric] for values in per_part])
        assert expected[metric] == pytest.approx(mean, abs=1e-12)
    # Rank metrics pooled over folds would be others.
    pooled = roc_auc_score(one.target, one.probability)
    assert drawn.estimate["auroc"] != pytest.approx(pooled, abs=1e-4)


def test_thresholds_of_each_cell_are_its_own(make: Make) -> None:
    one = make()
    own = replace(one, threshold=np.choose(one.fold_id, (0.2, 0.5, 0.8)))
    mean = np.mean(
        [
            table_metrics(own.target[m], own.probability[m], t)["f1"]
            for m, t in ((own.fold_id == k, t) for k, t in enumerate((0.2, 0.5, 0.8)))
        ]
    )
    assert group_bootstrap(own, replicates=2).estimate["f1"] == pytest.approx(mean, abs=1e-12)


def test_patients_of_one_photograph_have_delongs_error(make: Make) -> None:
    one = make(n=300, patients=50, folds=1)
    alone = replace(one, group=np.arange(300))
    drawn = group_bootstrap(alone, metrics=("auroc", "auprc"), replicates=1000)
    delong = delong_interval(one.target, one.probability)
    assert drawn.variance("auroc") ** 0.5 == pytest.approx(delong.standard_error, rel=0.08)


def test_draws_keep_the_strata_and_have_the_bootstraps_spread(make: Make) -> None:
    one = make(n=900, patients=300)
    weights = group_bootstrap(one, metrics=("accuracy",), replicates=3000).weights
    counts = replicate_weights(weights)
    home = np.array([one.fold_id[one.group == g].min() for g in weights.groups])
    holds = np.array([one.target[one.group == g].max() for g in weights.groups])
    for fold in one.fold_ids:
        for hit in (0, 1):
            inside = (home == fold) & (holds == hit)
            assert counts[:, inside].sum(axis=1) == pytest.approx(inside.sum())
            # Rao & Wu: each group once on average, with variance 1, so that the variance of a mean
            # is s^2 / k (k - 1 of k drawn, k / (k - 1) times: 1 / (1 - 1 / k) times 1 - 1 / k).
            assert counts[:, inside].mean() == pytest.approx(1, abs=1e-12)
            assert counts[:, inside].var(axis=0).mean() == pytest.approx(1, rel=0.05)


def test_patients_photographed_often_widen_the_interval(make: Make) -> None:
    """Each photograph four times in its group must not look like four times the information."""
    one = make(n=300, patients=300, folds=1, decimals=None)
    four = Predictions(
        **{
            name: np.tile(getattr(one, name), 4)
            for name in ("target", "probability", "threshold", "fold_id")
        },
        group=np.tile(one.group, 4),
        image_index=np.arange(1200),
    )
    alone = replace(four, group=np.arange(1200))
    widths = [
        group_bootstrap(x, metrics=("auroc",), replicates=1000).variance("auroc") ** 0.5
        for x in (one, four, alone)
    ]
    assert widths[1] == pytest.approx(widths[0], rel=1e-9)
    assert widths[2] == pytest.approx(widths[0] / 2, rel=0.15)


def test_seeds(make: Make) -> None:
    one = make()
    first, again, other = (
        group_bootstrap(one, metrics=("auroc",), replicates=30, seed=s) for s in (1, 1, 2)
    )
    assert np.array_equal(first.replicates["auroc"], again.replicates["auroc"])
    assert not np.array_equal(first.replicates["auroc"], other.replicates["auroc"])
    assert np.array_equal(replicate_weights(first.weights), replicate_weights(again.weights))
    assert not np.array_equal(replicate_weights(first.weights), replicate_weights(other.weights))


def test_too_few_positives_and_other_photographs(make: Make) -> None:
    one = make()
    with pytest.raises(StatisticsError, match="same photographs"):
        bootstrap_many({"a": one, "b": make(n=599)})
    with pytest.raises(StatisticsError, match="metrics among"):
        group_bootstrap(one, metrics=("auc",))
    few = one.where(
        np.isin(one.group, np.unique(one.group[one.target == 1])[:1]) | (one.target == 0)
    )
    lone = replace(few, group=np.where(few.target == 1, 10**6, few.group))
    with pytest.raises(
        StatisticsError, match=r"at least 10 groups \(patients\) with positives .*; found 1;"
    ):
        group_bootstrap(lone)
    with pytest.raises(StatisticsError, match="both classes in every fold"):
        group_bootstrap(one.where((one.fold_id > 0) | (one.target == 0)))
    constant = one.with_probability(np.full(one.target.size, 0.5))
    tied = group_bootstrap(constant, metrics=("auroc", "auprc"), replicates=20)
    assert tied.replicates["auroc"] == pytest.approx(0.5, abs=1e-12)


def test_what_was_not_resampled_has_no_interval(make: Make) -> None:
    drawn = group_bootstrap(make(), replicates=3)
    assert set(drawn.estimate) == set(drawn.replicates) == set(RESAMPLED_METRICS)
    few = group_bootstrap(make(), metrics=("f1",), replicates=3)
    with pytest.raises(StatisticsError, match="metrics among f1; found auroc"):
        few.variance("auroc")


def test_separated_classes_never_vary(make: Make) -> None:
    one = make()
    apart = one.with_probability(np.where(one.target == 1, 0.9, 0.1))
    drawn = group_bootstrap(apart, replicates=20)
    assert all(np.isfinite(drawn.replicates[x]).all() for x in RESAMPLED_METRICS)
    assert drawn.replicates["auroc"] == pytest.approx(1, abs=1e-12)


def test_a_patient_alone_in_its_stratum_varies(make: Make) -> None:
    """All melanomas of the first fold are one patient's: not drawn, the fold has none, and counts
    for nothing in that replicate; the interval must not be that of the other folds."""
    one = make(n=900, patients=300, decimals=None)
    first = (one.fold_id == 0) & (one.target == 1)
    merged = replace(one, group=np.where(first, 10**6, one.group))
    merged = merged.where((merged.fold_id > 0) | first | ~np.isin(one.group, one.group[first]))
    weights = group_bootstrap(merged, metrics=("auroc",), replicates=400).weights
    lone = replicate_weights(weights)[:, weights.positions(np.array([10**6]))[0]]
    assert 0.2 < (lone == 0).mean() < 0.6
    drawn = group_bootstrap(merged, metrics=("auroc",), replicates=400)
    others = merged.where(merged.fold_id > 0)
    rest = group_bootstrap(others, metrics=("auroc",), replicates=400)
    assert drawn.variance("auroc") > (2 / 3) ** 2 * rest.variance("auroc")
    assert np.isfinite(drawn.replicates["auroc"]).all()


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=40))
def test_no_stratum_holds_a_single_group(groups: list[tuple[int, bool]]) -> None:
    home, holds = (np.array(column) for column in zip(*groups, strict=True))
    stratum = _strata(home, holds)
    sizes = np.bincount(stratum)
    assert sizes.min() >= 2
    # What was together in a stratum of its own stays together.
    for fold, hit in {(f, h) for f, h in groups if groups.count((f, h)) > 1}:
        assert np.unique(stratum[(home == fold) & (holds == hit)]).size == 1


def test_a_block_is_the_same_however_many_replicates(make: Make) -> None:
    few, many = (sample_group_weights(make(), replicates=n, seed=3) for n in (70, 130))
    assert np.array_equal(replicate_weights(few), replicate_weights(many)[:70])
    assert few.groups.size * few.replicates < module._MOST_KEPT


def test_weights_that_are_not_kept_are_the_same(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = group_bootstrap(make(), metrics=("auroc", "f1"), replicates=120)
    monkeypatch.setattr(module, "_MOST_KEPT", 0)
    drawn = group_bootstrap(make(), metrics=("auroc", "f1"), replicates=120)
    for metric in ("auroc", "f1"):
        assert np.array_equal(kept.replicates[metric], drawn.replicates[metric])


def test_a_class_that_most_replicates_lack_is_refused(make: Make) -> None:
    drawn = group_bootstrap(make(), metrics=("auroc",), replicates=100)
    holes = np.where(np.arange(100) < 6, np.nan, drawn.replicates["auroc"])
    with pytest.raises(StatisticsError, match="found 6 of 100 without"):
        replace(drawn, replicates={"auroc": holes}).variance("auroc")
    few = np.where(np.arange(100) < 5, np.nan, drawn.replicates["auroc"])
    found = replace(drawn, replicates={"auroc": few}).variance("auroc")
    assert found == pytest.approx(np.nanvar(few, ddof=1) + drawn.between_strata["auroc"])


def test_hard_labels_are_not_resampled_by_rank(make: Make) -> None:
    one = make()
    decided = one.with_probability(np.round(one.probability))
    for metric in RANK_METRICS:
        with pytest.raises(StatisticsError, match="only 0 and 1"):
            group_bootstrap(decided, metrics=(metric,), replicates=5)
    assert group_bootstrap(decided, metrics=("accuracy",), replicates=5).estimate["accuracy"] > 0.5
