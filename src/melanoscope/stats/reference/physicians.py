"""Published accuracy of physicians, and the test of a network against it.

Phillips, Greenhalgh, Marsden & Palamaras (2020), Dermatol Pract Concept 10(1):e2020011,
PMC6936633: a meta-analysis of other lesions at another prevalence, so it orients and does not
decide. The poster prints the intervals as plus-minus 0.03 and 0.02.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf
from typing import TYPE_CHECKING

from scipy.stats import norm, t

from melanoscope.errors import StatisticsError

if TYPE_CHECKING:
    from melanoscope.stats.intervals.corrected_t import Interval

SOURCE = (
    "Phillips M, Greenhalgh J, Marsden H, Palamaras I. Detection of malignant melanoma using "
    "artificial intelligence. Dermatol Pract Concept 2020;10(1):e2020011"
)
SOURCE_URL = "https://pmc.ncbi.nlm.nih.gov/articles/PMC6936633/"


@dataclass(frozen=True, slots=True)
class Physicians:
    """A meta-analysed group of physicians.

    Attributes:
        key: Short name in tables' columns.
        label: Name for readers.
        auroc: Pooled area under the ROC curve, with `low` and `high` its 95 % interval.
        sensitivity: Pooled, 0..1.
        specificity: Pooled, 0..1.
        studies: Number of studies.
    """

    key: str
    label: str
    auroc: float
    low: float
    high: float
    sensitivity: float
    specificity: float
    studies: int

    @property
    def standard_error(self) -> float:
        """Standard error of the AUROC, from the width of its published interval."""
        return (self.high - self.low) / (2 * float(norm.ppf(0.975)))


GENERAL_PRACTITIONERS = Physicians(
    "gp", "General practitioners", 0.83, 0.79, 0.86, 0.799, 0.709, 10
)
DERMATOLOGISTS = Physicians("dermatologists", "Dermatologists", 0.91, 0.88, 0.93, 0.875, 0.814, 92)
PHYSICIANS = (GENERAL_PRACTITIONERS, DERMATOLOGISTS)


def p_above(network: Interval, physicians: Physicians) -> float:
    """One-sided p-value that a network's AUROC is above the physicians'.

    t = difference / sqrt(both standard errors squared): the published number is an estimate too.
    Degrees of freedom after Welch & Satterthwaite, the published error counting as known: few folds
    know their own spread badly.

    >>> from melanoscope.stats.intervals.corrected_t import Interval
    >>> p_above(Interval(0.83, 0.81, 0.85, 0.01, 5, ""), GENERAL_PRACTITIONERS)
    0.5
    """
    if not (network.standard_error >= 0 and 0 <= network.estimate <= 1):
        raise StatisticsError(
            "an AUROC between 0 and 1 with its standard error", repr(network), "pass its interval"
        )
    error = hypot(network.standard_error, physicians.standard_error)
    share = network.standard_error / error
    freedom = (network.n - 1) / share**4 if share > 0 else inf
    return float(t.sf((network.estimate - physicians.auroc) / error, freedom))
