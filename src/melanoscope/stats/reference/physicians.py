"""Published accuracy of physicians, and the test of a network against it.

Phillips, Greenhalgh, Marsden & Palamaras (2020), Dermatol Pract Concept 10(1):e2020011,
PMC6936633: a meta-analysis of other lesions at another prevalence, so it orients and does not
decide. The poster prints the intervals as plus-minus 0.03 and 0.02.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf

from scipy.stats import norm, t

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval

SOURCE = (
    "Phillips M, Greenhalgh J, Marsden H, Palamaras I. Detection of malignant melanoma using "
    "artificial intelligence. Dermatol Pract Concept 2020;10(1):e2020011"
)
SOURCE_URL = "https://pmc.ncbi.nlm.nih.gov/articles/PMC6936633/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Physicians:
    """A meta-analysed group of physicians.

    Attributes:
        key: Short name in tables' columns.
        label: Name for readers.
        auroc: Pooled area under the ROC curve with its published interval; n counts studies.
        sensitivity: Pooled sensitivity, 0..1.
        specificity: Pooled specificity, 0..1.
    """

    key: str
    label: str
    auroc: Interval
    sensitivity: float
    specificity: float


def _published(estimate: float, low: float, high: float, studies: int) -> Interval:
    return Interval(
        estimate=estimate,
        low=low,
        high=high,
        standard_error=(high - low) / (2 * float(norm.ppf(0.975))),
        n=studies,
        method="meta-analysis",
        unit="studies",
    )


GENERAL_PRACTITIONERS = Physicians(
    key="gp",
    label="General practitioners",
    auroc=_published(0.83, 0.79, 0.86, studies=10),
    sensitivity=0.799,
    specificity=0.709,
)
DERMATOLOGISTS = Physicians(
    key="dermatologists",
    label="Dermatologists",
    auroc=_published(0.91, 0.88, 0.93, studies=92),
    sensitivity=0.875,
    specificity=0.814,
)
PHYSICIANS = (GENERAL_PRACTITIONERS, DERMATOLOGISTS)


def p_above(network: Interval, physicians: Physicians) -> float:
    """Return the one-sided p-value that the AUROC of `network` is above the physicians'."""
    # t = difference / sqrt(both standard errors squared): the published number is an estimate too.
    # Degrees of freedom after Welch & Satterthwaite, the published error counting as known: few
    # folds know their own spread badly.
    if not (network.standard_error >= 0 and 0 <= network.estimate <= 1):
        raise StatisticsError(
            "an AUROC between 0 and 1 with its standard error", repr(network), "pass its interval"
        )
    error = hypot(network.standard_error, physicians.auroc.standard_error)
    share = network.standard_error / error
    freedom = (network.n - 1) / share**4 if share > 0 else inf
    return float(t.sf((network.estimate - physicians.auroc.estimate) / error, freedom))
