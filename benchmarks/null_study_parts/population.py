"""What is true of trained networks: every metric on all photographs that there could be.

A network's logit is normal in each class (`trained`), so that ranks, decisions and proper scores
follow from the normal distribution; a metric that pools the folds is that of their mixture. No
photograph is drawn: integrals are sums over a grid of logits or of sensitivities.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri
from scipy.stats import norm

from null_study_parts.simulate import Floats, Setting
from null_study_parts.trained import Cell

_LEAST_SENSITIVITY = 0.8


@lru_cache
def prevalence(setting: Setting) -> float:
    """Return the share of melanomas among all photographs that there could be."""
    if setting.grouping == "lesions":
        return setting.prevalence
    # The mean over the normal leaning of patients, as in `simulate`.
    lean, weight = np.polynomial.hermite_e.hermegauss(60)
    centre = np.log(setting.prevalence / (1 - setting.prevalence)) * np.sqrt(1 + 0.346)
    return float(expit(centre + lean) @ weight / weight.sum())


def truths(setting: Setting, cells: list[Cell], arm: int) -> dict[str, float]:
    """Return the metrics that the tables print, mean over cells as they are."""
    share = prevalence(setting)
    spread = np.array([cell.spread[arm] for cell in cells])
    low, high = (np.array([cell.mean[side, arm] for cell in cells]) for side in (0, 1))
    threshold = np.array([cell.threshold[arm] for cell in cells])
    sensitivity, specificity = decided(low, high, spread, threshold)
    apart = (high - low) / spread
    found = share * sensitivity
    alarms = (1 - share) * (1 - specificity)
    return {
        "auroc": float(ndtr(apart / np.sqrt(2)).mean()),
        "auprc": float(np.mean([_auprc(d, share) for d in apart])),
        "pauc_above_sensitivity": float(np.mean([_partial(d) for d in apart])),
        "accuracy": float((found + (1 - share) * specificity).mean()),
        "balanced_accuracy": float((sensitivity + specificity).mean() / 2),
        "f1": float((2 * found / (found + share + alarms)).mean()),
        "sensitivity": float(sensitivity.mean()),
        "specificity": float(specificity.mean()),
    }


def decided(low: Floats, high: Floats, spread: Floats, threshold: Floats) -> tuple[Floats, Floats]:
    """Return sensitivity and specificity of each cell, shape (cells,) as all arguments."""
    return ndtr((high - threshold) / spread), ndtr((threshold - low) / spread)


def _auprc(apart: float, share: float) -> float:
    recall, weight = _nodes(0.0)
    alarms = ndtr(ndtri(recall) - apart)
    return float((share * recall / (share * recall + (1 - share) * alarms)) @ weight)


def _partial(apart: float) -> float:
    recall, weight = _nodes(_LEAST_SENSITIVITY)
    return float((1 - ndtr(ndtri(recall) - apart)) @ weight)


@lru_cache
def _nodes(lowest: float) -> tuple[Floats, Floats]:
    """Nodes and weights of Gauss and Legendre, from `lowest` to 1."""
    x, weight = np.polynomial.legendre.leggauss(200)
    half = (1 - lowest) / 2
    return lowest + half * (x + 1), half * weight


class Mixture:
    """The tempered logits of one arm over all its cells, pooled.

    Attributes:
        grid: Logits, ascending, shape (g,).
        positive: Chance of a melanoma with that logit, shape (g,); with `negative` adds up to 1.
        negative: Chance of another photograph with that logit, shape (g,).
    """

    def __init__(self, setting: Setting, cells: list[Cell], arm: int) -> None:
        share = prevalence(setting)
        divisor = np.array([cell.temperature[arm] for cell in cells])
        mean = np.array([cell.mean[:, arm] for cell in cells]) / divisor[:, None]
        spread = np.array([cell.spread[arm] for cell in cells]) / divisor
        reach = 9 * float(spread.max())
        self.grid = np.linspace(mean.min() - reach, mean.max() + reach, 4001)
        width = self.grid[1] - self.grid[0]
        density = [
            norm.pdf(self.grid, mean[:, [side]], spread[:, None]).mean(axis=0) for side in (0, 1)
        ]
        self.negative, self.positive = (1 - share) * density[0] * width, share * density[1] * width

    def metrics(self) -> dict[str, float]:
        """Return Brier score, calibration slope and intercept, and observed over expected."""
        p, observed = expit(self.grid), float(self.positive.sum())
        either = self.positive + self.negative
        intercept = brentq(lambda c: expit(self.grid + c) @ either - observed, -1000, 1000)
        return {
            "brier": float(self.positive @ (1 - p) ** 2 + self.negative @ p**2),
            "calibration_slope": self._slope(),
            "calibration_intercept": float(intercept),
            "observed_expected": observed / float(p @ either),
        }

    def rate(self, probability: Floats) -> Floats:
        """Return the share of melanomas among photographs of each predicted probability."""
        x = np.log(probability / (1 - probability))
        ratio = np.log(self.positive + 1e-300) - np.log(self.negative + 1e-300)
        return np.asarray(expit(np.interp(x, self.grid, ratio)), np.float64)

    def binned_error(self, edges: Floats, shares: Floats) -> float:
        """Return the root mean squared gap of bins between `edges`, logits, weighed by `shares`."""
        code = np.searchsorted(edges, self.grid)
        mass, excess = (
            np.bincount(code, column, edges.size + 1)
            for column in (
                self.positive + self.negative,
                self.positive - expit(self.grid) * (self.positive + self.negative),
            )
        )
        gap = excess / np.maximum(mass, 1e-300)
        return float(np.sqrt(shares @ gap**2))

    def _slope(self) -> float:
        """Logistic regression of the outcome on the logit, by Newton's method."""
        either = self.positive + self.negative
        # Standardized, and begun without a slope: temperatures may be far from 1.
        centre = float(self.grid @ either)
        spread = float(np.sqrt((self.grid - centre) ** 2 @ either))
        x = (self.grid - centre) / spread
        level, slope = float(np.log(self.positive.sum() / self.negative.sum())), 0.0
        for _ in range(100):
            fitted = expit(level + slope * x)
            gap, v = self.positive - fitted * either, fitted * (1 - fitted) * either
            h = np.array([[v.sum(), v @ x], [v @ x, v @ x**2]])
            step = np.linalg.solve(h, [gap.sum(), gap @ x])
            level, slope = level + step[0], slope + step[1]
            if np.abs(step).max() < 1e-10:
                break
        return float(slope) / spread
