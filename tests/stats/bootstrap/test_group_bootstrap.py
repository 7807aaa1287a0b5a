"""Replicates against scikit-learn and statsmodels on the same weights, photograph by photograph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import (
    bootstrap_many,
    group_bootstrap,
)
from melanoscope.stats.bootstrap.weighted_metrics import ALL_METRICS
from melanoscope.stats.bootstrap.weighted_rank_metrics import RANK_METRICS
from melanoscope.stats.calibration.calibration_error import calibration_line, equal_mass_bins
from melanoscope.stats.intervals.auroc_interval import delong_interval
from melanoscope.stats.metrics.classification import table_metrics
from melanoscope.stats.predictions import Predictions

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
    values["brier"] = brier_score_loss(one.target, one.probability, sample_weight=weight)
    bins = equal_mass_bins(one.probability)
    gaps = np.bincount(bins, weight * (one.target - one.probability))
    values["expected_calibration_error"] = np.abs(gaps).sum() / weight.sum()
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
        weight = drawn.weights.counts[b][position].astype(float)
        for metric, expected in _oracle(one, weight).items():
            assert drawn.replicates[metric][b] == pytest.approx(expected, abs=1e-10), metric


def test_one_newton_step_is_near_the_refitted_line(make: Make) -> None:
    one = make(n=3000, patients=900)
    drawn = group_bootstrap(
        one, metrics=("calibration_slope", "calibration_intercept"), replicates=40
    )
    position = drawn.weights.positions(one.group)
    x = np.log(
        one.probability.clip(1e-12, 1 - 1e-12) / (1 - one.probability.clip(1e-12, 1 - 1e-12))
    )
    refitted = []
    for b in range(40):
        w = drawn.weights.counts[b][position]
        y, design = np.repeat(one.target, w), sm.add_constant(np.repeat(x, w))
        slope = sm.Logit(y, design).fit(disp=0, tol=1e-12).params[1]
        alone = sm.GLM(y, design[:, :1], family=sm.families.Binomial(), offset=design[:, 1]).fit()
        refitted.append((slope, alone.params[0]))
    for metric, exact in zip(
        ("calibration_slope", "calibration_intercept"), np.transpose(refitted), strict=True
    ):
        error = np.abs(drawn.replicates[metric] - exact).max()
        assert error < 0.15 * exact.std()


def test_estimates_are_the_metrics_themselves(make: Make) -> None:
    one = make(repeats=2)
    drawn = group_bootstrap(one, replicates=2)
    line = calibration_line(one.target, one.probability)
    expected = _oracle(one, np.ones(one.target.size)) | {
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
    }
    assert tuple(drawn.estimate) == ALL_METRICS
    assert set(expected) == set(ALL_METRICS)
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


def test_patients_of_one_photograph_are_the_ordinary_bootstrap(make: Make) -> None:
    """Each replicate is the metric of the photographs that were drawn, each as often as drawn."""
    one = make(n=300, patients=50, folds=1)
    alone = replace(one, group=np.arange(300))
    drawn = group_bootstrap(alone, metrics=("auroc", "auprc"), replicates=1000)
    for b in range(30):
        rows = np.repeat(np.arange(300), drawn.weights.counts[b])
        assert rows.size == 300
        y, p = one.target[rows], one.probability[rows]
        assert drawn.replicates["auroc"][b] == pytest.approx(roc_auc_score(y, p), abs=1e-10)
        assert drawn.replicates["auprc"][b] == pytest.approx(
            average_precision_score(y, p), abs=1e-10
        )
    delong = delong_interval(one.target, one.probability)
    assert drawn.interval("auroc").standard_error == pytest.approx(delong.standard_error, rel=0.08)
    assert drawn.interval("auroc").half_width == pytest.approx(delong.half_width, rel=0.1)


def test_draws_keep_the_strata_and_have_the_bootstraps_spread(make: Make) -> None:
    one = make(n=900, patients=300)
    weights = group_bootstrap(one, metrics=("brier",), replicates=3000).weights
    counts = weights.counts.astype(float)
    home = np.array([one.fold_id[one.group == g].min() for g in weights.groups])
    holds = np.array([one.target[one.group == g].max() for g in weights.groups])
    for fold in one.fold_ids:
        for hit in (0, 1):
            inside = (home == fold) & (holds == hit)
            assert (counts[:, inside].sum(axis=1) == inside.sum()).all()
            # Multinomial: each group once on average, variance 1 - 1/k.
            k = inside.sum()
            assert counts[:, inside].mean() == pytest.approx(1, abs=1e-12)
            assert counts[:, inside].var(axis=0).mean() == pytest.approx(1 - 1 / k, rel=0.05)


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
        group_bootstrap(x, metrics=("auroc",), replicates=1000).interval("auroc").standard_error
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
    assert np.array_equal(first.weights.counts, again.weights.counts)
    assert not np.array_equal(first.weights.counts, other.weights.counts)


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
        StatisticsError, match=r"at least 2 groups \(patients\) with positives; found 1"
    ):
        group_bootstrap(lone)
    # One positive in each fold is drawn once every time: the interval would be far too narrow.
    firsts = [np.flatnonzero((one.fold_id == k) & (one.target == 1))[0] for k in one.fold_ids]
    still = one.where((one.target == 0) | np.isin(np.arange(one.target.size), firsts))
    with pytest.raises(StatisticsError, match="with positives in one fold; found one in each"):
        group_bootstrap(replace(still, group=still.image_index), metrics=("auroc",))
    with pytest.raises(StatisticsError, match="both classes in every fold"):
        group_bootstrap(one.where((one.fold_id > 0) | (one.target == 0)))
    constant = one.with_probability(np.full(one.target.size, 0.5))
    with pytest.raises(StatisticsError, match="probabilities that differ"):
        group_bootstrap(constant, replicates=20).interval("calibration_slope")
    tied = group_bootstrap(constant, metrics=("auroc", "auprc"), replicates=20)
    assert (tied.replicates["auroc"] == 0.5).all()


def test_what_was_not_resampled_has_no_interval(make: Make) -> None:
    drawn = group_bootstrap(make(), replicates=3)
    assert set(drawn.estimate) == set(drawn.replicates) == set(ALL_METRICS)
    few = group_bootstrap(make(), metrics=("brier",), replicates=3)
    with pytest.raises(StatisticsError, match="metrics among brier; found auroc"):
        few.interval("auroc")


def test_separated_classes_only_lack_a_calibration_line(make: Make) -> None:
    one = make()
    apart = one.with_probability(np.where(one.target == 1, 0.9, 0.1))
    drawn = group_bootstrap(apart, replicates=20)
    lines = {m for m in ALL_METRICS if m.startswith("calibration_")}
    assert set(drawn.unknown) == lines
    for metric in lines:
        assert np.isnan(drawn.estimate[metric])
        with pytest.raises(StatisticsError, match="perfect separation"):
            drawn.interval(metric)
    assert all(np.isfinite(drawn.replicates[m]).all() for m in set(ALL_METRICS) - lines)
    assert (drawn.replicates["auroc"] == 1).all()
    assert drawn.interval("auroc").half_width == 0


def test_a_replicate_without_a_class_in_a_part_is_refused(make: Make) -> None:
    """In the second repeat one fold holds two patients, one of each class, not drawn at times."""
    n = 40
    group = np.repeat(np.arange(20), 2)
    target = group % 2
    fold = np.concatenate([np.zeros(n, np.int64), np.where(group < 2, 2, 1)])
    p = np.round(np.random.default_rng(0).random(n), 2)
    one = Predictions(
        target=np.tile(target, 2),
        probability=np.tile(p, 2),
        threshold=np.full(2 * n, 0.5),
        fold_id=fold,
        group=np.tile(group, 2),
        image_index=np.tile(np.arange(n), 2),
    )
    drawn = group_bootstrap(one, metrics=("auroc", "auprc", "brier"), replicates=200)
    times = drawn.weights.counts[:, :2] > 0
    others_only, positives_only = (times == (True, False)), (times == (False, True))
    missing = [found.all(axis=1) for found in (others_only, positives_only)]
    assert missing[0].any()
    assert missing[1].any()
    for metric in ("auroc", "auprc"):
        assert np.isnan(drawn.replicates[metric][missing[0] | missing[1]]).all()
        with pytest.raises(StatisticsError, match="both classes in every fold of every replicate"):
            drawn.interval(metric)
    assert drawn.interval("brier").half_width > 0
