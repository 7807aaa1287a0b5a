"""The distance to the training photographs, against the exact Mahalanobis distance."""

from __future__ import annotations

import numpy as np
import pytest

from melanoscope.errors import StatisticsError
from melanoscope.export.out_of_distribution import FeatureDistance, fit_feature_distance


def drawn(n=4000, c=8, k=3, seed=0):
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(c, c)))[0][:, :k]
    scales = np.array([3.0, 2.0, 1.0])[:k]
    return rng.normal(size=(n, k)) * scales @ directions.T + 0.3 * rng.normal(size=(n, c)) + 5


def test_it_is_the_mahalanobis_distance_under_its_covariance():
    features = drawn()
    found = fit_feature_distance(features, components=3, normalized=False)
    w, s2 = found.components.astype(float), found.residual_variance
    # Tipping & Bishop: C = W W' + s^2 I, with the variances along W as they are.
    covariance = w @ np.diag(found.variances - s2) @ w.T + s2 * np.eye(8)
    centred = features - found.mean
    exact = np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred)
    assert found.distance(features) == pytest.approx(exact, rel=1e-4)


def test_the_parts_are_those_the_features_were_drawn_with():
    found = fit_feature_distance(drawn(), components=3, normalized=False)
    assert found.variances == pytest.approx(np.array([9.0, 4.0, 1.0]) + 0.09, rel=0.1)
    assert found.residual_variance == pytest.approx(0.09, rel=0.1)
    assert found.components.T @ found.components == pytest.approx(np.eye(3), abs=1e-5)


def test_distances_of_its_own_kind_are_chi_squared():
    found = fit_feature_distance(drawn(), components=3, normalized=False)
    distances = found.distance(drawn(n=4000))
    assert distances.mean() == pytest.approx(8, rel=0.05)
    assert distances.var() == pytest.approx(16, rel=0.2)


def test_further_away_is_further_away():
    features = drawn()
    found = fit_feature_distance(features, normalized=False)
    way = np.random.default_rng(3).normal(size=8)
    line = found.mean + np.arange(5)[:, None] * way
    assert (np.diff(found.distance(line)) > 0).all()
    assert found.distance(line[:1]) == pytest.approx([0], abs=1e-9)


def test_normalized_features_know_no_length():
    found = fit_feature_distance(drawn(), normalized=True)
    features = drawn(n=20)
    assert found.distance(features) == pytest.approx(found.distance(7 * features), rel=1e-6)


def test_directions_in_which_nothing_varies_do_not_explode():
    features = np.concatenate([drawn(), np.zeros((4000, 3))], axis=1)
    found = fit_feature_distance(features, normalized=False)
    assert np.isfinite(found.distance(features + 0.01)).all()
    assert found.residual_variance > 0


@pytest.mark.parametrize(
    "features",
    [np.ones((10, 4)), np.zeros((2, 4)), np.full((10, 4), np.nan), np.zeros(10)],
)
def test_what_says_nothing_is_refused(features):
    with pytest.raises(StatisticsError):
        fit_feature_distance(features)


@pytest.mark.parametrize("normalized", [True, False])
def test_differences_of_rounding_alone_are_none(normalized):
    """A network that has hardly been trained: its distances would be rounding, times 1e11."""
    noise = np.random.default_rng(0).normal(size=(300, 1280))
    alike = (np.linspace(0.1, 0.3, 1280) * (1 + 2e-8 * noise)).astype(np.float32)
    with pytest.raises(StatisticsError, match="more epochs"):
        fit_feature_distance(alike, normalized=normalized)
    found = fit_feature_distance(alike * (1 + 1e-4 * noise), normalized=normalized)
    assert np.median(found.distance(alike * (1 + 1e-4 * noise))) < 1e4


def test_it_is_what_the_graph_computes():
    torch = pytest.importorskip("torch")
    features = drawn(n=50).astype(np.float32)
    found = fit_feature_distance(drawn(), normalized=True)
    assert isinstance(found, FeatureDistance)
    plain = torch.nn.functional.normalize(torch.from_numpy(features), dim=1, eps=1e-12).numpy()
    again = FeatureDistance(
        found.mean, found.components, found.variances, found.residual_variance, False
    )
    assert again.distance(plain) == pytest.approx(found.distance(features), rel=1e-4)
