"""Results of trainings on nested draws of groups, and how the errors of the sizes hang together.

A draw is an order of the training groups of a fold; each size takes the first so many of it, so
that the larger training set holds the smaller one, and luck with the one is luck with the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats

FEWEST_SIZES = 4
"""The three parameters of a learning curve and one more, so that a misfit can be seen."""
_MOST_CORRELATED = 0.95


@dataclass(frozen=True, eq=False, kw_only=True)
class NestedDraws:
    """Mean results at m sizes, and their errors by draws and training.

    Attributes:
        size: Training positives, ascending, shape (m,).
        mean: Mean AUROC over draws and folds, shape (m,).
        variance: Variance of each mean, shape (m,).
        correlation: Of the errors of any two sizes, 0 or more.
        draws: Number of draws.
        degrees_of_freedom: Of the variances: (draws - 1) x folds.
    """

    size: Floats
    mean: Floats
    variance: Floats
    correlation: float
    draws: int
    degrees_of_freedom: int

    def luck(self, rng: np.random.Generator, replicates: int) -> Floats:
        """Draw errors of the means, shape (replicates, m): multivariate t, as few draws leave."""
        own = rng.standard_normal((replicates, self.size.size))
        common = rng.standard_normal((replicates, 1))
        normal = np.sqrt(1 - self.correlation) * own + np.sqrt(self.correlation) * common
        known = rng.chisquare(self.degrees_of_freedom, (replicates, 1)) / self.degrees_of_freedom
        luck: Floats = np.sqrt(self.variance / known) * normal
        return luck


def nested_draws(size: ArrayLike, auroc: ArrayLike) -> NestedDraws:
    """Return the means over draws and folds, and their errors.

    Draws from one archive share the more patients the larger they are, and vary less than other
    patients would; the whole archive does not vary at all. So no size is taken to vary less than
    1 / n makes likely of the size in the middle.

    Args:
        size: Training positives, ascending, above 0, shape (m,), 4 sizes or more.
        auroc: Results of nested draws of training groups, each fold with draws of its own, 0..1,
            shape (draws, folds, m), 2 draws or more.

    Returns:
        The means and their errors.

    Raises:
        StatisticsError: Fewer than 4 sizes or 2 draws, results out of range, or none that vary.
    """
    sizes, results = _checked(size, auroc)
    draws, folds, m = results.shape
    # Around the mean of a fold: some folds are harder than others, whatever was trained on.
    residual = (results - results.mean(axis=0)).reshape(-1, m)
    products = residual.T @ residual / ((draws - 1) * folds)
    seen = np.diag(products)
    variance = np.maximum(seen, float(np.median(seen * sizes)) / sizes) / (draws * folds)
    if not (variance > 0).all():
        raise StatisticsError(
            "results that vary between draws at most sizes",
            "the same result in every draw",
            "draw other groups for each draw",
        )
    scale = np.sqrt(np.outer(seen, seen))
    pairs = ~np.eye(m, dtype=bool) & (scale > 0)
    shared = float((products[pairs] / scale[pairs]).mean()) if pairs.any() else 0.0
    return NestedDraws(
        size=sizes,
        mean=results.mean(axis=(0, 1)),
        variance=variance,
        correlation=float(np.clip(shared, 0.0, _MOST_CORRELATED)),
        draws=draws,
        degrees_of_freedom=(draws - 1) * folds,
    )


def _checked(size: ArrayLike, auroc: ArrayLike) -> tuple[Floats, Floats]:
    sizes, results = np.asarray(size, np.float64), np.asarray(auroc, np.float64)
    if sizes.ndim != 1 or sizes.size < FEWEST_SIZES:
        raise StatisticsError(
            f"{FEWEST_SIZES} training sizes or more",
            f"shape {sizes.shape}",
            "train on more sizes: three parameters leave nothing to see a misfit by",
        )
    if not (np.isfinite(sizes).all() and (sizes > 0).all() and (np.diff(sizes) > 0).all()):
        raise StatisticsError("ascending sizes above 0", f"{sizes.tolist()}", "sort the sizes")
    if results.ndim != 3 or results.shape[2] != sizes.size or len(results) < 2:
        raise StatisticsError(
            f"results of shape (draws, folds, {sizes.size}), of 2 draws or more",
            f"shape {results.shape}",
            "draw the training groups several times",
        )
    if not results.shape[1] or not ((results >= 0) & (results <= 1)).all():
        raise StatisticsError("AUROCs between 0 and 1", "others, or none", "check the cells")
    return sizes, results
