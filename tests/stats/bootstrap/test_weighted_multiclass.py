"""Metrics of several classes under weights of groups, against scikit-learn and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import bootstrap_many
from melanoscope.stats.bootstrap.group_weights import BootstrapWeights, group_kind
from melanoscope.stats.bootstrap.weighted_multiclass import (
    MULTICLASS_METRICS,
    WeightedMulticlass,
    multiclass_metrics,
)
from melanoscope.stats.multiclass_predictions import MulticlassPredictions

SHARES = (0.6, 0.3, 0.1)


def draw(
    rng: np.random.Generator, patients: int, *, decimals: int = 2, skill: float = 1.0
) -> MulticlassPredictions:
    """Patients of one to four photographs, most of one class, with scores that hang together."""
    group = np.repeat(np.arange(patients), rng.integers(1, 5, patients))
    n, k = group.size, len(SHARES)
    usual = rng.choice(k, patients, p=SHARES)
    target = np.where(rng.random(n) < 0.7, usual[group], rng.choice(k, n, p=SHARES))
    score = skill * np.eye(k)[target] + 0.6 * rng.normal(size=(patients, k))[group]
    score += rng.normal(size=(n, k))
    probability = np.round(np.exp(score) / np.exp(score).sum(axis=1, keepdims=True), decimals)
    return MulticlassPredictions(
        target=target.astype(np.int64),
        probability=probability,
        group=group,
        image_index=np.arange(n),
        fold_id=np.zeros(n, np.int64),
    )


def oracle(target: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    called = probability.argmax(axis=1)
    k = probability.shape[1]
    one = {f"auroc_{i}": roc_auc_score(target == i, probability[:, i]) for i in range(k)}
    # scikit-learn wants rows that add up to 1 and no shape of its own for two classes.
    macro = float(np.mean(list(one.values())))
    if k > 2 and np.allclose(probability.sum(axis=1), 1):
        assert roc_auc_score(target, probability, multi_class="ovr") == pytest.approx(macro)
    return {
        "balanced_accuracy": balanced_accuracy_score(target, called),
        "accuracy": accuracy_score(target, called),
        "macro_f1": f1_score(target, called, average="macro"),
        "macro_auroc": macro,
        **one,
    }


def weights_of(predictions: MulticlassPredictions) -> BootstrapWeights:
    groups = np.unique(predictions.group)
    return BootstrapWeights(groups, np.zeros(groups.size, np.int64), 2, 0)


@given(st.integers(0, 10_000), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_integer_weights_repeat_photographs(seed: int, decimals: int) -> None:
    rng = np.random.default_rng(seed)
    one = draw(rng, 60, decimals=decimals + 1)
    times = rng.integers(0, 4, one.n_groups)
    rows = np.repeat(np.arange(one.target.size), times[one.group])
    if np.unique(one.target[rows]).size < len(SHARES):
        return
    metrics = multiclass_metrics(one.n_classes)
    weighted = WeightedMulticlass(one, weights_of(one), metrics)
    assert weighted.estimate == pytest.approx(oracle(one.target, one.probability))
    found = weighted.compute(times[:, None].astype(float))
    expected = oracle(one.target[rows], one.probability[rows])
    assert {m: v[0] for m, v in found.items()} == pytest.approx(expected)


def test_unrounded_probabilities_agree_with_one_against_rest() -> None:
    one = draw(np.random.default_rng(5), 80, decimals=16)
    assert np.allclose(one.probability.sum(axis=1), 1)
    found = WeightedMulticlass(one, weights_of(one), ("macro_auroc",)).estimate["macro_auroc"]
    expected = roc_auc_score(one.target, one.probability, multi_class="ovr", average="macro")
    assert found == pytest.approx(expected)


def test_folds_are_averaged() -> None:
    one = draw(np.random.default_rng(1), 120)
    fold = one.group % 2
    both = MulticlassPredictions(
        target=one.target,
        probability=one.probability,
        group=one.group,
        image_index=one.image_index,
        fold_id=fold,
    )
    found = WeightedMulticlass(both, weights_of(both), multiclass_metrics(3)).estimate
    parts = [oracle(one.target[fold == f], one.probability[fold == f]) for f in (0, 1)]
    assert found == pytest.approx({m: (parts[0][m] + parts[1][m]) / 2 for m in found})


def test_a_class_without_weight_leaves_accuracy_alone() -> None:
    one = draw(np.random.default_rng(2), 60)
    held = np.bincount(one.group, one.target == 2) > 0
    found = WeightedMulticlass(one, weights_of(one), multiclass_metrics(3)).compute(
        np.where(held, 0.0, 1.0)[:, None]
    )
    assert np.isfinite(found["accuracy"]).all()
    for metric in ("balanced_accuracy", "macro_auroc", "auroc_2"):
        assert np.isnan(found[metric]).all()


def test_variance_is_that_over_samples() -> None:
    """60 samples of 200 patients: the standard deviation of a variance is 18 % of it."""
    rng = np.random.default_rng(3)
    drawn = [draw(rng, 200) for _ in range(60)]
    for one in drawn:
        assert np.bincount(one.target).min() > 10
    resampled = [bootstrap_many({"": one}, replicates=100)[""] for one in drawn]
    for metric in MULTICLASS_METRICS:
        truth = np.var([r.estimate[metric] for r in resampled], ddof=1)
        whole = np.mean([r.variance(metric) for r in resampled])
        assert whole == pytest.approx(truth, rel=0.45), metric
    # AUROC hardly depends on how many there are of each class.
    macro = [r.between_strata["macro_auroc"] / r.variance("macro_auroc") for r in resampled]
    assert np.mean(macro) < 0.05


def test_accuracy_of_single_photographs_has_the_variance_of_a_share() -> None:
    """Closed form a (1 - a) / n: replicates within classes, the rest between them."""
    rng = np.random.default_rng(4)
    target = rng.choice(3, 3000, p=SHARES)
    one = MulticlassPredictions(
        target=target,
        probability=rng.dirichlet((1, 1, 1), 3000) + 0.0,
        group=np.arange(3000),
        image_index=np.arange(3000),
        fold_id=np.zeros(3000, np.int64),
    )
    skilled = one.probability.copy()
    skilled[target == 0, 0] = 1.0  # class 0 is always right, so that classes differ
    one = MulticlassPredictions(
        target=target,
        probability=skilled,
        group=one.group,
        image_index=one.image_index,
        fold_id=one.fold_id,
    )
    found = bootstrap_many({"": one}, metrics=("accuracy",), replicates=3)[""]
    correct, sizes = one.correct, np.bincount(target)
    within = sum(correct[target == c].var() * sizes[c] for c in range(3)) / 3000**2
    a = correct.mean()
    assert found.between_strata["accuracy"] == pytest.approx(a * (1 - a) / 3000 - within, rel=0.01)


def test_groups_count_for_their_rarest_class() -> None:
    target, member = np.array([0, 0, 0, 1, 1, 2, 0]), np.array([0, 1, 2, 2, 3, 3, 4])
    assert group_kind(target, member).tolist() == [0, 0, 1, 2, 0]
    # Of two classes the positives, also where they are the more frequent.
    assert group_kind(np.array([1, 1, 1, 0]), np.array([0, 1, 2, 2])).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": np.zeros((40, 3), np.int64)}, "floating point"),
        ({"probability": np.full((40, 3), 1.5)}, "between 0 and 1"),
        ({"probability": np.full((40, 4), 0.25)}, "all classes 0 to 3"),
        ({"probability": np.full(40, 0.25)}, "at least 2"),
        ({"fold_id": (np.arange(40) >= 38).astype(np.int64)}, "in every fold"),
        ({"image_index": np.zeros(40, np.int64)}, "once in a fold"),
        ({"target": np.zeros(40)}, "integers"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    n = np.arange(40)
    right = {
        "target": n % 3,
        "probability": np.full((40, 3), 1 / 3),
        "group": n,
        "image_index": n,
        "fold_id": 0 * n,
    }
    MulticlassPredictions(**right)
    with pytest.raises(StatisticsError, match=message):
        MulticlassPredictions(**(right | change))


def test_a_rare_class_is_refused() -> None:
    n = np.arange(60)
    one = MulticlassPredictions(
        target=np.where(n < 9, 2, n % 2),
        probability=np.full((60, 3), 1 / 3),
        group=n,
        image_index=n,
        fold_id=0 * n,
    )
    with pytest.raises(StatisticsError, match="9 of class 2"):
        bootstrap_many({"": one})
