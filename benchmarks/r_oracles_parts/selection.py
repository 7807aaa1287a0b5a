"""Many networks, against mvtnorm; components of variance, against aov."""

from __future__ import annotations

import numpy as np

from melanoscope.stats.intervals.crossval_interval import CrossValidation, Variance
from melanoscope.stats.selection.paired_differences import PairedDifferences, paired_differences
from melanoscope.stats.variance_components import (
    DIVISION,
    TRAINING,
    Component,
    variance_components,
)
from r_oracles_parts.inputs import (
    FOLDS,
    N_TEST,
    N_TRAIN,
    NETWORKS,
    PATIENTS,
    Floats,
    Inputs,
)
from r_oracles_parts.quantities import Quantity

# 40,000 draws for a quantile, and Student's t in place of the multivariate t.
_DRAWN = 0.03


def _differences(i: Inputs) -> PairedDifferences:
    """As if patients were drawn anew: normal replicates, hardly any training shared by folds."""
    covariance = np.cov(i.effects.T) / PATIENTS
    mean = i.effects.mean(axis=0)
    draws = np.random.default_rng(0).multivariate_normal(mean, covariance, 40_000).T
    return paired_differences(
        np.repeat(mean[:, None], 2, axis=1),
        draws,
        folds=2,
        n_train=1e12,
        n_test=1.0,
        degrees_of_freedom=PATIENTS - 1.0,
    )


def _others(matrix: Floats) -> list[float]:
    return [float(value) for value in matrix[~np.eye(NETWORKS, dtype=bool)]]


def _critical(i: Inputs) -> list[float]:
    found = _differences(i)
    with np.errstate(invalid="ignore"):
        ratio = found.allowance / found.standard_error
    return [float(np.nanmean(row)) for row in ratio]


def _components(i: Inputs) -> list[Component]:
    design = CrossValidation(FOLDS, N_TRAIN, N_TEST)
    found = variance_components(i.cells, Variance(0.0, PATIENTS - 1.0), design).components
    return [one for one in found if one.source in (DIVISION, TRAINING)]


def _training(i: Inputs) -> list[float]:
    training = _components(i)[1]
    return [training.low, training.high]


QUANTITIES = (
    Quantity(
        "variance_components",
        "anova",
        "variance_components",
        lambda i: [one.variance for one in _components(i)],
    ),
    Quantity("variance_of_training", "anova, qchisq", "variance_components", _training),
    Quantity(
        "mcb_errors",
        "cov",
        "paired_differences",
        lambda i: _others(_differences(i).standard_error),
        _DRAWN,
    ),
    Quantity("mcb_critical", "mvtnorm::pmvt", "paired_differences", _critical, _DRAWN),
)
