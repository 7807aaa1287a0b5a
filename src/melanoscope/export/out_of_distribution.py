"""How far a photograph lies from those of the training, in the space of the network's features.

Probabilistic principal component analysis (Tipping & Bishop 1999, doi:10.1111/1467-9868.00196): the
features are normal with covariance W W' + s^2 I; the distance is the squared Mahalanobis distance
under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError

if TYPE_CHECKING:
    from melanoscope.stats.arrays import Floats

# A direction of less variance than this part of the largest one's belongs to the residual, and no
# variance is taken for less than the second part: the graph computes in single precision.
_WORTH, _FLOOR = 1e-4, 1e-7
# What single precision resolves: where features differ by less, their distances are rounding alone.
_RESOLVED = float(np.finfo(np.float32).eps)
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class FeatureDistance:
    """Distribution of the training photographs in the space of a network's features.

    Attributes:
        mean: Mean of the features, shape (c,).
        components: Principal components as orthonormal columns, by falling variance, shape (c, k).
        variances: Variance along each component, shape (k,).
        residual_variance: Variance along each direction at right angles to the components.
        normalized: Whether features are divided by their Euclidean norm (plus 1e-12) first.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    variances: NDArray[np.float32]
    residual_variance: float
    normalized: bool

    def distance(self, features: NDArray[np.floating]) -> Floats:
        """Return the squared Mahalanobis distances of `features` (n, c), shape (n,)."""
        centered = _prepare(features, self.normalized) - self.mean
        inside = centered @ self.components.astype(np.float64)
        outside = centered - inside @ self.components.T.astype(np.float64)
        distance: Floats = (inside**2 / self.variances).sum(axis=1)
        distance += (outside**2).sum(axis=1) / self.residual_variance
        return distance


def fit_feature_distance(
    features: NDArray[np.floating], *, components: int = 64, normalized: bool = True
) -> FeatureDistance:
    """Fit the distribution of `features` (n, c) of training photographs, averaged over places."""
    # At most `components` directions have a variance of their own. By default only the features'
    # direction counts: their length says how much is in the picture, which differs more from one
    # dermoscope to the next than from dermoscope to telephone.
    if features.ndim != 2 or len(features) < 3 or not np.isfinite(features).all():
        raise StatisticsError(
            "finite features (n, c) of three photographs or more",
            f"shape {features.shape}" if features.ndim != 2 or len(features) < 3 else "NaN",
            "train on more photographs",
        )
    prepared = _prepare(features, normalized)
    mean = prepared.mean(axis=0)
    # Singular values of the smaller side would do; c is at most 2,208 and this is done once.
    variances, directions = np.linalg.eigh(np.cov(prepared, rowvar=False).reshape(len(mean), -1))
    variances, directions = np.maximum(variances[::-1], 0), directions[:, ::-1]
    if variances[0] <= _RESOLVED**2 * np.mean(prepared**2) * len(mean):
        raise StatisticsError(
            "a network whose features differ between photographs",
            "the same ones, to single precision",
            "train for more epochs, or begin with ImageNet weights",
        )
    worth = np.count_nonzero(variances >= _WORTH * variances[0])
    # The rank: directions in which no training photograph differs say nothing of the residual.
    live = np.count_nonzero(variances > 1e-9 * variances[0])
    k = max(min(components, int(worth), int(live) - 1), 1)
    residual = variances[k:].sum() / max(int(live) - k, 1)
    return FeatureDistance(
        mean=mean.astype(np.float32),
        components=np.ascontiguousarray(directions[:, :k]).astype(np.float32),
        variances=variances[:k].astype(np.float32),
        residual_variance=max(float(residual), _FLOOR * float(variances[0])),
        normalized=normalized,
    )


def _prepare(features: NDArray[np.floating], normalized: bool) -> Floats:
    plain = features.astype(np.float64)
    if not normalized:
        return plain
    scaled: Floats = plain / (np.linalg.norm(plain, axis=1, keepdims=True) + _TINY)
    return scaled
