"""How the AUROC grows with the number of training positives, and how many more would be needed.

Results at several sizes (`nested_draws`) are fitted by a - b n^-c (`inverse_power_law`). Intervals
are a parametric bootstrap: results are drawn around the curve with the errors of the sizes, which
hang together within a draw, and fitted anew. Beyond the largest size the curve is an assumption;
where the results do not hold it up, `doubts` and `needed` say so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Floats
from melanoscope.stats.intervals.interval import ALPHA, LOWER_TAIL, UPPER_TAIL, Interval
from melanoscope.stats.inverse_power_law import PowerLaws, fit_power_laws
from melanoscope.stats.nested_draws import NestedDraws, nested_draws

HORIZON = 10.0
"""Times the present data that a number is given for; beyond it the curve is a guess."""
REPLICATES = 2000
METHOD = "inverse power law (Figueroa et al. 2012), parametric bootstrap over draws"
FLAT = "it is not shown that the AUROC rises with the number of positives"
EXPONENT = "the exponent is not known: it reaches the bounds of what is fitted"
ASYMPTOTE = "the asymptote is not known: it may be 1"
MISFIT = "the results do not lie on such a curve"


@dataclass(frozen=True, kw_only=True)
class Needed:
    """How many training positives a higher AUROC would take.

    Attributes:
        difference: How much higher than with `present`, in AUROC.
        present: Training positives now.
        total: Positives in all; infinite where more than `HORIZON` times `present`, or never.
        low: Lower bound of the 95 % interval of `total`, infinite likewise.
        high: Upper bound of it.
    """

    difference: float
    present: float
    total: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether the whole interval lies within `HORIZON` times the present data."""
        return bool(np.isfinite(self.high))

    @property
    def words(self) -> str:
        """The answer as a sentence without its full stop."""
        gain = f"+{self.difference:g} AUROC"
        beyond = f"more than {HORIZON:g} times the present data, or never"
        if not np.isfinite(self.low):
            return f"{gain} takes {beyond}"
        low, high, more = (n - self.present for n in (self.low, self.high, self.total))
        if self.known:
            return f"{gain} takes {more:,.0f} more positives ({low:,.0f} to {high:,.0f})"
        return f"{gain}: not known; at least {low:,.0f} more positives, and perhaps {beyond}"


@dataclass(frozen=True, eq=False, kw_only=True)
class LearningCurve:
    """A fitted curve with its replicates.

    Attributes:
        results: Means at the sizes that were trained with, and their errors.
        fitted: The curve, one.
        replicates: Curves of the bootstrap.
        p_misfit: Share of replicates that lie at least as far from their own curve.
    """

    results: NestedDraws
    fitted: PowerLaws
    replicates: PowerLaws
    p_misfit: float

    def at(self, size: float) -> Interval:
        """Return the AUROC that the curve has at `size` training positives, above 0."""
        if not 0 < size < np.inf:
            raise StatisticsError("a size above 0", repr(size), "give a number of positives")
        return self._interval(self.fitted.at(size), self.replicates.at(size))

    @property
    def asymptote(self) -> Interval:
        """The AUROC with endless data; `doubts` say whether it is known."""
        return self._interval(self.fitted.a, self.replicates.a)

    @property
    def exponent(self) -> Interval:
        """How fast the curve nears its asymptote: 0.5 halves the distance with 4 times the data."""
        return self._interval(self.fitted.c, self.replicates.c)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What cannot be told from these results: of `FLAT`, `EXPONENT`, `ASYMPTOTE`, `MISFIT`."""
        flat = self.replicates.b <= 0
        bound = self.replicates.at_bound & ~flat
        found = {
            FLAT: flat.mean() > LOWER_TAIL,
            EXPONENT: bound.mean() > LOWER_TAIL or (self.fitted.at_bound & (self.fitted.b > 0))[0],
            ASYMPTOTE: (self.replicates.a >= 1).mean() > LOWER_TAIL,
            MISFIT: self.p_misfit < ALPHA,
        }
        return tuple(doubt for doubt, holds in found.items() if holds)

    def needed(self, difference: float, present: float | None = None) -> Needed:
        """Return how many training positives the AUROC needs to be higher by `difference`.

        Args:
            difference: Above 0, as 0.01.
            present: Training positives now, above 0; None for the largest size.

        Returns:
            The number with its interval; infinite beyond `HORIZON` times the present ones.

        Raises:
            StatisticsError: Numbers out of range.
        """
        now = float(self.results.size[-1]) if present is None else present
        if not (0 < difference < 1 and 0 < now < np.inf):
            raise StatisticsError(
                "a difference between 0 and 1, from a size above 0",
                f"{difference!r} from {now!r}",
                "ask for a difference as 0.01",
            )

        def sizes(curves: PowerLaws) -> Floats:
            reached = curves.reaches(curves.at(now) + difference)
            return np.where(reached <= HORIZON * now, reached, np.inf)

        found = np.sort(sizes(self.replicates))
        # Order statistics, since nothing lies between a number and infinity.
        low, high = (round(tail * (found.size - 1)) for tail in (LOWER_TAIL, UPPER_TAIL))
        return Needed(
            difference=difference,
            present=now,
            total=float(sizes(self.fitted)[0]),
            low=float(found[low]),
            high=float(found[high]),
        )

    def _interval(self, fitted: Floats, replicates: Floats) -> Interval:
        low, high = np.quantile(replicates, (LOWER_TAIL, UPPER_TAIL))
        return Interval(
            estimate=float(fitted[0]),
            low=float(low),
            high=float(high),
            standard_error=float(replicates.std(ddof=1)),
            n=self.results.draws,
            method=METHOD,
            unit="draws",
        )


def learning_curve(
    size: ArrayLike,
    auroc: ArrayLike,
    *,
    shared_error: float = 0.0,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> LearningCurve:
    """Fit the AUROC over the number of training positives.

    Args:
        size: Training positives, ascending, above 0, shape (m,), 4 sizes or more.
        auroc: Results of nested draws of training groups, each fold with draws of its own, 0..1,
            shape (draws, folds, m), 2 draws or more.
        shared_error: Standard error of the mean AUROC by the test patients, 0 or more: all sizes
            are tested on the same, so that it moves the curve and hardly bends it.
        replicates: Number of replicates of the bootstrap, 100 or more.
        seed: Seed of the bootstrap.

    Returns:
        The curve.

    Raises:
        StatisticsError: Fewer than 4 sizes or 2 draws, results out of range, or none that vary.

    >>> size = np.array([50.0, 100, 200, 400, 800])
    >>> luck = np.random.default_rng(0).normal(size=(4, 5, 5)) * 0.1 / np.sqrt(size)
    >>> curve = learning_curve(size, 0.9 - size**-0.5 + luck)
    >>> round(curve.at(400).estimate, 2)
    0.85
    >>> curve.needed(0.01).words  # 756 would do in truth
    '+0.01 AUROC takes 897 more positives (637 to 1,440)'
    """
    if not 0 <= shared_error < np.inf or replicates < 100:
        raise StatisticsError(
            "an error of 0 or more, and 100 replicates or more",
            f"{shared_error!r}, {replicates}",
            "use the standard error of the run's interval, and 2000 replicates",
        )
    results = nested_draws(size, auroc)
    weight = 1 / results.variance
    fitted = fit_power_laws(results.size, results.mean[None], weight)
    rng = np.random.default_rng(seed)
    luck = results.luck(rng, replicates)
    luck += shared_error * rng.standard_normal((replicates, 1))
    center = fitted.a - fitted.b * (results.size / fitted.unit) ** -fitted.c
    again = fit_power_laws(results.size, np.minimum(center + luck, 1.0), weight)
    further = int((again.misfit >= fitted.misfit).sum())
    return LearningCurve(
        results=results,
        fitted=fitted,
        replicates=again,
        p_misfit=(1 + further) / (1 + replicates),
    )
