"""Pairs by the levels of both, against counting them one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import sample_group_weights
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.subgroups import pairwise_auroc as module
from melanoscope.stats.subgroups.pairwise_auroc import pairwise_auroc

from ..conftest import replicate_weights

Make = Callable[..., Predictions]


@pytest.mark.parametrize("at_once", [1, 500, 4_000_000])
def test_pairs_one_by_one(make: Make, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Patients in several levels, ties, folds, and blocks of every size."""
    monkeypatch.setattr(module, "_PAIRS_PER_STEP", at_once)
    one = make(n=250, patients=60, decimals=1)
    level = np.random.default_rng(0).integers(-1, 3, 250)
    weights = sample_group_weights(one, replicates=5)
    found = pairwise_auroc(one, weights, level, 3)
    row = weights.positions(one.group)
    for index, counted in enumerate([np.ones(weights.groups.size), *replicate_weights(weights)]):
        weight = counted[row]
        right, total = np.zeros((3, 3)), np.zeros((3, 3))
        for i in np.flatnonzero((one.target == 1) & (level >= 0)):
            for j in np.flatnonzero(
                (one.target == 0) & (level >= 0) & (one.fold_id == one.fold_id[i])
            ):
                p, q = one.probability[i], one.probability[j]
                total[level[i], level[j]] += weight[i] * weight[j]
                right[level[i], level[j]] += weight[i] * weight[j] * ((p > q) + 0.5 * (p == q))
        assert found.right[:, :, index] == pytest.approx(right, abs=1e-10)
        assert found.total[:, :, index] == pytest.approx(total, abs=1e-10)


def test_many_photographs_against_scikit_learn(make: Make) -> None:
    """Part by fold, with the weights as sample weights; pairs weigh the folds."""
    one = make(n=900, patients=200, folds=5, repeats=2, decimals=None)
    level = np.random.default_rng(0).integers(0, 4, 900)[one.image_index]
    weights = sample_group_weights(one, replicates=20)
    found = pairwise_auroc(one, weights, level, 4)
    counts = [np.ones(weights.groups.size), *replicate_weights(weights)]
    row = weights.positions(one.group)
    sets = {name: [chosen] for name, chosen in (("one", [0]), ("two", [1, 3]), ("all", range(4)))}
    sets["within"] = [[0], [1], [2], [3]]
    for name, compared in sets.items():
        estimate, values = found.within() if name == "within" else found.auroc(list(*compared))
        for counted, value in zip(counts, [estimate, *values], strict=True):
            weight, right, total = counted[row], 0.0, 0.0
            for levels in compared:
                for fold in one.fold_ids:
                    mine = (one.fold_id == fold) & np.isin(level, list(levels)) & (weight > 0)
                    hit, w = one.target[mine] == 1, weight[mine]
                    pairs = w[hit].sum() * w[~hit].sum()
                    if pairs:
                        area = roc_auc_score(hit, one.probability[mine], sample_weight=w)
                        right, total = right + pairs * area, total + pairs
            assert value == pytest.approx(right / total, abs=1e-10), name


def test_a_level_without_pairs(make: Make) -> None:
    one = make()
    level = np.where(one.target == 1, 0, 1)
    found = pairwise_auroc(one, sample_group_weights(one, replicates=10), level, 2)
    assert np.isfinite(found.auroc([0, 1])[0])
    for ask in (lambda: found.auroc([0]), found.within):
        with pytest.raises(StatisticsError, match="to compare"):
            ask()
