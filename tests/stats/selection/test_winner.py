"""The winner's flattery against its truth, and against the procedure that it shortens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from melanoscope.stats.selection.paired_differences import paired_differences
from melanoscope.stats.selection.winner import winners_flattery

from .conftest import FAR

SIZES = {"folds": 5, "n_train": 80.0, "n_test": 20.0, "degrees_of_freedom": 39.0}


def flattery(values: np.ndarray, replicates: np.ndarray, **sizes: float) -> float:
    differences = paired_differences(values, replicates, **(SIZES | sizes))
    return winners_flattery(values.mean(axis=1), replicates, differences)


@pytest.mark.parametrize(("k", "correlation"), [(2, 0.5), (6, 0.5), (12, 0.9)])
def test_among_equals_it_is_the_bias_of_the_largest(
    networks: Callable, k: int, correlation: float
) -> None:
    truth = np.zeros(k)
    drawn = networks(truth, groups=40, folds=5, correlation=correlation, shared=0.2, seed=3)
    runs = [next(drawn) for _ in range(300)]
    largest = [float(values.mean(axis=1).max()) for values, _ in runs]
    estimated = [flattery(*run) for run in runs]
    error = np.std(largest) / np.sqrt(len(runs))
    # Rather too much than too little: where folds spread more by chance than groups, more is taken.
    assert np.mean(largest) - 3 * error < np.mean(estimated) < 1.3 * np.mean(largest) + 3 * error


def test_a_clear_winner_is_not_flattered(networks: Callable) -> None:
    truth = np.array([3.0, 0.0, 0.0])
    drawn = networks(truth, groups=40, folds=5, correlation=0.5, shared=0.0, seed=0)
    assert flattery(*next(drawn), n_train=FAR) == pytest.approx(0, abs=0.01)


def test_it_is_bbc_cv_to_the_first_order() -> None:
    """Tsamardinos et al. (2018), algorithm 5: value what each replicate left out."""
    rng = np.random.default_rng(5)
    groups, k, r = 200, 5, 2000
    found, direct = [], []
    for _ in range(10):
        scores = rng.normal(size=(groups, k)) + 0.7 * rng.normal(size=(groups, 1))
        counts = rng.multinomial(groups, np.full(groups, 1 / groups), size=r)
        replicates = (counts @ scores / groups).T
        rest = (counts == 0) @ scores / (counts == 0).sum(axis=1, keepdims=True)
        chosen = replicates.argmax(axis=0)
        mean = scores.mean(axis=0)
        direct.append(mean.max() - rest[np.arange(r), chosen].mean())
        values = np.repeat(mean[:, None], 5, axis=1)  # no spread of folds beyond the groups'
        found.append(flattery(values, replicates, n_train=FAR))
    np.testing.assert_allclose(found, np.maximum(direct, 0), rtol=0.1, atol=0.003)


def test_equal_networks_flatter_nobody() -> None:
    values = np.repeat([[0.8, 0.7, 0.9, 0.8, 0.8]], 3, axis=0)
    assert (
        flattery(values, np.repeat(np.random.default_rng(0).normal(size=(1, 50)), 3, axis=0)) == 0
    )
