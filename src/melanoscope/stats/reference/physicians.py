"""Published accuracy of physicians, and the test of a network against it.

Phillips, Greenhalgh, Marsden & Palamaras (2020), Dermatol Pract Concept 10(1):e2020011,
PMC6936633: a meta-analysis of other lesions at another prevalence, so it orients and does not
decide. The poster prints the intervals as plus-minus 0.03 and 0.02.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL, Interval
from melanoscope.stats.intervals.mover import LEAST_TAIL
from melanoscope.stats.intervals.proportion import exact_bounds

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


def p_above(networks: Iterable[Interval], physicians: Physicians) -> float:
    """Return the one-sided p-value that a network's AUROC is above the physicians' pooled one.

    Both errors count, on the logit scale, on which published bounds are nearly symmetric: each is
    the width of the 95 % interval over 2 x 1.96, as meta-analyses take it from published bounds
    (Cochrane Handbook 6.3.2). Where the AUROC is 1 its exact bounds take the place of an error
    (`pooled_auroc`): p is then the level at which the square-and-add interval of the difference
    (Zou & Donner 2008) would reach 0.

    Args:
        networks: Intervals of the network's AUROC by one method or several, all of one estimate
            and inside 0..1 or reaching beyond; the one with the largest error counts.
        physicians: Whom to compare with. The published interval is one of their mean: it does not
            say how well physicians would do on the lesions of a run.

    Returns:
        The p-value.

    Raises:
        StatisticsError: No interval, or an AUROC or width that is not a number in its range.
    """
    found = list(networks)
    if not found or not all(
        0 <= one.estimate <= 1 and one.low <= one.estimate <= one.high for one in found
    ):
        raise StatisticsError(
            "an AUROC between 0 and 1 with its interval", repr(found), "pass its interval"
        )
    theirs, area = physicians.auroc, found[0].estimate
    if area in (0.0, 1.0):
        return _p_of_separated(min(found, key=lambda one: one.low), theirs)
    error = max(_logit_error(one) for one in found)
    both = (error**2 + _logit_error(theirs) ** 2) ** 0.5
    return float(norm.sf(float(logit(area) - logit(theirs.estimate)) / both))


def _logit_error(auroc: Interval) -> float:
    """Return the standard error of an AUROC on the logit scale, from its bounds."""
    width = 2 * float(norm.ppf(UPPER_TAIL))
    if auroc.low > 0 and auroc.high < 1:
        return float(logit(auroc.high) - logit(auroc.low)) / width
    # Bounds that lie outside, by Student's t over few folds: the slope of the logit stands in.
    return (auroc.high - auroc.low) / width / (auroc.estimate * (1 - auroc.estimate))


def _p_of_separated(network: Interval, theirs: Interval) -> float:
    if network.estimate == 0:
        return 1.0
    # As many right pairs as the exact bound stands for; a t interval over folds has no width here,
    # and each fold counts as one pair.
    pairs = network.n if network.low == 1 else np.log(LOWER_TAIL) / np.log(network.low)
    error, center = _logit_error(theirs), float(logit(theirs.estimate))

    def beyond(log_tail: float) -> float:
        """By how much the lower bound of the difference lies above 0."""
        tail = 10**log_tail
        down = 1 - exact_bounds(1.0, pairs, tail)[0]
        up = float(expit(center + norm.isf(tail) * error)) - theirs.estimate
        return 1 - theirs.estimate - float(np.hypot(down, up))

    least, most = np.log10(LEAST_TAIL), np.log10(0.499)
    if beyond(most) <= 0:
        return 0.5
    return LEAST_TAIL if beyond(least) >= 0 else float(10 ** brentq(beyond, least, most))
