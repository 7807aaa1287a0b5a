"""How many patients a study needs to tell the AUROCs of two models apart, by simulation.

Studies are simulated from stated values (`binormal_scores`) and tested as the package tests; the
share that tells the better model is the power. For independent photographs it is within Monte Carlo
error of the power by the exact variance of the ranks, and up to 3 % below that of Obuchowski &
McClish (1997), Statistics in Medicine 16:1529-1542, whose variance is that of a binormal fit
(docs/results/r_oracles.md). Those formulas know no patients with several photographs. From a
finished run in place of stated values: `selection.power.power_from_run`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Codes
from melanoscope.stats.binormal_scores import StudyDesign, told_differences
from melanoscope.stats.intervals.interval import ALPHA, Interval
from melanoscope.stats.intervals.proportion import wilson_interval
from melanoscope.stats.selection.power import POWER
from melanoscope.stats.validation import FEWEST_GROUPS

SIMULATIONS = 1000
MOST_SIMULATIONS = 100_000
MOST_PATIENTS = 5000
MOST_PHOTOGRAPHS = 1_000_000
"""Photographs of one simulated study: their scores have to fit into memory."""
METHOD = "Wilson, of simulated studies"
_STEP = 1.02
"""Two neighbouring numbers of patients that are looked at differ by so much."""
_DOUBLING = round(np.log(2) / np.log(_STEP))


@dataclass(frozen=True, kw_only=True)
class PowerPoint:
    """The power of a study of one size.

    Attributes:
        patients: Number of patients.
        positives: Number of photographs among theirs that are positive.
        power: Share of simulated studies that tell the better model to be better, with its Monte
            Carlo interval; its n counts simulations.
    """

    patients: int
    positives: int
    power: Interval


@dataclass(frozen=True, kw_only=True)
class PatientsNeeded:
    """The power over the number of patients, and the number that reaches the power asked for.

    Attributes:
        design: What was stated.
        alpha: Level of the two-sided test.
        asked: Power asked for.
        points: What was simulated, by ascending number of patients.
        needed: Fewest patients whose power is `asked`; None where `most` have less.
        low: Fewest whose power may be `asked`, by the Monte Carlo interval; None likewise.
        high: Fewest whose power is surely `asked`; None likewise.
        most: Largest number that was looked for.
    """

    design: StudyDesign
    alpha: float
    asked: float
    points: tuple[PowerPoint, ...]
    needed: int | None
    low: int | None
    high: int | None
    most: int


def simulated_power(
    design: StudyDesign,
    patients: int,
    *,
    alpha: float = ALPHA,
    simulations: int = SIMULATIONS,
    seed: int = 0,
) -> PowerPoint:
    """Return the power of a study of so many `patients`.

    Args:
        design: What is stated of models and patients. With equal AUROCs the "power" is half the
            level of the test.
        patients: Number of patients, of whom 2 or more hold each class.
        alpha: Level of the two-sided test, between 0 and 1.
        simulations: Number of simulated studies, 100 to 100,000.
        seed: Seed of the simulation, 0 or more.

    Returns:
        The power with its Monte Carlo interval.

    Raises:
        StatisticsError: Numbers out of range.

    >>> design = StudyDesign(auroc=(0.75, 0.9), correlation=0.5, prevalence=0.3)
    >>> point = simulated_power(design, 120)
    >>> point.positives, round(point.power.estimate, 1)
    (36, 0.9)
    """
    if not (0 < alpha < 1 and 100 <= simulations <= MOST_SIMULATIONS and seed >= 0):
        raise StatisticsError(
            f"a level between 0 and 1, 100 to {MOST_SIMULATIONS:,} simulations, a seed from 0",
            f"{alpha!r}, {simulations} and {seed}",
            "use 0.05, 1000 and 0",
        )
    told = told_differences(design, patients, simulations, alpha=alpha, seed=seed)
    hits = int((told == (1 if design.difference >= 0 else -1)).sum())
    return PowerPoint(
        patients=patients,
        positives=int(design.positive(patients).sum()),
        power=replace(wilson_interval(hits, simulations), method=METHOD, unit="simulations"),
    )


def patients_needed(
    design: StudyDesign,
    *,
    power: float = POWER,
    alpha: float = ALPHA,
    most: int = MOST_PATIENTS,
    simulations: int = SIMULATIONS,
    seed: int = 0,
    looked_at: Callable[[PowerPoint], None] | None = None,
) -> PatientsNeeded:
    """Return how many patients it takes to tell the two models of `design` apart.

    The smallest number that is looked at has `FEWEST_GROUPS` patients of each class, below which
    the package gives no interval. All numbers of patients are simulated by common random numbers,
    so that the power grows smoothly enough to bisect for.

    Args:
        design: What is stated of models and patients; its AUROCs differ.
        power: Chance to tell the better model, between `alpha` and 1.
        alpha: Level of the two-sided test, between 0 and 1.
        most: Largest number of patients to look for; with all of their photographs at most
            1,000,000.
        simulations: Number of simulated studies, 100 to 100,000.
        seed: Seed of the simulation, 0 or more.
        looked_at: Is told each number of patients once it is simulated, to show progress.

    Returns:
        The number with its Monte Carlo bounds, and all powers that were simulated.

    Raises:
        StatisticsError: Numbers out of range, or equal AUROCs.

    >>> design = StudyDesign(auroc=(0.75, 0.9), correlation=0.5, prevalence=0.3)
    >>> found = patients_needed(design, simulations=400)
    >>> found.low <= found.needed <= found.high, 70 < found.needed < 100
    (True, True)
    """
    if design.difference == 0 or not alpha < power < 1:
        raise StatisticsError(
            "two AUROCs that differ, and a power between the level and 1",
            f"{design.auroc} and {power!r}",
            "state the smallest difference that matters, and a power of 0.8",
        )
    grid = _numbers(design, most)
    search = _Search(design, grid, alpha, simulations, seed, looked_at or (lambda _: None))
    needed = search.first(lambda point: point.power.estimate >= power)
    low = search.first(lambda point: point.power.high >= power)
    high = search.first(lambda point: point.power.low >= power)
    return PatientsNeeded(
        design=design,
        alpha=alpha,
        asked=power,
        points=tuple(search.found[i] for i in sorted(search.found)),
        needed=needed,
        low=low,
        high=high,
        most=most,
    )


@dataclass(frozen=True, eq=False)
class _Search:
    """Powers at numbers of patients, each simulated once."""

    design: StudyDesign
    grid: Codes
    alpha: float
    simulations: int
    seed: int
    looked_at: Callable[[PowerPoint], None]
    found: dict[int, PowerPoint] = field(default_factory=dict)

    def at(self, index: int) -> PowerPoint:
        if index not in self.found:
            self.found[index] = simulated_power(
                self.design,
                int(self.grid[index]),
                alpha=self.alpha,
                simulations=self.simulations,
                seed=self.seed,
            )
            self.looked_at(self.found[index])
        return self.found[index]

    def first(self, enough: Callable[[PowerPoint], bool]) -> int | None:
        """Return the smallest number of patients that is `enough`; None where none is."""
        last = self.grid.size - 1
        below, above = -1, 0
        # Up by doubling first: small studies are quickly simulated.
        while not enough(self.at(above)):
            if above == last:
                return None
            below, above = above, min(above + _DOUBLING, last)
        while above - below > 1:
            middle = (below + above) // 2
            if enough(self.at(middle)):
                above = middle
            else:
                below = middle
        return int(self.grid[above])


def _numbers(design: StudyDesign, most: int) -> Codes:
    """Return the numbers of patients to look at, from the fewest with enough of each class."""
    if most * design.photographs > MOST_PHOTOGRAPHS:
        raise StatisticsError(
            f"at most {MOST_PHOTOGRAPHS:,} photographs of all patients together",
            f"{most} patients of {design.photographs} photographs",
            "look among fewer patients",
        )
    positive = design.positive(max(most, 1))
    counts = [np.cumsum(side.any(axis=1)) for side in (positive, ~positive)]
    if min(count[-1] for count in counts) < FEWEST_GROUPS:
        raise StatisticsError(
            f"{FEWEST_GROUPS} patients or more of each class",
            f"{counts[0][-1]} with positives and {counts[1][-1]} with others among {most}",
            "look among more patients",
        )
    fewest = max(int(np.searchsorted(count, FEWEST_GROUPS)) + 1 for count in counts)
    steps = int(np.ceil(np.log(most / fewest) / np.log(_STEP)))
    grid = np.unique(np.round(np.geomspace(fewest, most, steps + 1)))
    return grid.astype(np.int64)
