"""What one simulated study printed and what was true of it, as arrays that can be stacked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from melanoscope.stats.intervals.interval import Interval
from null_study_parts.simulate import Floats


@dataclass(eq=False)
class Record:
    """What one study gave.

    Attributes:
        bounds: Interval -> low, high, estimate and truth of each, shape (4, m); NaN without one.
        joint: Intervals that hold together -> the same, (4, m); their truth is of differences to
            the best of the others, which follows from `level`.
        said: Claim -> whether it was made, shape (m,).
        chosen: Of each network: whether it may be the best, whether it is said to be within the
            margin of the best, and its true AUROC, shape (3, arms).
        margin: That margin.
    """

    bounds: dict[str, Floats] = field(default_factory=dict)
    joint: dict[str, Floats] = field(default_factory=dict)
    said: dict[str, Floats] = field(default_factory=dict)
    chosen: Floats = field(default_factory=lambda: np.empty((3, 0)))
    margin: float = 0.0

    def intervals(
        self, name: str, found: Sequence[Interval | None], truth: Sequence[float]
    ) -> None:
        """Add the intervals of several networks; those of further networks are put beside them."""
        self._put(name, [_three(one) for one in found], truth)

    def band(self, name: str, low: Floats, high: Floats, estimate: Floats, truth: Floats) -> None:
        """Add the bounds of a curve at some points."""
        self._put(name, list(zip(low, high, estimate, strict=True)), list(truth))

    def below(self, name: str, low: Sequence[float], truth: Sequence[float]) -> None:
        """Add one-sided lower bounds."""
        self._put(name, [(value, np.inf, np.nan) for value in low], truth)

    def claims(self, name: str, made: Sequence[bool]) -> None:
        """Add claims of one kind."""
        before = self.said.get(name, np.empty(0))
        self.said[name] = np.concatenate([before, np.asarray(made, np.float64)])

    def together(self, name: str, found: Sequence[Interval], level: Sequence[float]) -> None:
        """Add intervals of differences from the best of the others, of networks of true `level`."""
        self.joint[name] = np.array(
            [(*_three(one), value) for one, value in zip(found, level, strict=True)]
        ).T

    def best(
        self, may: Sequence[bool], within: Sequence[bool], level: Sequence[float], margin: float
    ) -> None:
        """Add which networks may be the best, and which are said to be within the `margin`."""
        self.chosen = np.array([may, within, level], np.float64)
        self.margin = margin

    def _put(self, name: str, found: Sequence[tuple[float, ...]], truth: Sequence[float]) -> None:
        added = np.array([(*one, value) for one, value in zip(found, truth, strict=True)]).T
        before = self.bounds.get(name, np.empty((4, 0)))
        self.bounds[name] = np.concatenate([before, added.reshape(4, -1)], axis=1)


def _three(found: Interval | None) -> tuple[float, float, float]:
    return (np.nan,) * 3 if found is None else (found.low, found.high, found.estimate)


def behind_best(level: Floats) -> Floats:
    """Return each network's level minus the largest among the others, shape (..., arms)."""
    best = level.max(axis=-1, keepdims=True)
    ordered = np.sort(level, axis=-1)
    second = ordered[..., -2:-1]
    return np.where(level == best, level - second, level - best)
