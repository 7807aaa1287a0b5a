"""What the uncertainty of a mean over folds is made of: patients, the division, the training.

A result y[r, k, s] belongs to a repeat (division into folds), a fold and a seed (training). The
variance of the mean of all is P + D / R + T / (R K S), estimated by the method of moments (analysis
of variance: Searle, Casella & McCulloch 1992, "Variance components", chapter 4):

- T, of one training: the variance over seeds within (repeat, fold).
- D, of one division: the variance of the repeats' means, less T / (K S). The folds of one repeat
  share out the same patients, so that their results hang together; the repeats' means need no model
  of that.
- P, of the patients: the group bootstrap's variance V, which sees test patients only, times
  `CrossValidation.factor`, for the training patients that folds share (Nadeau & Bengio 2003).

With one repeat and one seed the sum is `crossval_variance`, the variance of the reported interval.

A difference that comes out below 0 is set to 0, and said. What the design cannot show is not
guessed: one repeat shows no D, one seed no T.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2
from scipy.stats import f as fisher

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.crossval_interval import CrossValidation, Variance
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL

PATIENTS, DIVISION, TRAINING = "patients", "division", "training"
TOGETHER = "division and training"
MORE_PATIENTS = 1.2
"""Times as many patients, of which the narrowing is told."""

CHI_SQUARE = "chi-square"
WILLIAMS = "Williams (1962)"
BEYOND = "chi-square of the folds' spread, less the patients"


@dataclass(frozen=True, kw_only=True)
class Component:
    """One source of the variance of a mean.

    Attributes:
        source: `PATIENTS`, `DIVISION`, `TRAINING` or `TOGETHER`.
        variance: Variance by one draw of it: the patients, one division, one training.
        low: Lower bound of the 95 % interval of `variance`.
        high: Upper bound of it.
        method: Name of the method that gave the bounds.
        of_mean: Its part of the variance of the mean.
        truncated: Whether the estimate was below 0 and was set to 0.
    """

    source: str
    variance: float
    low: float
    high: float
    method: str
    of_mean: float
    truncated: bool = False


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """By what share of its width an interval would narrow, 0 to 1.

    Attributes:
        least: At least so much.
        most: At most so much; the same where the components tell.
    """

    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class VarianceComponents:
    """The components of the variance of a mean over folds, repeats and seeds.

    Attributes:
        mean: The mean of all results.
        repeats: R, number of divisions.
        folds: K, number of folds of each.
        seeds: S, number of trainings on each fold.
        components: Those that the design can show, the patients first.
    """

    mean: float
    repeats: int
    folds: int
    seeds: int
    components: tuple[Component, ...]

    @property
    def variance(self) -> float:
        """Variance of the mean: the sum of what can be shown."""
        return sum(component.of_mean for component in self.components)

    def share(self, source: str) -> float | None:
        """Return the share of `variance` that a `source` has, 0 to 1; None where none is shown."""
        found = self._of_mean(source)
        return None if found is None or not self.variance else found / self.variance

    @property
    def by_repeat(self) -> Narrowing | None:
        """What one more repeat would buy; None where one repeat cannot tell."""
        if self.repeats == 1 and self._of_mean(TOGETHER) is None:
            return None
        drawn = sum(c.of_mean for c in self.components if c.source != PATIENTS)
        less = self._narrowing(drawn / (self.repeats + 1))
        return Narrowing(least=less, most=less)

    @property
    def by_seed(self) -> Narrowing:
        """What one more seed would buy; a range where training is not told from the division."""
        training = self._of_mean(TRAINING)
        if training is None:
            return Narrowing(least=0.0, most=self._narrowing((self._of_mean(TOGETHER) or 0.0) / 2))
        most = self._narrowing(training / (self.seeds + 1))
        # Without the division's part the whole is too small, and the share too large.
        return Narrowing(least=most if self.repeats > 1 else 0.0, most=most)

    @property
    def by_patients(self) -> Narrowing:
        """What `MORE_PATIENTS` times the patients would buy, were nothing else to change."""
        less = self._narrowing((self._of_mean(PATIENTS) or 0.0) * (1 - 1 / MORE_PATIENTS))
        # Without the division's part the whole is too small, and the share too large.
        known = self.repeats > 1 or self.seeds == 1
        return Narrowing(least=less if known else 0.0, most=less)

    def _of_mean(self, source: str) -> float | None:
        return next((c.of_mean for c in self.components if c.source == source), None)

    def _narrowing(self, less: float) -> float:
        """Return the share of the width that goes with a variance that is `less` smaller."""
        return 1 - float(np.sqrt(1 - less / self.variance)) if self.variance else 0.0


def variance_components(
    values: ArrayLike, by_patients: Variance, design: CrossValidation
) -> VarianceComponents:
    """Return what the variance of the mean of `values` is made of.

    With one repeat and one seed, division and training are taken together: what the folds spread
    beyond the patients, s^2 / K - V. With several repeats and one seed they are taken together as
    the variance of the repeats' means.

    Args:
        values: One result per repeat, fold and seed, shape (R, K, S), K at least 2.
        by_patients: V, the group bootstrap's variance of their mean, 0 or more, with its degrees of
            freedom.
        design: Folds and sizes; its folds are K.

    Returns:
        The components.

    Raises:
        StatisticsError: Results of another shape or that are not finite, or numbers out of range.

    >>> y = [[[0.80, 0.84], [0.90, 0.86]], [[0.84, 0.84], [0.88, 0.92]]]
    >>> found = variance_components(y, Variance(1e-4, 40), CrossValidation(2, 100, 100))
    >>> [(one.source, round(one.variance, 6)) for one in found.components]
    [('patients', 0.00015), ('division', 5e-05), ('training', 0.0006)]
    """
    y = np.asarray(values, np.float64)
    _check(y, by_patients.value, design.folds)
    repeats, folds, seeds = y.shape
    patients = design.factor * by_patients.value
    found = [_chi_square(PATIENTS, patients, by_patients.degrees_of_freedom, patients)]
    of_repeats = y.mean(axis=(1, 2))
    if seeds > 1:
        training = _training(y)
        if repeats > 1:
            found.append(_division(of_repeats, training.variance, folds, seeds))
        found.append(training)
    elif repeats > 1:
        between = float(of_repeats.var(ddof=1))
        found.append(_chi_square(TOGETHER, between, repeats - 1, between / repeats))
    else:
        found.append(_beyond_patients(y[0, :, 0], by_patients.value))
    return VarianceComponents(
        mean=float(y.mean()),
        repeats=repeats,
        folds=folds,
        seeds=seeds,
        components=tuple(found),
    )


def _training(y: Floats) -> Component:
    repeats, folds, seeds = y.shape
    freedom = repeats * folds * (seeds - 1)
    within = float(y.var(axis=2, ddof=1).mean())
    return _chi_square(TRAINING, within, freedom, within / y.size)


def _division(of_repeats: Floats, training: float, folds: int, seeds: int) -> Component:
    """Williams (1962), "A confidence interval for variance components", Biometrika 49:278-281.

    Mean squares K S var(means) and T, of R - 1 and R K (S - 1) degrees of freedom.
    """
    repeats, cells = of_repeats.size, folds * seeds
    freedom = repeats - 1, repeats * folds * (seeds - 1)
    between = cells * float(of_repeats.var(ddof=1))
    estimate = (between - training) / cells

    def bound(tail: float) -> float:
        above = between - float(fisher.ppf(tail, *freedom)) * training
        return max(0.0, freedom[0] * above / cells / float(chi2.ppf(tail, freedom[0])))

    return Component(
        source=DIVISION,
        variance=max(0.0, estimate),
        low=bound(UPPER_TAIL),
        high=bound(LOWER_TAIL),
        method=WILLIAMS,
        of_mean=max(0.0, estimate) / repeats,
        truncated=estimate < 0,
    )


def _beyond_patients(of_folds: Floats, variance: float) -> Component:
    spread = float(of_folds.var(ddof=1)) / of_folds.size
    whole = _chi_square(TOGETHER, spread, of_folds.size - 1, spread)
    estimate = max(0.0, spread - variance)
    return Component(
        source=TOGETHER,
        variance=estimate,
        low=max(0.0, whole.low - variance),
        high=max(0.0, whole.high - variance),
        method=BEYOND,
        of_mean=estimate,
        truncated=spread < variance,
    )


def _chi_square(source: str, variance: float, freedom: float, of_mean: float) -> Component:
    low, high = freedom * variance / chi2.ppf((UPPER_TAIL, LOWER_TAIL), freedom)
    return Component(
        source=source,
        variance=variance,
        low=float(low),
        high=float(high),
        method=CHI_SQUARE,
        of_mean=of_mean,
    )


def _check(y: Floats, variance: float, folds: int) -> None:
    if (
        y.ndim != 3
        or y.shape[1] < 2
        or y.shape[1] != folds
        or not y.size
        or not np.isfinite(y).all()
    ):
        raise StatisticsError(
            "finite results of shape (repeats, folds, seeds), of 2 folds or more",
            f"shape {y.shape} of {folds} folds",
            "run all folds, and check the cells' predictions",
        )
    if not 0 <= variance < np.inf:
        raise StatisticsError("a variance of 0 or more", repr(variance), "check the bootstrap")
