"""AUROC and its relatives, against pROC and plain R."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from melanoscope.stats.bootstrap.group_bootstrap import group_bootstrap
from melanoscope.stats.bootstrap.weighted_rank_metrics import RankedFold
from melanoscope.stats.intervals.auroc_interval import (
    delong_interval,
    influence_interval,
)
from melanoscope.stats.intervals.delong_test import delong_test
from melanoscope.stats.intervals.interval import Interval
from melanoscope.stats.intervals.pooled_auroc import pooled_auroc
from melanoscope.stats.metrics.between_groups_auroc import between_groups_auroc
from melanoscope.stats.metrics.classification import auprc, auroc
from r_oracles_parts.inputs import Floats, Inputs
from r_oracles_parts.quantities import Quantity

# 4,000 replicates there and here: bounds to about three standard errors.
_DRAWN = 0.02


def _auroc(i: Inputs) -> list[float]:
    return [auroc(i.target, p) for p in i.probability]


def _delong(i: Inputs) -> list[Interval]:
    return [delong_interval(i.target, p) for p in i.probability]


def _bounds(i: Inputs) -> Iterator[float]:
    for found in _delong(i):
        yield from (found.low, found.high)


def _variances(i: Inputs) -> list[float]:
    return [found.standard_error**2 for found in _delong(i)]


def _clustered(i: Inputs) -> list[float]:
    return [delong_interval(i.target, p, i.group).standard_error ** 2 for p in i.probability]


def _paired(i: Inputs) -> list[float]:
    found = delong_test(i.target, *i.probability[:2])
    return [found.difference.estimate, found.z, found.p_value]


def _partial(i: Inputs) -> list[float]:
    n = i.target.size
    ones = np.ones((n, 1))
    folds = [RankedFold.of(i.target, p, np.arange(n), n) for p in i.probability]
    return [float(fold.metrics(ones)["pauc_above_sensitivity"][0]) for fold in folds]


def _by_fold(i: Inputs) -> list[float]:
    inside = [i.fold == k for k in np.unique(i.fold)]
    return [auroc(i.target[rows], i.probability[1][rows]) for rows in inside]


def _influence(i: Inputs) -> list[float]:
    found = influence_interval(i.predictions(1))
    return [found.estimate, found.standard_error]


def _drawn(metric: str) -> Quantity:
    def bounds(i: Inputs) -> Floats:
        n = i.target.size
        one = replace(i, fold=np.zeros(n, np.int64))
        predictions = one.predictions(1, group=np.arange(n), threshold=0.3333333)
        found = group_bootstrap(predictions, metrics=(metric,), replicates=4000)
        return np.asarray(np.quantile(found.replicates[metric], [0.025, 0.975]))

    by = "ci.auc" if metric == "auroc" else "ci.thresholds"
    return Quantity(
        f"stratified_bootstrap_{metric}",
        f"pROC::{by}, stratified bootstrap",
        "group_bootstrap, one photograph a group",
        bounds,
        _DRAWN,
    )


def _one_fold(i: Inputs) -> list[float]:
    one = i.predictions(1)
    found = pooled_auroc(one.where(one.fold_id == 0)).interval
    return [found.low, found.high]


def _between(i: Inputs) -> list[float]:
    one = replace(i, fold=np.zeros(i.target.size, np.int64))
    return [between_groups_auroc(one.predictions(1))]


QUANTITIES = (
    Quantity("clustered_auroc", "plain R", "pooled_auroc", _one_fold),
    Quantity("between_groups_auroc", "plain R", "between_groups_auroc", _between),
    Quantity("auroc", "pROC::auc", "auroc", _auroc),
    Quantity("auroc_by_fold", "pROC::roc", "auroc", _by_fold),
    Quantity("delong_variance", "pROC::var", "delong_interval", _variances),
    Quantity("delong_interval", "pROC::ci.auc", "delong_interval", _bounds),
    Quantity("paired_delong", "pROC::roc.test", "delong_test", _paired),
    Quantity("partial_auroc", "pROC::auc, partial", "RankedFold.metrics", _partial),
    Quantity("obuchowski_variance", "plain R", "delong_interval by group", _clustered),
    Quantity("influence_interval", "plain R", "influence_interval", _influence),
    Quantity(
        "average_precision",
        "plain R",
        "auprc",
        lambda i: [auprc(i.target, p) for p in i.probability],
    ),
    *(_drawn(metric) for metric in ("auroc", "sensitivity", "specificity")),
)
