"""The averaged ROC curve against scikit-learn's curves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.roc import mean_roc


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 100_000), st.integers(2, 60), st.integers(0, 4), st.sampled_from([3, 11, 501])
)
def test_curve_is_scikit_learns(seed: int, n: int, decimals: int, points: int) -> None:
    """Exactly, with ties, also on the grid points at which the curve is a vertical line."""
    rng = np.random.default_rng(seed)
    folds = []
    for _ in range(int(rng.integers(1, 4))):
        target = rng.integers(0, 2, n)
        target[:2] = 0, 1
        folds.append((target, np.round(rng.random(n), decimals)))
    grid = np.linspace(0, 1, points)
    curves = [roc_curve(*fold, drop_intermediate=False)[:2] for fold in folds]
    expected = np.mean([np.interp(grid, *curve) for curve in curves], axis=0)
    x, y = mean_roc(folds, points=points)
    assert (x[0], y[0]) == (0, 0)
    np.testing.assert_allclose(x[1:], grid)
    np.testing.assert_allclose(y[1:], expected, rtol=0, atol=1e-12)


def test_no_fold_is_refused() -> None:
    with pytest.raises(StatisticsError, match="at least one ROC curve"):
        mean_roc([])
