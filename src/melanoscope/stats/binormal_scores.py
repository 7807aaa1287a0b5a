"""Simulated scores of two models on patients with several photographs: a study that was not made.

Within a class each model's score is normal of variance 1 (binormal: Dorfman & Alf 1969), and a
positive's lies higher by sqrt(2) z(AUROC). A patient adds the same to the scores of all of its
photographs, the variance of which is the intraclass correlation; the two models' scores of one
photograph are correlated, and so is what a patient adds to them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.arrays import Booleans, Floats
from melanoscope.stats.intervals.auroc_interval import placement_values
from melanoscope.stats.intervals.clustered import clustered_variance
from melanoscope.stats.validation import check_prevalence

# So many positives lie at random among the photographs that hold so many on average.
_SCATTERED = 8
# Scores of a block of simulations: 32 MB.
_BLOCK = 4_000_000


@dataclass(frozen=True, kw_only=True)
class StudyDesign:
    """Two models on the same photographs of patients yet to be seen.

    Attributes:
        auroc: True AUROCs of the two models for photographs of two patients, each above 0 and
            below 1.
        correlation: Of the two models' scores of one photograph within a class, 0..1, below 1.
        prevalence: Share of positives among photographs, between 0 and 1.
        photographs: Photographs of a patient, 1 or more.
        intraclass: Correlation of one model's scores of two photographs of a patient within a
            class, 0..1.
        outcome_of_patient: Whether all photographs of a patient are positive or none is, as where
            they show one lesion; else positives are scattered over the patients.

    Raises:
        StatisticsError: Numbers out of range.
    """

    auroc: tuple[float, float]
    correlation: float
    prevalence: float
    photographs: int = 1
    intraclass: float = 0.0
    outcome_of_patient: bool = False

    def __post_init__(self) -> None:
        check_prevalence(self.prevalence)
        if len(self.auroc) != 2 or not all(0 < one < 1 for one in self.auroc):
            raise StatisticsError(
                "two AUROCs between 0 and 1", repr(self.auroc), "state them as 0.85"
            )
        if not (0 <= self.correlation < 1 and 0 <= self.intraclass <= 1):
            raise StatisticsError(
                "a correlation from 0 to below 1 and an intraclass correlation from 0 to 1",
                f"{self.correlation!r} and {self.intraclass!r}",
                "estimate them from a run, or state 0.5",
            )
        if self.photographs < 1:
            raise StatisticsError(
                "one photograph of a patient or more", repr(self.photographs), "state 1"
            )

    @property
    def difference(self) -> float:
        """True AUROC of the second model less that of the first."""
        return self.auroc[1] - self.auroc[0]

    def positive(self, patients: int) -> Booleans:
        """Return which photographs are positive, shape (patients, photographs).

        Fewer patients are the first of more, and the share is the prevalence at any number.
        """
        if self.outcome_of_patient or self.photographs == 1:
            drawn = _scattered(patients, self.prevalence, 1)[:, None]
            return np.repeat(drawn, self.photographs, axis=1)
        flat = _scattered(patients * self.photographs, self.prevalence, _SCATTERED)
        return flat.reshape(patients, self.photographs)

    def scores(self, patients: int, simulations: int, seed: int = 0) -> Iterator[Floats]:
        """Yield blocks of simulated scores, shape (2, block, patients, photographs).

        A block's scores of fewer patients are those of the first of more, so that two numbers of
        patients are compared by common random numbers.
        """
        block = max(1, min(simulations, _BLOCK // (4 * patients * self.photographs)))
        positive = self.positive(patients)
        shift = np.sqrt(2) * norm.ppf(self.auroc)
        for start in range(0, simulations, block):
            rows = [
                self._patients(np.random.default_rng((seed, simulation)), patients)
                for simulation in range(start, min(start + block, simulations))
            ]
            yield np.stack(rows, axis=1) + shift[:, None, None, None] * positive

    def _patients(self, rng: np.random.Generator, patients: int) -> Floats:
        """Draw the scores of one simulation without what positives have more, (2, patients, m)."""
        drawn = rng.standard_normal((patients, 1 + self.photographs, 2)).transpose(2, 0, 1)
        first = drawn[0]
        second = self.correlation * first + np.sqrt(1 - self.correlation**2) * drawn[1]
        both = np.stack([first, second])
        of_patient, of_photograph = both[:, :, :1], both[:, :, 1:]
        scores: Floats = (
            np.sqrt(self.intraclass) * of_patient + np.sqrt(1 - self.intraclass) * of_photograph
        )
        return scores


def told_differences(
    design: StudyDesign, patients: int, simulations: int, *, alpha: float, seed: int = 0
) -> Floats:
    """Return which simulated studies tell the two models apart, and in which direction.

    Each is tested two-sided by the difference of the AUROCs over its standard error by DeLong's
    components added up by patient (Obuchowski 1997), with t of the patients that hold the rarer
    class - 1, as `ClusteredAuroc` has it.

    Args:
        design: The study.
        patients: Their number; 2 or more hold each class.
        simulations: Number of studies.
        alpha: Level of the test.
        seed: Seed of the scores.

    Returns:
        1 where the second model is told to be better, -1 where worse, else 0: (simulations,).
    """
    positive = design.positive(patients)
    flat = positive.ravel()
    holds = np.stack([positive.any(axis=1), (~positive).any(axis=1)])
    holders = (int(holds[0].sum()), int(holds[1].sum()), patients)
    if min(holders) < 2:
        raise StatisticsError(
            "2 patients or more of each class", f"{holders[0]} and {holders[1]}", "ask for more"
        )
    critical = float(student.isf(alpha / 2, min(holders[:2]) - 1))
    told = []
    for scores in design.scores(patients, simulations, seed):
        above, below = placement_values(flat, scores.reshape(*scores.shape[:2], -1))
        area = above.mean(axis=-1)
        # How far each photograph moves the difference, its class's mean taken off.
        moves = np.zeros((2, scores.shape[1], flat.size))
        for side, marks, part in ((0, flat, above), (1, ~flat, below)):
            apart = (part - area[..., None]) / part.shape[-1]
            moves[side][:, marks] = apart[1] - apart[0]
        by_patient = moves.reshape(2, scores.shape[1], patients, -1).sum(axis=-1)
        error = np.sqrt(clustered_variance(by_patient, holders))
        difference = area[1] - area[0]
        told.append(np.where(np.abs(difference) > critical * error, np.sign(difference), 0.0))
    return np.concatenate(told)


def _scattered(n: int, share: float, together: int) -> Booleans:
    """Mark a `share` of n places: in each stretch that holds `together` on average, at random."""
    marked = np.zeros(n, dtype=bool)
    length = together / share
    rng = np.random.default_rng(0)
    for start in range(int(np.ceil(n / length))):
        low, high = round(start * length), round((start + 1) * length)
        places = low + rng.permutation(high - low)[:together]
        marked[places[places < n]] = True
    return marked
