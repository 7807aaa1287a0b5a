"""Predictions with patients, ties and several folds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from melanoscope.stats.bootstrap.group_weights import BootstrapWeights
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def make_predictions(
    n: int = 600,
    patients: int = 150,
    folds: int = 3,
    *,
    seed: int = 0,
    skill: float = 1.0,
    decimals: int | None = 2,
    repeats: int = 1,
) -> Predictions:
    """Draw predictions: a patient is in one fold of each repeat, and its scores hang together."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, patients, n)
    target = (rng.random(n) < 0.35).astype(np.int64)
    score = skill * target + rng.normal(size=n) + 0.7 * rng.normal(size=patients)[group] - 0.5
    probability = 1 / (1 + np.exp(-score))
    if decimals is not None:
        probability = np.round(probability, decimals)
    homes = [rng.permutation(patients)[group] % folds + repeat * folds for repeat in range(repeats)]
    return Predictions(
        target=np.tile(target, repeats),
        probability=np.tile(probability, repeats),
        threshold=np.full(n * repeats, 0.45),
        fold_id=np.concatenate(homes).astype(np.int64),
        group=np.tile(group, repeats).astype(np.int64),
        image_index=np.tile(np.arange(n), repeats),
    )


def replicate_weights(weights: BootstrapWeights) -> np.ndarray:
    """Weights of all groups, one row for each replicate."""
    return np.concatenate([block.T for _, block in weights.blocks()])


@pytest.fixture
def make() -> Make:
    return make_predictions
