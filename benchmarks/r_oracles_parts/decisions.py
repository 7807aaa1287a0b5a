"""Decisions, shares, families of p-values and results over folds, against R's own functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import t as student

from melanoscope.stats.intervals.crossval_interval import (
    CrossValidation,
    Variance,
    corrected_t_interval,
    corrected_t_test,
    crossval_interval,
    crossval_variance,
    prediction_interval,
)
from melanoscope.stats.intervals.holm import holm
from melanoscope.stats.intervals.interval import Interval, PairedTest
from melanoscope.stats.intervals.proportion import exact_bounds, wilson_interval
from melanoscope.stats.intervals.wald import equivalence_p_value, lower_bound
from melanoscope.stats.metrics.classification import threshold_metrics
from melanoscope.stats.metrics.decision_curve import decision_curve
from melanoscope.stats.metrics.operating_points import shares
from melanoscope.stats.metrics.thresholds import (
    highest_f1,
    threshold_for_sensitivity,
    threshold_for_specificity,
)
from melanoscope.stats.reference.physicians import DERMATOLOGISTS, p_above
from melanoscope.stats.reference.poster_protocol import poster_interval, poster_t_test
from r_oracles_parts.inputs import FOLDS, N_TEST, N_TRAIN, P_VALUES, PATIENTS, SHARES, Inputs
from r_oracles_parts.quantities import Quantity


def _at_threshold(i: Inputs) -> list[float]:
    found = threshold_metrics(i.target, i.probability[1], 0.3333333)
    return [found[name] for name in ("accuracy", "sensitivity", "specificity")]


def _highest_f1(i: Inputs) -> list[float]:
    threshold = highest_f1(i.target, i.probability[1])
    return [threshold_metrics(i.target, i.probability[1], threshold)["f1"]]


def _wilson(_: Inputs) -> Iterator[float]:
    return _bounds(wilson_interval(hits, n) for hits, n in SHARES)


def _exact(_: Inputs) -> Iterator[float]:
    for hits, n in SHARES:
        yield from exact_bounds(hits / n, n)


def _lower(_: Inputs) -> list[float]:
    return [exact_bounds(hits / n, n, tail=0.05)[0] for hits, n in SHARES]


def _clustered_share(i: Inputs) -> Iterator[float]:
    for share in shares(i.predictions(0), i.probability[0] >= 0.205):
        found = share.interval
        yield from (found.estimate, found.low, found.high)


def _net_benefit(i: Inputs) -> list[float]:
    curve = decision_curve(
        i.predictions(1), prevalence=float(i.target.mean()), thresholds=np.array([0.1, 0.2, 0.35])
    )
    return [float(value) for value in curve.network]


def _guaranteed(i: Inputs) -> list[float]:
    found = threshold_for_sensitivity(i.target, i.probability[1], i.group, sensitivity=0.8)
    return [found.threshold, found.guaranteed]


def _bounds(found: Iterator[Interval]) -> Iterator[float]:
    for interval in found:
        yield from (interval.low, interval.high)


def _quantiles(_: Inputs) -> list[float]:
    return [float(student.ppf(0.975, df)) for df in (1, 2, 4, 9, 14, 79, np.inf)]


def _corrected(i: Inputs) -> list[float]:
    found = corrected_t_interval(i.folds[0], n_train=N_TRAIN, n_test=N_TEST)
    return [found.low, found.high]


def _corrected_difference(i: Inputs) -> list[float]:
    found = _difference(i)
    return [found.difference.low, found.difference.high, found.p_value]


def _corrected_logit(i: Inputs) -> list[float]:
    found = corrected_t_interval(i.folds[0], n_train=N_TRAIN, n_test=N_TEST, on_logit_scale=True)
    return [found.low, found.high]


def _variance(i: Inputs) -> Variance:
    design = CrossValidation(FOLDS, N_TRAIN, N_TEST)
    return crossval_variance(Variance(0.0002, 60.0), design, i.folds[0])


def _widened(i: Inputs) -> Interval:
    return crossval_interval(float(i.folds[0].mean()), _variance(i), groups=PATIENTS)


def _difference(i: Inputs) -> PairedTest:
    return corrected_t_test(i.folds[0] - i.folds[1], n_train=N_TRAIN, n_test=N_TEST)


def _above(_: Inputs) -> list[float]:
    network = Interval(
        estimate=0.931, low=0.92, high=0.94, standard_error=0.005, n=PATIENTS, method=""
    )
    return [p_above([network], DERMATOLOGISTS)]


def _unpaired(i: Inputs) -> list[float]:
    found = poster_t_test(*i.folds)
    return [found.statistic, found.p_value]


QUANTITIES = (
    Quantity("at_threshold", "pROC::coords", "threshold_metrics", _at_threshold),
    Quantity("highest_f1", "ROCR::performance", "highest_f1, threshold_metrics", _highest_f1),
    Quantity(
        "highest_f1_threshold",
        "ROCR::performance",
        "highest_f1",
        lambda i: [highest_f1(i.target, i.probability[1])],
    ),
    Quantity("guaranteed_threshold", "qbeta", "threshold_for_sensitivity", _guaranteed),
    Quantity(
        "threshold_for_specificity",
        "quantile, type 1",
        "threshold_for_specificity",
        lambda i: [threshold_for_specificity(i.target, i.probability[1], 0.814)],
    ),
    Quantity("wilson", "prop.test", "wilson_interval", _wilson),
    Quantity("clopper_pearson", "binom.test", "exact_bounds", _exact),
    Quantity("clopper_pearson_lower", "binom.test", "exact_bounds", _lower),
    Quantity("clustered_share", "survey::svyciprop, beta", "ClusteredShare", _clustered_share),
    Quantity("corrected_t_logit", "plain R", "corrected_t_interval", _corrected_logit),
    Quantity(
        "crossval_variance",
        "plain R",
        "crossval_variance",
        lambda i: [_variance(i).value, _variance(i).degrees_of_freedom],
    ),
    Quantity(
        "crossval_interval",
        "plain R",
        "crossval_interval",
        lambda i: [_widened(i).low, _widened(i).high],
    ),
    Quantity(
        "prediction_interval",
        "plain R",
        "prediction_interval",
        lambda i: [prediction_interval(_widened(i)).low, prediction_interval(_widened(i)).high],
    ),
    Quantity("net_benefit", "plain R", "decision_curve", _net_benefit),
    Quantity(
        "lower_bound", "plain R", "lower_bound", lambda i: [lower_bound(_difference(i), 0.05)]
    ),
    Quantity(
        "equivalence_p",
        "plain R",
        "equivalence_p_value",
        lambda i: [equivalence_p_value(_difference(i), 0.02)],
    ),
    Quantity("p_above", "plain R", "p_above", _above),
    Quantity("holm", "p.adjust", "holm", lambda _: holm(P_VALUES).tolist()),
    Quantity("t_quantiles", "qt", "scipy.stats.t, as in wald_interval", _quantiles),
    Quantity("corrected_t_interval", "plain R", "corrected_t_interval", _corrected),
    Quantity("corrected_t_difference", "plain R", "corrected_t_test", _corrected_difference),
    Quantity("unpaired_t", "t.test", "poster_t_test", _unpaired),
    Quantity(
        "t_interval",
        "t.test",
        "poster_interval",
        lambda i: [poster_interval(i.folds[0]).low, poster_interval(i.folds[0]).high],
    ),
)
