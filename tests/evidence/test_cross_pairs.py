"""Pairs by the levels of both, against counting them one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from melanoscope.errors import EvidenceError
from melanoscope.evidence import cross_pairs as module
from melanoscope.evidence.cross_pairs import cross_pairs
from melanoscope.evidence.draws import draw_groups
from melanoscope.evidence.pairs import pair_weighted_auroc
from melanoscope.evidence.predictions import Predictions

Make = Callable[..., Predictions]


@pytest.mark.parametrize("at_once", [1, 500, 4_000_000])
def test_pairs_one_by_one(make: Make, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Patients in several levels, ties, parts, and blocks of every size."""
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    one = make(n=250, patients=60, decimals=1)
    level = np.random.default_rng(0).integers(-1, 3, 250)
    draws = draw_groups(one, replicates=5)
    found = cross_pairs(one, draws, level, 3)
    row = draws.rows(one.group)
    for index, counted in enumerate([np.ones(draws.groups.size), *draws.counts.astype(float)]):
        weight = counted[row]
        right, total = np.zeros((3, 3)), np.zeros((3, 3))
        for i in np.flatnonzero((one.target == 1) & (level >= 0)):
            for j in np.flatnonzero((one.target == 0) & (level >= 0) & (one.part == one.part[i])):
                p, q = one.probability[i], one.probability[j]
                total[level[i], level[j]] += weight[i] * weight[j]
                right[level[i], level[j]] += weight[i] * weight[j] * ((p > q) + 0.5 * (p == q))
        assert found.right[:, :, index] == pytest.approx(right, abs=1e-10)
        assert found.total[:, :, index] == pytest.approx(total, abs=1e-10)


def test_agrees_with_the_ranked_way(make: Make) -> None:
    one = make(n=900, patients=200, parts=5, repeats=2, decimals=None)
    level = np.random.default_rng(0).integers(0, 4, 900)[one.photograph]
    draws = draw_groups(one, replicates=100)
    found = cross_pairs(one, draws, level, 4)
    for chosen in ([0], [1, 3], [0, 1, 2, 3]):
        estimate, values = pair_weighted_auroc(one.where(np.isin(level, chosen)), draws)
        assert found.auroc(chosen)[0] == pytest.approx(estimate, abs=1e-12)
        assert found.auroc(chosen)[1] == pytest.approx(values, abs=1e-12)


def test_a_level_without_pairs(make: Make) -> None:
    one = make()
    level = np.where(one.target == 1, 0, 1)
    found = cross_pairs(one, draw_groups(one, replicates=10), level, 2)
    assert np.isfinite(found.auroc([0, 1])[0])
    with pytest.raises(EvidenceError, match="to compare"):
        found.auroc([0])
