"""All pairs of networks by one metric: against closed forms, DeLong, and samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.stats import norm

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import bootstrap_many
from melanoscope.stats.crossval_metric import crossval_metric
from melanoscope.stats.intervals.crossval_interval import CrossValidation
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.metric_influence import metric_influences
from melanoscope.stats.intervals.wald import clustered_error
from melanoscope.stats.multiclass_predictions import AnyPredictions, MulticlassPredictions
from melanoscope.stats.pairwise import ALIKE, PairwiseComparison, compare_pairs
from melanoscope.stats.predictions import Predictions

ONE_SET = CrossValidation(1, 1, 1)


def draw(
    rng: np.random.Generator,
    patients: int,
    skills: Mapping[str, float],
    classes: int,
    shift: float = 0.0,
) -> dict[str, AnyPredictions]:
    """Networks on the same patients of one to four photographs, that share some of their errors."""
    group = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    n, k = group.size, classes
    usual = rng.choice(k, patients)
    target = np.where(rng.random(n) < 0.6, usual[group], rng.choice(k, n)).astype(np.int64)
    common = 0.7 * rng.normal(size=(patients, k))[group] + 0.7 * rng.normal(size=(n, k))
    found: dict[str, AnyPredictions] = {}
    shared = {
        "target": target,
        "group": group,
        "image_index": np.arange(n),
        "fold_id": np.zeros(n, np.int64),
    }
    for name, skill in skills.items():
        own = 0.5 * rng.normal(size=(patients, k))[group] + 0.7 * rng.normal(size=(n, k))
        score = skill * np.eye(k)[target] + common + own
        probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        found[name] = (
            Predictions(probability=probability[:, 1], threshold=np.full(n, 0.5 + shift), **shared)
            if k == 2
            else MulticlassPredictions(probability=probability, **shared)
        )
    return found


def compare(
    networks: Mapping[str, AnyPredictions], metric: str, *, replicates: int = 300, **options: float
) -> tuple[PairwiseComparison, ...]:
    resampled = bootstrap_many(networks, metrics=(metric,), replicates=replicates)
    return compare_pairs(resampled, networks, metric=metric, design=ONE_SET, **options)


@pytest.mark.parametrize(
    ("classes", "metric"),
    [
        (2, "auroc"),
        (2, "sensitivity"),
        (2, "specificity"),
        (2, "accuracy"),
        (2, "balanced_accuracy"),
        (3, "balanced_accuracy"),
        (3, "accuracy"),
        (3, "macro_auroc"),
        (3, "auroc_1"),
    ],
)
def test_error_is_that_of_the_influences(classes: int, metric: str) -> None:
    """Two roads to one variance: resampling, and the sum of squares of each group's influence.

    Of 3,000 replicates the standard deviation is known to 1.3 %.
    """
    networks = draw(np.random.default_rng(0), 300, {"a": 1.2, "b": 1.0}, classes)
    (pair,) = compare(networks, metric, replicates=3000)
    (mine,), (other,) = (metric_influences(one, metric) for one in networks.values())
    member = np.unique(networks["a"].group, return_inverse=True)[1]
    assert pair.difference.standard_error == pytest.approx(
        clustered_error(mine - other, member), rel=0.06
    )


@pytest.mark.parametrize(("classes", "metric"), [(2, "auroc"), (3, "balanced_accuracy")])
def test_type_one_error_and_coverage(classes: int, metric: str) -> None:
    """Two networks of one skill on 60 patients: true difference 0, 5 % +- 1.1 % (400 samples)."""
    rng = np.random.default_rng(1)
    pairs = [
        compare(draw(rng, 60, {"a": 1.0, "b": 1.0}, classes), metric, replicates=100)[0]
        for _ in range(400)
    ]
    p = np.array([pair.p_value for pair in pairs])
    assert 0.02 < np.mean(p < 0.05) < 0.085
    assert np.mean(p < 0.5) == pytest.approx(0.5, abs=0.1)
    covered = [pair.difference.low <= 0 <= pair.difference.high for pair in pairs]
    assert 0.915 < np.mean(covered) < 0.98
    assert np.mean([pair.probability_better for pair in pairs]) == pytest.approx(0.5, abs=0.06)


def test_margins_are_not_found_where_they_are_the_truth() -> None:
    """b is worse by just the margin: its non-inferiority and equivalence are 5 % at most."""
    rng = np.random.default_rng(2)
    skills = {"a": 1.4, "b": 1.1}
    # Scores of the two classes differ by normal errors of variance 2 (0.49 * 3 + 0.25) each.
    spread = np.sqrt(2 * (2 * (3 * 0.49 + 0.25)))
    area = {name: norm.cdf(2 * skill / spread) for name, skill in skills.items()}
    truth = area["a"] - area["b"]
    pairs = [
        compare(draw(rng, 80, skills, 2), "auroc", replicates=100, margin=truth)[0]
        for _ in range(300)
    ]
    assert np.mean([pair.difference.estimate for pair in pairs]) == pytest.approx(truth, abs=0.006)
    assert np.mean([pair.p_non_inferiority_of_b < 0.05 for pair in pairs]) < 0.085
    assert np.mean([pair.p_equivalence < 0.05 for pair in pairs]) < 0.085
    assert np.mean([pair.p_non_inferiority < 0.05 for pair in pairs]) > 0.5


def test_p_values_agree_with_the_interval_and_each_other() -> None:
    networks = draw(np.random.default_rng(3), 150, {"a": 1.5, "b": 1.2, "c": 1.2, "d": 0.4}, 2)
    for pair in (found := compare(networks, "balanced_accuracy", margin=0.1)):
        low, high = pair.difference.low, pair.difference.high
        assert (pair.p_value < 0.05) == (low > 0 or high < 0)
        assert pair.smallest_difference == pytest.approx(pair.difference.half_width)
        assert pair.p_value == pytest.approx(
            2 * min(pair.probability_better, 1 - pair.probability_better)
        )
        assert pair.p_equivalence == max(pair.p_non_inferiority, pair.p_non_inferiority_of_b)
        if low > -0.1:
            assert pair.p_non_inferiority < 0.025
    assert [(pair.a, pair.b) for pair in found] == [
        ("a", "b"),
        ("a", "c"),
        ("a", "d"),
        ("b", "c"),
        ("b", "d"),
        ("c", "d"),
    ]
    assert [p.p_holm for p in found] == pytest.approx(holm([p.p_value for p in found]))
    both = holm([q for p in found for q in (p.p_non_inferiority, p.p_non_inferiority_of_b)])
    assert [p.p_non_inferiority_holm for p in found] == pytest.approx(both[0::2])
    assert [p.p_non_inferiority_of_b_holm for p in found] == pytest.approx(both[1::2])


def test_exchanging_the_two_turns_the_difference_round() -> None:
    networks = draw(np.random.default_rng(4), 100, {"a": 1.2, "b": 1.0}, 3)
    (one,) = compare(networks, "macro_f1", margin=0.05)
    (other,) = compare(dict(reversed(networks.items())), "macro_f1", margin=0.05)
    assert (other.a, other.b) == ("b", "a")
    assert other.difference.estimate == -one.difference.estimate
    assert other.difference.high == pytest.approx(-one.difference.low)
    assert other.p_value == pytest.approx(one.p_value)
    assert other.p_non_inferiority == pytest.approx(one.p_non_inferiority_of_b)
    assert other.probability_better == pytest.approx(1 - one.probability_better)


@pytest.mark.parametrize(
    ("classes", "metric"),
    [(2, "auroc"), (2, "f1"), (2, "auprc"), (3, "balanced_accuracy"), (3, "macro_auroc")],
)
def test_networks_alike_in_every_answer(classes: int, metric: str) -> None:
    """Nothing differs, which 100 patients do not prove: a difference of 3 / k may be there."""
    networks = draw(np.random.default_rng(5), 100, {"a": 1.0}, classes)
    (pair,) = compare(networks | {"twin": networks["a"]}, metric, margin=0.02)
    target, group = networks["a"].target, networks["a"].group
    fewest = min(np.unique(group[target == c]).size for c in range(classes))
    assert (pair.difference.estimate, pair.p_value, pair.p_holm) == (0.0, 1.0, 1.0)
    assert pair.probability_better == 0.5
    assert pair.difference.method == ALIKE
    # Of k groups none is seen with a chance of 0.025.
    assert (1 - pair.difference.high) ** fewest == pytest.approx(0.025)
    assert pair.difference.low == pytest.approx(-pair.difference.high)
    assert pair.p_equivalence == pytest.approx(0.98**fewest)


def test_a_constant_difference_is_told_from_none() -> None:
    """One network is always right and the other always undecided: 0.5 in every replicate."""
    n = np.arange(60)
    right = Predictions(
        target=n % 2,
        probability=0.2 + 0.6 * (n % 2),
        threshold=np.full(60, 0.5),
        group=n,
        image_index=n,
        fold_id=0 * n,
    )
    flat = right.with_probability(np.full(60, 0.4))
    (pair,) = compare({"right": right, "flat": flat}, "auroc", margin=0.02)
    assert pair.difference.estimate == 0.5
    assert pair.difference.low < 0.5 < pair.difference.high
    assert pair.p_value == pytest.approx(2 * (1 / 1.5) ** 30)
    assert pair.probability_better > 0.999
    assert pair.p_non_inferiority_of_b == 1.0


def test_few_patients_answered_differently_leave_few_degrees_of_freedom() -> None:
    rng = np.random.default_rng(6)
    networks = draw(rng, 200, {"a": 1.0}, 2)
    a = networks["a"]
    assert isinstance(a, Predictions)
    changed = a.probability.copy()
    chosen = np.isin(a.group, [3, 8, 20])
    changed[chosen] = 1 - changed[chosen]
    (pair,) = compare({"a": a, "b": a.with_probability(changed)}, "accuracy")
    assert pair.degrees_of_freedom < 8  # of 199
    assert pair.p_value > 0.05


def test_folds_widen_and_one_set_does_not() -> None:
    networks = draw(np.random.default_rng(7), 150, {"a": 1.3, "b": 1.0}, 2)
    folded = {
        name: dataclasses.replace(one, fold_id=one.group % 2) for name, one in networks.items()
    }
    resampled = bootstrap_many(folded, metrics=("auroc",), replicates=200)
    halves = CrossValidation(2, 50, 50)
    (wide,) = compare_pairs(resampled, folded, metric="auroc", design=halves)
    (narrow,) = compare_pairs(resampled, folded, metric="auroc", design=ONE_SET)
    ratio = wide.difference.standard_error / narrow.difference.standard_error
    assert ratio == pytest.approx(1.5**0.5)
    assert narrow.difference.standard_error**2 == pytest.approx(
        resampled["a"].difference_variance(resampled["b"], "auroc")
    )


def _other_seed(networks: dict[str, AnyPredictions]) -> None:
    one = bootstrap_many({"a": networks["a"]}, replicates=20, seed=0)
    other = bootstrap_many({"b": networks["b"]}, replicates=20, seed=1)
    compare_pairs(one | other, networks, metric="auroc", design=ONE_SET)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (_other_seed, "same weights"),
        (lambda networks: compare(networks, "macro_f1"), "metrics among"),
        (lambda networks: compare(networks, "auroc", margin=0.0), "margin"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    wrong: Callable[[dict[str, AnyPredictions]], object], message: str
) -> None:
    networks = draw(np.random.default_rng(8), 100, {"a": 1.0, "b": 1.0}, 2)
    with pytest.raises(StatisticsError, match=message):
        wrong(networks)


def test_one_network_has_no_pair() -> None:
    assert compare(draw(np.random.default_rng(8), 50, {"a": 1.0}, 2), "auroc") == ()


@pytest.mark.parametrize("metric", ["balanced_accuracy", "macro_f1", "auroc_2"])
def test_a_metric_of_several_classes_has_an_interval(metric: str) -> None:
    rng = np.random.default_rng(9)
    networks = draw(rng, 150, {"a": 1.2}, 3)
    resampled = bootstrap_many(networks, replicates=200)["a"]
    found = crossval_metric(networks["a"], resampled, metric, ONE_SET)
    assert 0 < found.low < found.estimate < found.high < 1
    perfect = dataclasses.replace(
        networks["a"], probability=0.1 + 0.8 * np.eye(3)[networks["a"].target]
    )
    resampled = bootstrap_many({"": perfect}, replicates=50)[""]
    found = crossval_metric(perfect, resampled, metric, ONE_SET)
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert 0.9 < found.low < 1
