"""Every two of several networks, compared by one metric on the same photographs and draws.

The error of a difference is that of the paired group bootstrap, on Student's t with the degrees of
freedom of the groups that the two networks answer differently (`metric_influence`); on one test set
that no network was trained on it is as it is, over folds it is widened (`crossval_variance`).

Where no replicate of the difference varies, since both networks order or call everything alike,
that says nothing about what was not seen: exact bounds are given then. If every one of k groups of
the class with the fewest shows the same difference d, the chance of that with a true difference of
m (each group's between -1 and 1) is at most ((1 + m) / (1 + d))^k for m below d, by Markov, and
((1 - m) / (1 - d))^k for m above it: the "rule of three" where d is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.stats import t as student

from melanoscope.errors import StatisticsError
from melanoscope.stats.bootstrap.group_bootstrap import BootstrapResult
from melanoscope.stats.intervals.crossval_interval import (
    CrossValidation,
    Variance,
    crossval_variance,
)
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import LOWER_TAIL, UPPER_TAIL, Interval
from melanoscope.stats.intervals.metric_influence import (
    fewest_degrees_of_freedom,
    metric_influences,
)
from melanoscope.stats.intervals.wald import ROUNDING, wald_interval
from melanoscope.stats.multiclass_predictions import AnyPredictions, fewest_groups

PAIRED = "paired group bootstrap"
ALIKE = "exact bounds, since no group tells the two apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseComparison:
    """Two networks compared by one metric.

    The adjusted p-values are Holm's, over all pairs of one metric; of non-inferiority over both
    directions of all pairs. `None` where no margin was given.

    Attributes:
        a: Name of the first network.
        b: Name of the second.
        metric: Name of the metric.
        difference: The metric of `a` minus that of `b`, with its interval.
        degrees_of_freedom: Of Student's t behind it.
        p_value: Two-sided p-value that the true difference is not 0.
        p_holm: The same, adjusted.
        probability_better: One-sided confidence that `a` is above `b`, 1 - the one-sided p-value.
            It is not the probability that `a` is better given these data, which no test tells
            without a prior; nor the share of patients or of future test sets on which it is. 0.5
            means that the data favour neither.
        smallest_difference: Least observed difference that this test would have called significant
            at its error, unadjusted: how fine a difference could be told at all.
        p_equivalence: P-value that the true difference lies within the margin, by two one-sided
            tests (Schuirmann 1987).
        p_equivalence_holm: The same, adjusted.
        p_non_inferiority: P-value that `a` is not worse than `b` by the margin.
        p_non_inferiority_holm: The same, adjusted.
        p_non_inferiority_of_b: P-value that `b` is not worse than `a` by the margin.
        p_non_inferiority_of_b_holm: The same, adjusted.
    """

    a: str
    b: str
    metric: str
    difference: Interval
    degrees_of_freedom: float
    p_value: float
    p_holm: float
    probability_better: float
    smallest_difference: float
    p_equivalence: float | None = None
    p_equivalence_holm: float | None = None
    p_non_inferiority: float | None = None
    p_non_inferiority_holm: float | None = None
    p_non_inferiority_of_b: float | None = None
    p_non_inferiority_of_b_holm: float | None = None


def compare_pairs(
    bootstrapped: Mapping[str, BootstrapResult],
    predictions: Mapping[str, AnyPredictions],
    *,
    metric: str,
    design: CrossValidation,
    margin: float | None = None,
    values: Mapping[str, Sequence[float]] | None = None,
) -> tuple[PairwiseComparison, ...]:
    """Compare every two networks by a `metric`.

    Args:
        bootstrapped: Name of each network -> its metrics with replicates, of one
            `bootstrap_many`; of each pair the network that comes first is `a`.
        predictions: Name of each network -> the same predictions.
        metric: Name of the metric, one that was resampled.
        design: How the predictions were obtained: one fold where no network was trained on any of
            the photographs.
        margin: Difference that would not matter, between 0 and 1; None to leave out equivalence
            and non-inferiority.
        values: Name of each network -> the metric in each fold, at least two; None for one test
            set. Over folds without them, chance in training beyond what patients explain is not
            counted.

    Returns:
        One comparison for each pair, k (k - 1) / 2 of k networks, in their order.

    Raises:
        StatisticsError: An unknown metric, networks that were not resampled together, a class
            missing from many replicates, or a margin out of range.

    >>> from melanoscope.stats.bootstrap.group_bootstrap import bootstrap_many
    >>> from melanoscope.stats.predictions import Predictions
    >>> rng = np.random.default_rng(0)
    >>> n = np.arange(200)
    >>> def draw(skill: float) -> Predictions:
    ...     return Predictions(
    ...         target=n % 2,
    ...         probability=skill * (n % 2) + (1 - skill) * rng.random(200),
    ...         threshold=np.full(200, 0.5),
    ...         fold_id=0 * n,
    ...         group=n // 4,  # four photographs of each patient
    ...         image_index=n,
    ...     )
    >>> networks = {"good": draw(0.4), "poor": draw(0.1)}
    >>> one_set = CrossValidation(folds=1, n_train=1, n_test=200)
    >>> (pair,) = compare_pairs(
    ...     bootstrap_many(networks, metrics=("auroc",)), networks, metric="auroc", design=one_set
    ... )
    >>> pair.a, pair.difference.low > 0.1, pair.p_value < 0.001
    ('good', True, True)
    """
    if margin is not None and not 0 < margin < 1:
        raise StatisticsError("a margin between 0 and 1", f"{margin:g}", "use 0.02")
    if len(bootstrapped) < 2:
        return ()
    first = predictions[next(iter(bootstrapped))]
    member = np.unique(first.group, return_inverse=True)[1].astype(np.int64)
    fewest = fewest_groups(first)
    influences = {name: metric_influences(predictions[name], metric) for name in bootstrapped}
    tests = []
    for a, b in combinations(bootstrapped, 2):
        mine, other = bootstrapped[a], bootstrapped[b]
        variance = crossval_variance(
            Variance(
                mine.difference_variance(other, metric),
                fewest_degrees_of_freedom(map(np.subtract, influences[a], influences[b]), member),
            ),
            design,
            None if values is None else np.subtract(values[a], values[b]),
        )
        difference = mine.estimate[metric] - other.estimate[metric]
        test = (
            _Test.of_error(difference, variance, mine.n_groups)
            if variance.standard_error > ROUNDING
            else _Test.of_alike(difference, fewest / design.factor, fewest)
        )
        tests.append((a, b, test))
    return _adjusted([_compared(a, b, metric, test, margin) for a, b, test in tests])


@dataclass(frozen=True, slots=True)
class _Test:
    """A difference with its interval, and p-values against any true difference.

    Attributes:
        above: Null difference m -> p-value that the true difference is above m.
        below: Null difference m -> p-value that it is below m.
    """

    difference: Interval
    degrees_of_freedom: float
    above: Callable[[float], float]
    below: Callable[[float], float]
    smallest: float

    @staticmethod
    def of_error(difference: float, variance: Variance, groups: int) -> _Test:
        error, freedom = variance.standard_error, variance.degrees_of_freedom
        return _Test(
            wald_interval(difference, error, n=groups, method=PAIRED, degrees_of_freedom=freedom),
            freedom,
            lambda null: float(student.sf((difference - null) / error, freedom)),
            lambda null: float(student.sf((null - difference) / error, freedom)),
            float(student.ppf(UPPER_TAIL, freedom)) * error,
        )

    @staticmethod
    def of_alike(difference: float, effective: float, groups: int) -> _Test:
        d = difference if abs(difference) > ROUNDING else 0.0
        root = LOWER_TAIL ** (1 / effective)

        def above(null: float) -> float:
            return 1.0 if null >= d else ((1 + null) / (1 + d)) ** effective

        def below(null: float) -> float:
            return 1.0 if null <= d else ((1 - null) / (1 - d)) ** effective

        interval = Interval(
            estimate=d,
            low=(1 + d) * root - 1,
            high=1 - (1 - d) * root,
            standard_error=0.0,
            n=groups,
            method=ALIKE,
            unit="groups",
        )
        return _Test(interval, groups - 1.0, above, below, min(1 / root - 1, 1.0))


def _compared(a: str, b: str, metric: str, test: _Test, margin: float | None) -> PairwiseComparison:
    above, below = test.above(0.0), test.below(0.0)
    found = PairwiseComparison(
        a=a,
        b=b,
        metric=metric,
        difference=test.difference,
        degrees_of_freedom=test.degrees_of_freedom,
        p_value=min(2 * min(above, below), 1.0),
        p_holm=float("nan"),
        probability_better=0.5 if above == below else 1 - above if above < below else below,
        smallest_difference=test.smallest,
    )
    if margin is None:
        return found
    # Worse by the margin is a difference of -margin; equivalence needs both tests (TOST).
    not_worse, not_better = test.above(-margin), test.below(margin)
    return replace(
        found,
        p_equivalence=max(not_worse, not_better),
        p_non_inferiority=not_worse,
        p_non_inferiority_of_b=not_better,
    )


def _adjusted(found: list[PairwiseComparison]) -> tuple[PairwiseComparison, ...]:
    """Adjust each kind of p-value over the pairs."""
    p_holm = holm([one.p_value for one in found])
    found = [replace(one, p_holm=float(p)) for one, p in zip(found, p_holm, strict=True)]
    equivalence = [one.p_equivalence for one in found if one.p_equivalence is not None]
    if not equivalence:
        return tuple(found)
    directions = holm(
        [
            p
            for one in found
            for p in (one.p_non_inferiority, one.p_non_inferiority_of_b)
            if p is not None
        ]
    ).reshape(-1, 2)
    return tuple(
        replace(
            one,
            p_equivalence_holm=float(p),
            p_non_inferiority_holm=float(of_a),
            p_non_inferiority_of_b_holm=float(of_b),
        )
        for one, p, (of_a, of_b) in zip(found, holm(equivalence), directions, strict=True)
    )
