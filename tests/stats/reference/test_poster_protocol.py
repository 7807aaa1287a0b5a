"""The poster's arithmetic, against scikit-learn on rounded predictions and scipy's t-tests."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.classification import METRICS, auroc, threshold_metrics
from melanoscope.stats.reference.poster_protocol import (
    hard_metrics,
    poster_interval,
    poster_t_test,
)


@given(st.integers(0, 10_000), st.integers(4, 60))
@settings(max_examples=60, deadline=None)
def test_is_what_rounded_predictions_give(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    target = np.append(rng.integers(0, 2, n), [0, 1])
    probability = rng.random(n + 2)
    rounded = (probability >= 0.5).astype(int)
    found = hard_metrics(target, probability)
    assert found["auroc"] == pytest.approx(roc_auc_score(target, rounded), abs=1e-10)
    assert found["auprc"] == pytest.approx(average_precision_score(target, rounded), abs=1e-10)
    assert found["f1"] == pytest.approx(f1_score(target, rounded, zero_division=0), abs=1e-10)
    assert found["accuracy"] == pytest.approx(accuracy_score(target, rounded), abs=1e-10)
    # Error 1 of the poster: its AUROC is the balanced accuracy.
    assert found["auroc"] == threshold_metrics(target, probability, 0.5)["balanced_accuracy"]


def test_is_not_the_auroc() -> None:
    target, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    assert auroc(target, probability) == 1.0
    assert hard_metrics(target, probability)["auroc"] == 0.5


def test_t_test_is_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.9, 0.02, 5), rng.normal(0.88, 0.02, 5)
    oracle = ttest_ind(a, b, alternative="greater")
    found = poster_t_test(a, b)
    assert (found.statistic, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))
    two_sided = ttest_ind(a, b).confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx(two_sided)
    assert found.difference.standard_error == pytest.approx(
        np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 5)
    )


def test_interval_has_the_closed_form() -> None:
    found = poster_interval([0.8, 0.9, 1.0])
    assert found.estimate == pytest.approx(0.9)
    assert found.half_width == pytest.approx(4.302652729911275 * 0.1 / np.sqrt(3))


def test_rounded_functions_and_errors() -> None:
    target, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.5, 0.4])
    found = hard_metrics(target, probability)
    assert found["auroc"] == 0.5
    assert found["auprc"] == average_precision_score(target, [0, 1, 1, 0])
    nobody = np.full(4, 0.2)
    assert hard_metrics(target, nobody)["auprc"] == 0.5
    assert hard_metrics(target, nobody)["f1"] == 0
    assert tuple(hard_metrics(target, probability)) == METRICS
    with pytest.raises(StatisticsError, match="both positives and negatives"):
        hard_metrics([1, 1], [0.2, 0.3])
    with pytest.raises(StatisticsError, match="at least two finite results"):
        poster_t_test([0.9, np.nan], [0.8, 0.8])


def test_dependent_folds_make_stars_from_nothing() -> None:
    """Error 4: ten results that share their test photographs are not ten samples."""
    rng = np.random.default_rng(0)
    stars = 0
    for _ in range(400):
        shared = rng.normal(0, 0.02, (2, 1))  # what each network gets from the one test set
        a, b = 0.9 + shared + rng.normal(0, 0.01, (2, 10))
        stars += poster_t_test(a, b).p_value < 0.05
    assert stars > 0.25 * 400


def test_nothing_varies() -> None:
    assert poster_t_test([0.9, 0.9], [0.8, 0.8]).p_value == 0
    assert poster_t_test([0.8, 0.8], [0.9, 0.9]).p_value == 1
    assert poster_t_test([0.8, 0.8], [0.8, 0.8]).p_value == 0.5
    with pytest.raises(StatisticsError, match="at least two finite results"):
        poster_interval([0.9])
