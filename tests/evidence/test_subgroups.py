"""Subgroups and balanced archives against counting pairs one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from melanoscope.errors import EvidenceError
from melanoscope.evidence.draws import draw_groups
from melanoscope.evidence.pairs import pair_weighted_auroc
from melanoscope.evidence.predictions import Predictions
from melanoscope.evidence.source_balance import (
    source_balanced_auroc,
    source_balanced_weights,
    within_archive_auroc,
)
from melanoscope.evidence.subgroups import compare_subgroups

Make = Callable[..., Predictions]


def _pairs(one: Predictions, weight: np.ndarray, stratum: np.ndarray) -> float:
    right = total = 0.0
    hits, others = np.flatnonzero(one.target == 1), np.flatnonzero(one.target == 0)
    for i in hits:
        same = others[(one.part[others] == one.part[i]) & (stratum[others] == stratum[i])]
        won = (one.probability[same] < one.probability[i]) + 0.5 * (
            one.probability[same] == one.probability[i]
        )
        right += weight[i] * (weight[same] * won).sum()
        total += weight[i] * weight[same].sum()
    return right / total


def test_pairs_one_by_one(make: Make) -> None:
    one = make(n=250, patients=60)
    rng = np.random.default_rng(0)
    stratum, extra = rng.integers(0, 3, 250), rng.random(250)
    draws = draw_groups(one, replicates=6)
    found, values = pair_weighted_auroc(one, draws, stratum, extra)
    assert found == pytest.approx(_pairs(one, extra, stratum), abs=1e-10)
    for b in range(6):
        weight = extra * draws.counts[b][draws.rows(one.group)]
        assert values[b] == pytest.approx(_pairs(one, weight, stratum), abs=1e-10)


def test_guessing_by_archive_gains_nothing_within_or_balanced(make: Make) -> None:
    one = make(parts=1)
    rng = np.random.default_rng(1)
    archive = np.where(rng.random(600) < 0.3 + 0.5 * one.target, "a", "b")
    share = {name: one.target[archive == name].mean() for name in "ab"}
    guess = one.with_probability(np.array([share[name] for name in archive]))
    draws = draw_groups(one, replicates=200)
    assert roc_auc_score(one.target, guess.probability) > 0.7
    assert within_archive_auroc(guess, draws, archive).estimate == 0.5
    assert source_balanced_auroc(guess, draws, archive).estimate == pytest.approx(0.5, abs=1e-12)
    weights = source_balanced_weights(one.target, archive)
    for name in "ab":
        mine = archive == name
        assert weights[mine & (one.target == 1)].sum() == pytest.approx(mine.sum() / 2)
    oracle = roc_auc_score(one.target, one.probability, sample_weight=weights)
    found = source_balanced_auroc(one, draws, archive)
    assert found.estimate == pytest.approx(oracle, abs=1e-10)
    assert found.low < found.estimate < found.high


def test_archives_of_one_class_are_left_out(make: Make) -> None:
    one = make(parts=1)
    archive = np.where(one.target == 1, np.where(np.arange(600) % 2, "only", "both"), "both")
    weights = source_balanced_weights(one.target, archive)
    assert not weights[archive == "only"].any()
    with pytest.raises(EvidenceError, match="an archive with both classes"):
        source_balanced_weights(one.target, one.target)


def _compare(one: Predictions, labels: np.ndarray, **settings):
    draws = draw_groups(one, replicates=400)
    return compare_subgroups(
        one,
        draws,
        name="sex",
        labels=labels.astype(object),
        order=sorted(set(labels)),
        calibrated=one.probability,
        **settings,
    )


def test_levels(make: Make) -> None:
    one = make()
    labels = np.where(np.arange(600) % 3 == 0, "female", "male")
    found = _compare(one, labels)
    for level in found.levels:
        mine = labels == level.name
        chosen = one.where(mine)
        assert level.n == mine.sum()
        assert level.melanomas == one.target[mine].sum()
        every = np.zeros(chosen.target.size)
        assert level.metrics["auroc"].estimate == pytest.approx(
            _pairs(chosen, np.ones(every.size), every), abs=1e-6
        )
        called = chosen.probability >= chosen.threshold
        assert level.metrics["sensitivity"].estimate == called[chosen.target == 1].mean()
        assert level.metrics["observed_expected"].estimate == pytest.approx(
            chosen.target.sum() / chosen.probability.sum()
        )
        for interval in level.metrics.values():
            assert interval.low < interval.estimate < interval.high


def test_a_real_difference_is_found_and_none_is_invented(make: Make) -> None:
    one = make(n=1500, patients=500, seed=3)
    labels = np.where(np.arange(1500) % 2 == 0, "a", "b")
    rng = np.random.default_rng(0)
    blind = one.with_probability(
        np.where(labels == "a", one.probability, rng.permutation(one.probability))
    )
    worse = [d for d in _compare(blind, labels).differences if d.metric == "auroc"]
    assert {d.level for d in worse} == {"a", "b"}
    assert all(d.p_holm < 0.05 for d in worse)
    assert worse[0].difference.estimate == pytest.approx(-worse[1].difference.estimate)


def test_no_difference_is_invented(make: Make) -> None:
    """At 5 % more than 4 of 20 nulls would be found once in 300 times."""
    labels = np.where(np.arange(600) % 2 == 0, "a", "b")
    p_values = []
    for seed in range(20):
        found = [d for d in _compare(make(seed=seed), labels).differences if d.metric == "auroc"]
        assert all(d.p_holm >= d.p_value for d in found)
        p_values.append(found[0].p_value)
    assert sum(p < 0.05 for p in p_values) <= 4
    assert min(p_values) < 0.5 < max(p_values)


def test_too_small_shows_no_number(make: Make) -> None:
    one = make()
    labels = np.where(one.group < 6, "few", "many").astype(object)
    labels[(one.target == 0) & (one.group > 140)] = "no melanoma"
    found = {level.name: level for level in _compare(one, labels).levels}
    assert found["few"].too_small.startswith("too few")
    assert found["no melanoma"].too_small == "no melanomas"
    assert not found["few"].metrics
    assert found["many"].metrics
    assert not _compare(one, labels).differences  # one level is left


def test_levels_that_are_not_compared(make: Make) -> None:
    labels = np.array(["a", "b", "unknown"])[np.arange(600) % 3]
    found = _compare(make(), labels, compared=("a", "b"))
    assert {d.level for d in found.differences} == {"a", "b"}
    assert [level.name for level in found.levels] == ["a", "b", "unknown"]
