"""How far a photograph lies from those of the training, in the space of the network's features.

Probabilistic principal component analysis (Tipping & Bishop 1999, doi:10.1111/1467-9868.00196): the
features are normal with covariance W W' + s^2 I; the distance is the squared Mahalanobis distance
under it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from melanoscope.errors import StatisticsError

_Floats = NDArray[np.float64]

COMPONENTS = 64
"""At most so many directions of their own variance."""

# A direction of less variance than this part of the largest one's belongs to the residual, and no
# variance is taken for less than the second part: the graph computes in single precision.
_WORTH, _FLOOR = 1e-4, 1e-7
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class FeatureDistance:
    """What training photographs look like to a network.

    Attributes:
        mean: Of the features, shape (c,).
        components: Orthonormal columns, shape (c, k), by falling variance.
        variances: Along the components, shape (k,).
        residual_variance: Of each direction at right angles to them.
        normalised: Whether features are divided by their Euclidean norm (plus 1e-12) first.
    """

    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    variances: NDArray[np.float32]
    residual_variance: float
    normalised: bool

    def distance(self, features: NDArray[np.floating]) -> _Floats:
        """Return squared Mahalanobis distances.

        Args:
            features: Averaged over the photograph, shape (n, c).

        Returns:
            Shape (n,).
        """
        centred = _prepared(features, self.normalised) - self.mean
        inside = centred @ self.components.astype(np.float64)
        outside = centred - inside @ self.components.T.astype(np.float64)
        distance: _Floats = (inside**2 / self.variances).sum(axis=1)
        distance += (outside**2).sum(axis=1) / self.residual_variance
        return distance


def fit_feature_distance(
    features: NDArray[np.floating], *, components: int = COMPONENTS, normalised: bool = True
) -> FeatureDistance:
    """Learn what training photographs look like.

    Args:
        features: Averaged over each photograph, shape (n, c), of training photographs only.
        components: At most so many; fewer where the features vary in fewer directions.
        normalised: Whether only the features' direction counts. Their length says how much is in
            the picture, which differs more from one dermoscope to the next than from dermoscope to
            telephone.

    Raises:
        StatisticsError: Too few photographs, features that are no finite numbers, or all the same.
    """
    if features.ndim != 2 or len(features) < 3 or not np.isfinite(features).all():
        raise StatisticsError(
            "finite features (n, c) of three photographs or more",
            f"shape {features.shape}" if features.ndim != 2 or len(features) < 3 else "NaN",
            "train on more photographs",
        )
    prepared = _prepared(features, normalised)
    mean = prepared.mean(axis=0)
    # Singular values of the smaller side would do; c is at most 2,208 and this is done once.
    variances, directions = np.linalg.eigh(np.cov(prepared, rowvar=False).reshape(len(mean), -1))
    variances, directions = np.maximum(variances[::-1], 0), directions[:, ::-1]
    if variances[0] <= _TINY**2:
        raise StatisticsError(
            "features that differ between photographs", "the same ones", "train the network"
        )
    worth = np.count_nonzero(variances >= _WORTH * variances[0])
    # The rank: directions in which no training photograph differs say nothing of the residual.
    live = np.count_nonzero(variances > 1e-9 * variances[0])
    k = max(min(components, int(worth), int(live) - 1), 1)
    residual = variances[k:].sum() / max(int(live) - k, 1)
    return FeatureDistance(
        mean.astype(np.float32),
        np.ascontiguousarray(directions[:, :k]).astype(np.float32),
        variances[:k].astype(np.float32),
        max(float(residual), _FLOOR * float(variances[0])),
        normalised,
    )


def _prepared(features: NDArray[np.floating], normalised: bool) -> _Floats:
    plain = features.astype(np.float64)
    if not normalised:
        return plain
    scaled: _Floats = plain / (np.linalg.norm(plain, axis=1, keepdims=True) + _TINY)
    return scaled
