"""Each transfer against its reference: tests paired by fold, one family per transfer and metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student

from melanoscope.stats.intervals.crossval_interval import corrected_t_interval, corrected_t_test
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import ALPHA, Interval, PairedTest
from melanoscope.stats.intervals.margin import MARGIN
from melanoscope.stats.intervals.wald import equivalence_p_value, lower_bound
from melanoscope.stats.metrics.classification import PRIMARY_METRIC, table_metrics
from melanoscope.stats.predictions import CellPredictions
from melanoscope.stats.reference.poster_protocol import hard_metrics, poster_interval, poster_t_test

if TYPE_CHECKING:
    from melanoscope.stats.summary import SummaryRow

    Pairs = Sequence[tuple[SummaryRow, SummaryRow]]
    """Of each backbone the row of the reference, and that of the transfer."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """How a protocol computes metrics, intervals and tests; sizes are n_train and n_test."""

    metrics: Callable[[CellPredictions], dict[str, float]]
    interval: Callable[..., Interval]
    test: Callable[..., PairedTest]
    adjusted: bool


CORRECTED = Method(
    metrics=lambda cell: table_metrics(cell.target, cell.probability, cell.threshold),
    interval=partial(corrected_t_interval, on_logit_scale=True),
    test=lambda a, b, **sizes: corrected_t_test(a - b, **sizes),
    adjusted=True,
)
POSTER = Method(
    metrics=lambda cell: hard_metrics(cell.target, cell.probability),
    interval=lambda values, **_sizes: poster_interval(values),
    test=lambda a, b, **_sizes: poster_t_test(a, b),
    adjusted=False,
)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One transfer against its reference (`transfers.REFERENCES`), for one backbone and metric.

    Attributes:
        test: Difference (transfer - reference) with interval, t and one-sided p-value.
        p_holm: P-value adjusted over the backbones of the same transfer and metric; as it is with
            the poster's protocol, which did not adjust.
        family: Number of backbones that `p_holm` is adjusted over.
        p_equivalence: P-value that the true difference lies within `MARGIN`, by two one-sided
            tests, adjusted likewise; None for a metric other than AUROC, and by the poster's
            protocol.
    """

    backbone: str
    transfer: str
    metric: str
    test: PairedTest
    p_holm: float
    family: int
    p_equivalence: float | None = None

    @property
    def stars(self) -> str:
        """Two stars below 0.001, one below 0.05, after Holm."""
        return "**" if self.p_holm < 0.001 else "*" if self.p_holm < ALPHA else ""

    @property
    def lower_bound(self) -> float:
        """What the true difference is above, by this test at its level in the family.

        Above 0 where there is a star, and only there: the level is alpha p / p_holm, the share of
        alpha that Holm's adjustment leaves this test.
        """
        p = self.test.p_value
        level = ALPHA * p / self.p_holm if p > 0 else ALPHA / self.family
        return lower_bound(self.test, level)


def compare_family(pairs: Pairs, transfer: str, metric: str, method: Method) -> list[Comparison]:
    """Test a transfer's rows against their references by one `metric`, and adjust over them."""
    tests = [
        method.test(
            *(np.array(side.values[metric]) for side in (row, reference)),
            n_train=row.n_train,
            n_test=row.n_test,
        )
        for reference, row in pairs
    ]
    p_values = [test.p_value for test in tests]
    adjusted: list[float] = p_values
    equivalence: list[float | None] = [None] * len(tests)
    if method.adjusted:
        adjusted = holm(p_values).tolist()
        if metric == PRIMARY_METRIC:
            equivalence = holm([equivalence_p_value(test, MARGIN) for test in tests]).tolist()
    return [
        Comparison(
            backbone=row.backbone,
            transfer=transfer,
            metric=metric,
            test=test,
            p_holm=p_holm,
            family=len(pairs),
            p_equivalence=p_equivalence,
        )
        for (_, row), test, p_holm, p_equivalence in zip(
            pairs, tests, adjusted, equivalence, strict=True
        )
    ]


def smallest_starred(comparisons: Sequence[Comparison], transfer: str) -> float:
    """Return the difference of AUROC that Holm's first step just stars, at the median error."""
    tests = [c.test for c in comparisons if (c.transfer, c.metric) == (transfer, PRIMARY_METRIC)]
    error = float(np.median([test.difference.standard_error for test in tests]))
    return float(student.isf(ALPHA / len(tests), tests[0].degrees_of_freedom)) * error


def compare_overall(pairs: Pairs, method: Method) -> PairedTest:
    """Mean AUROC difference over backbones within each fold, then over folds."""
    base, mine = (np.mean([pair[i].values["auroc"] for pair in pairs], axis=0) for i in (0, 1))
    n_train = float(np.mean([row.n_train for _, row in pairs]))
    n_test = float(np.mean([row.n_test for _, row in pairs]))
    return method.test(mine, base, n_train=n_train, n_test=n_test)
