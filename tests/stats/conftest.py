"""Predictions with patients, ties and several parts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def make_predictions(
    n: int = 600,
    patients: int = 150,
    parts: int = 3,
    *,
    seed: int = 0,
    skill: float = 1.0,
    decimals: int | None = 2,
    repeats: int = 1,
) -> Predictions:
    """Draw predictions: a patient is in one part of each repeat, and its scores hang together."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, patients, n)
    target = (rng.random(n) < 0.35).astype(np.int64)
    score = skill * target + rng.normal(size=n) + 0.7 * rng.normal(size=patients)[group] - 0.5
    probability = 1 / (1 + np.exp(-score))
    if decimals is not None:
        probability = np.round(probability, decimals)
    homes = [rng.permutation(patients)[group] % parts + repeat * parts for repeat in range(repeats)]
    return Predictions(
        np.tile(target, repeats),
        np.tile(probability, repeats),
        np.full(n * repeats, 0.45),
        np.concatenate(homes).astype(np.int64),
        np.tile(group, repeats).astype(np.int64),
        np.tile(np.arange(n), repeats),
    )


@pytest.fixture
def make() -> Make:
    return make_predictions
