"""Networks as correlated normal scores: what is true is known, and each fold is a mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FAR = 1e12  # photographs trained on: folds share nothing


def draw_networks(
    truth: Floats, *, groups: int, folds: int, correlation: float, shared: float, seed: int
) -> Iterator[tuple[Floats, Floats]]:
    """Draw without end results per fold, (k, folds), and bootstrap replicates, (k, 400).

    Networks correlate, as those tested on the same patients do. `shared` is the correlation of two
    folds through their training patients (Nadeau & Bengio 2003), which no resampling sees.
    """
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=400) / groups
    a, b = np.sqrt(correlation), np.sqrt(1 - correlation)
    unseen = np.sqrt((folds - 1) * shared / groups)
    while True:
        scores = (
            truth + a * rng.normal(size=(groups, 1)) + b * rng.normal(size=(groups, truth.size))
        )
        scores += unseen * (a * rng.normal() + b * rng.normal(size=truth.size))
        values = np.array([part.mean(axis=0) for part in np.split(scores, folds)]).T
        yield values, (weights @ scores).T


@pytest.fixture
def networks() -> Callable[..., Iterator[tuple[Floats, Floats]]]:
    return draw_networks
