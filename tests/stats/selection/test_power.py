"""What could have been told, against the closed form of one paired difference and its power."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from melanoscope.errors import StatisticsError
from melanoscope.stats.binormal_scores import StudyDesign
from melanoscope.stats.power_auroc import patients_needed
from melanoscope.stats.predictions import Predictions
from melanoscope.stats.selection.best import compare_with_best
from melanoscope.stats.selection.paired_differences import PairedDifferences, paired_differences
from melanoscope.stats.selection.power import (
    groups_to_tell,
    power_from_run,
    smallest_told,
)

from .conftest import FAR


def test_closed_form_of_one_difference() -> None:
    error = np.array([[0, 0.01], [0.01, 0]])
    one = PairedDifferences(
        difference=np.zeros((2, 2)),
        standard_error=error,
        allowance=norm.ppf(0.95) * error,
        replicated_error=error,
    )
    assert smallest_told(one, 0) == pytest.approx([0.01645], abs=1e-5)
    # (1.645 + 0.842)^2 (0.01 / 0.02)^2 n, as any textbook has it
    assert groups_to_tell(one, 0, 100) == pytest.approx(100 * 6.18 / 4, rel=0.001)


def test_so_many_groups_have_the_power(networks: Callable) -> None:
    """Simulated: with the number of groups that 40 suggest, four in five runs tell the worse."""
    truth = np.array([0.4, 0.0, 0.0])
    named = {"folds": 20, "n_train": FAR, "n_test": 1.0}
    drawn = networks(truth, groups=40, folds=20, correlation=0.5, shared=0.0, seed=2)
    needed = []
    for _ in range(30):
        found = paired_differences(*next(drawn), **named, degrees_of_freedom=39.0)
        needed.append(groups_to_tell(found, 0, 40, difference=0.4))
    groups = 20 * round(float(np.median(needed)) / 20)
    drawn = networks(truth, groups=groups, folds=20, correlation=0.5, shared=0.0, seed=3)
    told = 0
    for _ in range(300):
        found = paired_differences(*next(drawn), **named, degrees_of_freedom=groups - 1.0)
        told += not compare_with_best(found, n=groups)[1].may_be_best
    assert 0.7 < told / 300 < 0.9


DESIGN = StudyDesign(
    auroc=(0.8, 0.87), correlation=0.5, prevalence=0.15, photographs=4, intraclass=0.6
)


def of_simulated(block: np.ndarray, positive: np.ndarray, folds: int = 1) -> list[Predictions]:
    """The predictions of both models in one simulated study; patients are in one fold each."""
    patients, photographs = positive.shape
    patient = np.repeat(np.arange(patients), photographs)
    return [
        Predictions(
            target=positive.ravel().astype(np.int64),
            probability=norm.cdf(scores.ravel()),
            threshold=np.full(patient.size, 0.5),
            fold_id=patient % folds,
            group=patient,
            image_index=np.arange(patient.size),
        )
        for scores in block
    ]


def studies(patients: int, simulations: int, folds: int = 1) -> list[list[Predictions]]:
    positive = DESIGN.positive(patients)
    block = np.concatenate(list(DESIGN.scores(patients, simulations)), axis=1)
    return [of_simulated(block[:, i], positive, folds) for i in range(simulations)]


def test_closed_form_of_a_run() -> None:
    one, other = studies(100, 1)[0]
    found = power_from_run(one, other, difference=0.03, power=0.9)
    z = norm.ppf(0.975) + norm.ppf(0.9)
    assert found.needed == pytest.approx(100 * (z * found.standard_error / 0.03) ** 2)
    assert found.power_at(found.needed) == pytest.approx(0.9)
    assert found.power_at(100) == pytest.approx(
        norm.cdf(0.03 / found.standard_error - norm.ppf(0.975))
    )
    assert found.groups == 100
    assert found.low < found.needed < found.high
    swapped = power_from_run(other, one, difference=0.03, power=0.9)
    assert swapped.seen == pytest.approx(-found.seen)
    assert swapped.needed == pytest.approx(found.needed)
    halved = power_from_run(one, other, difference=0.015, power=0.9)
    assert halved.needed == pytest.approx(4 * found.needed)
    widened = power_from_run(one, other, difference=0.03, power=0.9, widening=1.8)
    assert widened.needed == pytest.approx(1.8 * found.needed)


def test_error_of_a_run_is_that_of_leaving_patients_out() -> None:
    """The jackknife over patients, which knows no formula of Obuchowski's."""
    one, other = studies(120, 1)[0]
    found = power_from_run(one, other)
    without = []
    for group in range(120):
        kept = one.group != group
        seen = power_from_run(one.where(kept), other.where(kept)).seen
        without.append(seen)
    jackknife = np.sqrt(119 / 120 * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert found.standard_error == pytest.approx(jackknife, rel=0.02)


def test_run_suggests_as_many_as_the_truth_needs() -> None:
    truth = patients_needed(DESIGN, simulations=500).needed
    found = [power_from_run(*pair, difference=DESIGN.difference) for pair in studies(150, 150)]
    expected = np.mean([one.needed for one in found])
    assert expected == pytest.approx(truth, rel=0.12)
    # The bounds are about a variance, of which the mean over runs is the truth.
    assert np.mean([one.low <= expected <= one.high for one in found]) > 0.88


def test_folds_are_compared_within() -> None:
    whole, folded = (
        np.mean([power_from_run(*pair).standard_error for pair in studies(150, 30, folds)])
        for folds in (1, 3)
    )
    assert folded == pytest.approx(whole, rel=0.1)


def test_runs_that_cannot_be_compared_are_refused() -> None:
    one, other = studies(60, 1)[0]
    with pytest.raises(StatisticsError, match="same photographs"):
        power_from_run(one, other.where(other.group != 3))
    with pytest.raises(StatisticsError, match="differ"):
        power_from_run(one, one)
    for wrong in (
        {"difference": 0.0},
        {"difference": -0.02},
        {"power": 0.01},
        {"power": 1.0},
        {"alpha": 0.0},
        {"widening": 0.5},
    ):
        with pytest.raises(StatisticsError, match="power between"):
            power_from_run(one, other, **wrong)
    holder = one.group[one.target == 1][0]
    few = (one.target == 0) | (one.group == holder)
    with pytest.raises(StatisticsError, match="2 groups"):
        power_from_run(one.where(few), other.where(few))
