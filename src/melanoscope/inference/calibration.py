"""From a logit to a calibrated probability at a stated prevalence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from melanoscope.errors import DataError


@dataclass(frozen=True, slots=True)
class TemperatureScaling:
    """Temperature scaling (Guo et al. 2017), and Bayes' rule for another prevalence.

    Moving to another prevalence (Saerens, Latinne & Decaestecker 2002, eq. 2.4) adds to the logit
    the difference of the prevalences' log odds: right when only the share of positive lesions
    differs, not how they look.

    Attributes:
        temperature: What logits are divided by; above 0.
        prevalence: Share of positive lesions where the temperature was fitted, between 0 and 1.

    >>> round(TemperatureScaling(2.0, 0.5).probability(2.0, 0.5), 3)
    0.731
    >>> round(TemperatureScaling(1.0, 0.5).probability(0.0, 0.018), 3)
    0.018
    """

    temperature: float
    prevalence: float

    def probability(self, logit: float, prevalence: float) -> float:
        """Return the probability that belongs to an uncalibrated `logit` at a `prevalence`."""
        z = logit / self.temperature + log_odds(prevalence) - log_odds(self.prevalence)
        # The form that cannot overflow, on either side.
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def log_odds(prevalence: float) -> float:
    """Return log(p / (1 - p)) of a `prevalence`; raise DataError unless it is between 0 and 1."""
    if not 0 < prevalence < 1:
        raise DataError("a prevalence between 0 and 1", repr(prevalence), "state 1.8 % as 0.018")
    return math.log(prevalence / (1 - prevalence))
