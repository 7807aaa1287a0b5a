"""Metrics against scikit-learn, and against the poster's first error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn import metrics as oracle

from melanoscope.errors import StatisticsError
from melanoscope.stats.calibration.calibration_error import calibration_bins
from melanoscope.stats.calibration.calibration_line import calibration_line
from melanoscope.stats.metrics import classification, roc


@st.composite
def predictions(draw):
    """Targets with both classes; probabilities from a coarse grid, so that ties abound."""
    n = draw(st.integers(2, 60))
    labels = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    target = draw(labels.filter(lambda t: 0 < sum(t) < n))
    steps = draw(st.sampled_from([2, 3, 10, 1000]))
    score = draw(st.lists(st.integers(0, steps), min_size=n, max_size=n))
    assume(not set(score) <= {0, steps})  # only 0 and 1: hard labels, which are refused
    return np.array(target), np.array(score) / steps


@given(predictions())
def test_ranking_metrics_agree_with_scikit_learn(case):
    target, p = case
    assert classification.auroc(target, p) == pytest.approx(
        oracle.roc_auc_score(target, p), abs=1e-12
    )
    assert classification.auprc(target, p) == pytest.approx(
        oracle.average_precision_score(target, p), abs=1e-12
    )


@given(predictions(), st.floats(0, 1))
def test_decision_metrics_agree_with_scikit_learn(case, threshold):
    target, p = case
    decided = p >= threshold
    expected = {
        "accuracy": oracle.accuracy_score(target, decided),
        "balanced_accuracy": oracle.balanced_accuracy_score(target, decided),
        "f1": oracle.f1_score(target, decided, zero_division=0),
        "sensitivity": oracle.recall_score(target, decided),
        "specificity": oracle.recall_score(target, decided, pos_label=0),
    }
    found = classification.threshold_metrics(target, p, threshold)
    for metric, value in expected.items():
        assert found[metric] == pytest.approx(value, abs=1e-12)
    table = classification.table_metrics(target, p, threshold)
    assert tuple(table) == classification.METRICS
    assert table["auroc"] == classification.auroc(target, p)
    assert table["auprc"] == classification.auprc(target, p)
    for metric in ("accuracy", "balanced_accuracy", "f1"):
        assert table[metric] == found[metric]


@given(predictions())
def test_mean_roc_of_one_fold_has_the_area_and_its_corners(case):
    target, p = case
    x, y = roc.mean_roc([case], points=100_001)
    assert np.trapezoid(y, x) == pytest.approx(classification.auroc(target, p), abs=1e-4)
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()
    for threshold in p:
        fpr, tpr = (np.mean(p[target == side] >= threshold) for side in (0, 1))
        assert np.interp(fpr + 2e-5, x, y) >= tpr - 1e-9


def test_mean_roc_averages_vertically():
    perfect = ([0, 1], [0.2, 0.7])
    chance = ([0, 1], [0.5, 0.5])
    x, y = roc.mean_roc([perfect, chance], points=11)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    np.testing.assert_allclose(y[1:], (1 + x[1:]) / 2)
    with pytest.raises(StatisticsError, match="at least one ROC curve"):
        roc.mean_roc([])
    with pytest.raises(StatisticsError, match="before any threshold"):
        roc.mean_roc([([0, 1], [0, 1])])


def test_posters_first_error_rounding_turns_auroc_into_balanced_accuracy():
    """The published "AUROC" was computed on rounded predictions."""
    rng = np.random.default_rng(0)
    target = (rng.random(2000) < 0.14).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(size=2000) + 1.6 * target - 1.5)))
    area = oracle.roc_auc_score(target, np.round(p))
    balanced = classification.threshold_metrics(target, p, 0.5)["balanced_accuracy"]
    assert area == pytest.approx(balanced, abs=1e-12)
    assert classification.area_under_roc(target == 1, np.round(p)) == pytest.approx(area)
    assert classification.auroc(target, p) - area > 0.05
    precision = oracle.average_precision_score(target, np.round(p))
    assert classification.average_precision(target == 1, np.round(p)) == pytest.approx(precision)
    assert abs(classification.auprc(target, p) - precision) > 0.05


@pytest.mark.parametrize(
    "function",
    [
        classification.auroc,
        classification.auprc,
        calibration_bins,
        calibration_line,
    ],
)
@pytest.mark.parametrize("hard", [np.array([0, 1, 1]), np.array([False, True, True])])
def test_hard_labels_are_refused(function, hard):
    with pytest.raises(StatisticsError, match="before any threshold"):
        function([0, 1, 1], hard)


@pytest.mark.parametrize(
    ("target", "p", "said"),
    [
        ([0, 1], [0.1, np.nan], "1 outside or NaN"),
        ([0, 1], [0.1, 1.2], r"the first 1\.2"),
        ([0, 1], [-3.0, 0.2], "logits"),
        ([0, 1, 1], [0.1, 0.2], r"shapes \(3,\) and \(2,\)"),
        ([[0, 1]], [[0.1, 0.2]], "one shape"),
        ([0, 0], [0.1, 0.2], "0 positives among 2"),
        ([1, 1], [0.1, 0.2], "both positives and negatives"),
        ([0, 2], [0.1, 0.2], "0 or 1"),
        (["0", "1"], [0.1, 0.2], "0 or 1"),
        ([], np.zeros(0), "0 positives among 0"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_dishonest_input_is_refused_in_one_line(target, p, said):
    for function in (
        classification.auroc,
        classification.auprc,
        calibration_bins,
        calibration_line,
        lambda t, q: classification.threshold_metrics(t, q, 0.5),
    ):
        with pytest.raises(StatisticsError, match=said) as caught:
            function(target, p)
        assert "\n" not in str(caught.value)


def test_threshold_counts_equal_probabilities_as_positive_and_must_be_finite():
    assert classification.threshold_metrics([0, 1], [0.2, 0.5], 0.5)["sensitivity"] == 1
    with pytest.raises(StatisticsError, match="finite threshold"):
        classification.threshold_metrics([0, 1], [0.2, 0.5], float("nan"))


def test_calibration_line_where_logits_hardly_differ_or_are_extreme():
    """Newton's method must lose no digits, nor stop early: the likelihood equations must hold."""
    rng = np.random.default_rng(3)
    for p in (
        0.01 + 1e-6 * rng.random(400),
        np.clip(rng.beta(0.02, 0.02, 400), 0, 1),
        1 - 10.0 ** -rng.uniform(9, 14, 400),
    ):
        target = rng.integers(0, 2, 400)
        line = calibration_line(target, p)
        x = logit(np.clip(p, 1e-12, 1 - 1e-12))
        fitted, moved = expit(line.slope_intercept + line.slope * x), expit(line.intercept + x)
        spread = (x - x.mean()) / x.std()
        for residual in (target - fitted, (target - fitted) * spread, target - moved):
            assert residual.mean() == pytest.approx(0, abs=1e-9)


def test_calibration_line_refuses_what_differs_only_by_rounding():
    with pytest.raises(StatisticsError, match="probabilities that differ"):
        calibration_line([0, 1, 0, 1], [0.5, 0.5, 0.5 + 1e-15, 0.5 - 1e-15])


@pytest.mark.parametrize("target", [[0, 0, 1, 1], [1, 1, 0, 0]])
@pytest.mark.parametrize("p", [[0.1, 0.2, 0.3, 0.4], [0.1, 0.3, 0.3, 0.4]])
def test_calibration_line_refuses_separation_also_when_one_value_is_shared(target, p):
    with pytest.raises(StatisticsError, match="perfect separation"):
        calibration_line(target, p)


@pytest.mark.parametrize("metric", [classification.auroc, classification.auprc])
def test_hard_labels_as_floats_are_no_probabilities(metric):
    """The poster's error: an array of 0.0 and 1.0, as torch.round gives, has no ranking."""
    target, probability = [0, 0, 1, 1, 1], np.array([0.1, 0.7, 0.4, 0.8, 0.9])
    metric(target, probability)
    for decided in (np.round(probability), np.zeros(5), np.ones(5)):
        with pytest.raises(StatisticsError, match="only 0 and 1, as of rounded predictions"):
            metric(target, decided)
    metric(target, np.where(probability < 0.3, 0.0, probability))  # one that is certain is right
