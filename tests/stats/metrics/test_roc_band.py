"""ROC curves under weights, against scikit-learn on repeated photographs, and their band."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from melanoscope.stats.bootstrap.group_weights import sample_group_weights
from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold
from melanoscope.stats.metrics.roc import mean_roc
from melanoscope.stats.metrics.roc_band import roc_band
from melanoscope.stats.predictions import Predictions


def drawn(n: int, *, seed: int = 0, folds: int = 1, decimals: int = 2) -> Predictions:
    rng = np.random.default_rng(seed)
    target = (rng.random(n) < 0.3).astype(np.int64)
    return Predictions(
        target=target,
        probability=np.round((0.35 * target + 0.65 * rng.random(n)), decimals),
        threshold=np.full(n, 0.5),
        fold_id=np.arange(n) % folds,
        group=np.arange(n) // 2,
        image_index=np.arange(n),
    )


@pytest.mark.parametrize("decimals", [1, 2, 8])
def test_corners_are_those_of_repeated_photographs(decimals: int) -> None:
    one = drawn(60, decimals=decimals)
    times = np.random.default_rng(1).integers(0, 4, (30, 5)).astype(float)
    fpr, tpr = RankedFold.of(one.target, one.probability, one.group, 30).roc_points(times)
    for replicate in range(5):
        rows = np.repeat(np.arange(60), times[one.group, replicate].astype(int))
        theirs = roc_curve(one.target[rows], one.probability[rows], drop_intermediate=False)
        grid = np.linspace(0, 1, 203)
        # Inside a step their corners lie on the same lines; at its foot either end is right.
        inside = ~np.isin(grid, theirs[0])
        found = np.interp(grid, fpr[:, replicate], tpr[:, replicate])
        assert found[inside] == pytest.approx(np.interp(grid, *theirs[:2])[inside], abs=1e-12)
        assert (np.diff(fpr[:, replicate]) >= -1e-12).all()
        assert (fpr[-1, replicate], tpr[-1, replicate]) == pytest.approx((1, 1))


@pytest.mark.parametrize("folds", [1, 3])
def test_the_curve_is_the_mean_over_folds(folds: int) -> None:
    one = drawn(180, folds=folds)
    found = roc_band(one, sample_group_weights(one, replicates=50), points=101)
    parts = [one.where(one.fold_id == fold) for fold in one.fold_ids]
    x, y = mean_roc([(part.target, part.probability) for part in parts], points=101)
    assert found.fpr == pytest.approx(x[1:])
    assert found.tpr == pytest.approx(y[1:], abs=1e-12)


def test_the_band_holds_the_true_curve_at_most_points() -> None:
    """Two normals of distance 1: the ROC is Phi(1 + Phi^-1(fpr)) (Pepe 2003, equation 4.9)."""
    from scipy.stats import norm

    held = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        target = (np.arange(400) % 2).astype(np.int64)
        score = norm.cdf(rng.normal(size=400) + target)
        one = Predictions(
            target=target,
            probability=score,
            threshold=np.full(400, 0.5),
            fold_id=np.zeros(400, np.int64),
            group=np.arange(400),
            image_index=np.arange(400),
        )
        band = roc_band(one, sample_group_weights(one, replicates=200), points=21)
        inner = slice(2, -2)
        truth = norm.cdf(1 + norm.ppf(band.fpr[inner]))
        held.append(((band.low[inner] <= truth) & (truth <= band.high[inner])).mean())
    assert 0.9 < np.mean(held) < 0.985
