"""What a comparison is to compute."""

from __future__ import annotations

from dataclasses import dataclass

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_weights import REPLICATES
from melanoscope.stats.intervals.margin import MARGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonSettings:
    """What a comparison is to compute.

    Attributes:
        margin: Difference of the primary metric that would not matter, above 0.
        threshold: Probability from which a photograph is called positive, 0..1.
        prevalence: Share of positives at which predictive values are given; None for that of the
            photographs.
        replicates: Number of replicates of the bootstrap, at least 100.
        seed: Seed of the bootstrap.
    """

    margin: float = MARGIN
    threshold: float = 0.5
    prevalence: float | None = None
    replicates: int = REPLICATES
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1:
            raise StatisticsError("a margin between 0 and 1", f"{self.margin:g}", "use 0.02")
        if not 0 <= self.threshold <= 1:
            raise StatisticsError("a threshold of 0 to 1", f"{self.threshold:g}", "use 0.5")
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise StatisticsError(
                "a prevalence between 0 and 1", f"{self.prevalence:g}", "state 1.8 % as 0.018"
            )
        if not 100 <= self.replicates <= 100_000:
            raise StatisticsError("100 to 100,000 replicates", str(self.replicates), "use 2000")
