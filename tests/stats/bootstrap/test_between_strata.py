"""The variance by how many groups hold positives, against samples and closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult, group_bootstrap
from melanoscope.stats.metrics.classification import auprc
from melanoscope.stats.predictions import Predictions


def _draw(rng: np.random.Generator, groups: int, *, alone: bool = False) -> Predictions:
    """Draw patients of one to five photographs; how many hold positives is chance."""
    sizes = np.ones(groups, int) if alone else rng.integers(1, 6, groups)
    group = np.repeat(np.arange(groups), sizes)
    ill = rng.random(groups) < 0.15
    target = (ill[group] & (rng.random(group.size) < 0.8)).astype(np.int64)
    score = 1.3 * target + 0.8 * rng.normal(size=group.size) + 0.6 * rng.normal(size=groups)[group]
    return Predictions(
        target=target,
        probability=1 / (1 + np.exp(1 - score)),
        threshold=np.full(group.size, 0.5),
        fold_id=np.zeros(group.size, np.int64),
        group=group,
        image_index=np.arange(group.size),
    )


def _resample(one: Predictions, replicates: int = 150) -> BootstrapResult:
    metrics = ("auroc", "auprc", "accuracy", "f1")
    return group_bootstrap(one, metrics=metrics, replicates=replicates)


def test_whole_variance_is_that_over_samples() -> None:
    """80 samples of 300 patients: AUPRC varies more than replicates with fixed strata say.

    The standard deviation of a variance over 80 samples is 16 % of it.
    """
    rng = np.random.default_rng(0)
    drawn = [_draw(rng, 300) for _ in range(80)]
    resampled = [_resample(one) for one in drawn]
    between = np.mean([r.between_strata["auprc"] for r in resampled])
    whole = np.mean([r.variance("auprc") for r in resampled])
    truth = np.var([auprc(one.target, one.probability) for one in drawn], ddof=1)
    assert between > 0.2 * whole
    assert whole == pytest.approx(truth, rel=0.4)
    # AUROC does not depend on how many there are.
    assert np.mean([r.between_strata["auroc"] for r in resampled]) < 0.02 * np.mean(
        [r.variance("auroc") for r in resampled]
    )


def test_accuracy_of_photographs_has_the_variance_of_a_share() -> None:
    """Closed form: a (1 - a) / n, of which the strata's bootstrap has the part within classes."""
    one = _draw(np.random.default_rng(1), 2000, alone=True)
    found = _resample(one, replicates=3)
    correct = (one.probability >= one.threshold) == one.target
    n, a = correct.size, correct.mean()
    sides = [correct[one.target == y] for y in (0, 1)]
    within = sum(side.size * side.var() for side in sides) / n**2
    assert found.between_strata["accuracy"] == pytest.approx(a * (1 - a) / n - within, rel=0.01)


def test_one_stratum_adds_nothing() -> None:
    """Every patient holds a positive: there is no other number of them to be had."""
    one = _draw(np.random.default_rng(2), 200)
    paired = Predictions(
        target=np.arange(400) % 2,
        probability=np.resize(one.probability, 400),
        threshold=np.full(400, 0.5),
        fold_id=np.zeros(400, np.int64),
        group=np.arange(400) // 2,
        image_index=np.arange(400),
    )
    assert set(_resample(paired, replicates=3).between_strata.values()) == {0.0}
