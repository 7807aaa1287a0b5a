"""The archive's name as a predictor, and AUROC where it cannot help."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import sample_group_weights
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups.source_balanced_auroc import (
    archive_only_auroc,
    archive_prevalence,
    source_balanced_auroc,
    within_archive_auroc,
)

from ..conftest import replicate_weights

Make = Callable[..., Predictions]


def _archives(one: Predictions, seed: int = 1) -> np.ndarray:
    """Archives of unequal prevalence; a photograph keeps its archive in every fold."""
    rng = np.random.default_rng(seed)
    photograph = rng.random(one.image_index.max() + 1)[one.image_index]
    return np.where(photograph < 0.3 + 0.5 * one.target, "a", "b")


@pytest.mark.parametrize("folds", [1, 3, 5])
def test_a_guess_by_archive_gains_nothing_within_or_balanced(make: Make, folds: int) -> None:
    one = make(folds=folds, repeats=2 if folds == 3 else 1)
    archive = _archives(one)
    guess = one.with_probability(
        archive_prevalence(archive, train_target=one.target, train_archive=archive)
    )
    assert roc_auc_score(one.target, guess.probability) > 0.7
    within = within_archive_auroc(guess, archive)
    balanced = source_balanced_auroc(guess, archive)
    for found in (within, balanced):
        assert found.estimate == pytest.approx(0.5, abs=1e-12)
        assert found.low < 0.5 < found.high


def test_balanced_is_the_weighted_auroc(make: Make) -> None:
    """Scikit-learn with weights is the oracle, in the sample; its error is the bootstrap's."""
    one = make(folds=1)
    archive = _archives(one)
    balanced = np.zeros(one.target.size)
    for name in "ab":
        mine = archive == name
        for side in (0, 1):
            balanced[mine & (one.target == side)] = mine.sum() / (mine & (one.target == side)).sum()
    weights = sample_group_weights(one, replicates=400)
    found = source_balanced_auroc(one, archive)
    oracle = roc_auc_score(one.target, one.probability, sample_weight=balanced)
    assert found.estimate == pytest.approx(oracle, abs=1e-10)
    by_hand, size = [], {name: np.mean(archive == name) for name in "ab"}
    for counted in replicate_weights(weights):
        weight = counted[weights.positions(one.group)].astype(float)
        for name in "ab":
            for side in (0, 1):
                mine = (archive == name) & (one.target == side)
                weight[mine] *= size[name] / weight[mine].sum()
        by_hand.append(roc_auc_score(one.target, one.probability, sample_weight=weight))
    assert found.standard_error == pytest.approx(np.std(by_hand, ddof=1), rel=0.12)
    wide = source_balanced_auroc(one, archive, 1.8)
    assert wide.standard_error == pytest.approx(np.sqrt(1.8) * found.standard_error)


def test_within_compares_no_two_archives(make: Make) -> None:
    one = make(folds=1)
    archive = _archives(one)
    right = total = 0.0
    for name in "ab":
        mine = archive == name
        pairs = (one.target[mine] == 1).sum() * (one.target[mine] == 0).sum()
        right += pairs * roc_auc_score(one.target[mine], one.probability[mine])
        total += pairs
    found = within_archive_auroc(one, archive)
    assert found.estimate == pytest.approx(right / total, abs=1e-10)
    assert found.low < found.estimate < found.high
    # Scores moved by archive change what is compared across archives, and nothing within.
    moved = one.with_probability(np.where(archive == "a", 0.5, 0.0) + one.probability / 2)
    assert within_archive_auroc(moved, archive) == found


def test_archives_of_one_class_are_left_out(make: Make) -> None:
    one = make(folds=1)
    archive = np.where(one.target == 1, np.where(np.arange(600) % 2, "only", "both"), "both")
    kept = archive == "both"
    assert source_balanced_auroc(one, archive).estimate == pytest.approx(
        roc_auc_score(one.target[kept], one.probability[kept]), abs=1e-10
    )
    with pytest.raises(StatisticsError, match="an archive with both classes"):
        source_balanced_auroc(one, one.target)


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc")), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_archive_only_from_counts(rows: list[tuple[int, str]]) -> None:
    """The oracle counts pairs of archives instead of photographs."""
    target, archive = [0, 1, *(y for y, _ in rows)], ["a", "b", *(name for _, name in rows)]
    y, names = np.array(target), np.array(archive)
    hits = {name: int(y[names == name].sum()) for name in set(archive)}
    others = {name: int((1 - y[names == name]).sum()) for name in set(archive)}
    share = {name: hits[name] / (hits[name] + others[name]) for name in hits}
    right = sum(
        hits[a] * others[b] * ((share[a] > share[b]) + 0.5 * (share[a] == share[b]))
        for a in hits
        for b in hits
    )
    expected = right / (y.sum() * (1 - y).sum())
    found = archive_only_auroc(target, archive)
    assert found == pytest.approx(expected, abs=1e-12)
    assert found >= 0.5 - 1e-12


def test_archive_only_of_the_poster() -> None:
    target = np.repeat([1, 1, 0], [4522, 584, 33_126 - 584])
    archive = np.repeat(["isic2019", "isic2020"], [4522, 33_126])
    assert archive_only_auroc(target, archive) == pytest.approx(0.5 + 4522 / 5106 / 2, abs=1e-12)


def test_shares_are_learnt_elsewhere() -> None:
    """What was learnt can mislead: the archive with more positives there has fewer here."""
    guess = archive_prevalence(
        ["a", "a", "b"], train_target=[1, 0, 0], train_archive=["a", "b", "b"]
    )
    assert roc_auc_score([0, 0, 1], guess) == 0.0
    with pytest.raises(StatisticsError, match="to learn from"):
        archive_prevalence(["a"], train_target=[], train_archive=[])


def test_archives_that_cannot_be_compared(make: Make) -> None:
    one = make(folds=2)
    with pytest.raises(StatisticsError, match="archives of shape"):
        within_archive_auroc(one, ["a"])
    apart = np.where(one.fold_id == 0, "a", "b")
    with pytest.raises(StatisticsError, match="two archives never tested together"):
        source_balanced_auroc(one, apart)
    # Compared within archives the same photographs are no problem.
    assert 0 < within_archive_auroc(one, apart).estimate < 1
