"""Models compared: against scikit-learn, DeLong's test, and what must hold whatever is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from melanoscope.comparison.settings import ComparisonSettings
from melanoscope.errors import StatisticsError
from melanoscope.stats.intervals.interval import Interval

from .drawn import drawn

SKILLS = {"poor": 0.5, "good": 2.0, "better": 2.2}


def test_two_classes_are_compared_by_auroc() -> None:
    results = drawn(SKILLS)
    assert results.names == ["better", "good", "poor"]
    for name, probability in results.joined.probability.items():
        found = results.intervals[name]["auroc"]
        assert isinstance(found, Interval)
        expected = roc_auc_score(results.joined.target, probability)
        assert found.estimate == pytest.approx(expected, abs=1e-12)
        assert found.low < expected < found.high
        assert found.n == np.unique(results.joined.group).size
    first, second, third = results.pairs["auroc"]
    assert [(p.a, p.b) for p in (first, second, third)] == [
        *(("better", "good"), ("better", "poor"), ("good", "poor"))
    ]
    assert second.p_holm < 0.001 < first.p_holm
    assert results.distances["better"].may_be_best
    assert not results.distances["poor"].may_be_best
    assert results.flattery is not None
    assert results.flattery >= 0


def test_the_paired_test_is_near_delongs() -> None:
    """Both count patients; where many are, their errors differ by a few percent."""
    results = drawn(SKILLS, n=1200, patients=600, replicates=1000)
    for pair in results.pairs["auroc"]:
        z = abs(norm.ppf(results.delong[pair.a, pair.b] / 2))
        assert pair.difference.estimate / pair.difference.standard_error == pytest.approx(
            z, rel=0.1
        )


def test_several_classes_are_compared_by_balanced_accuracy() -> None:
    results = drawn(SKILLS, classes=4)
    assert results.primary == results.metrics[0] == "balanced_accuracy"
    for name, probability in results.joined.probability.items():
        called = probability.argmax(axis=1)
        found = results.intervals[name]
        assert found["balanced_accuracy"].estimate == pytest.approx(
            balanced_accuracy_score(results.joined.target, called)
        )
        assert found["macro_auroc"].estimate == pytest.approx(
            roc_auc_score(results.joined.target, probability, multi_class="ovr", average="macro")
        )
    assert results.delong == {}
    assert {"auroc_0", "auroc_3", "macro_f1"} <= set(results.pairs)
    assert results.names[-1] == "poor"


def test_out_of_fold_predictions_are_widened() -> None:
    apart, once = drawn(SKILLS, folds=5), drawn(SKILLS)
    assert (apart.folds, once.folds) == (5, 1)
    assert apart.design.factor == pytest.approx(1.8)
    assert once.design.factor == 1
    assert apart.delong == {}
    for name in SKILLS:
        wide, narrow = (one.intervals[name]["auroc"].half_width for one in (apart, once))
        assert wide > 1.15 * narrow


def test_chance_in_training_counts_between_folds() -> None:
    """One model is good in some folds and poor in others: more than its patients explain."""
    steady, moody = drawn({"a": 2.0, "b": 1.9}, folds=5), drawn({"a": 2.0, "b": 1.9}, folds=5)
    spoilt = moody.joined.fold % 2 == 1
    rng = np.random.default_rng(0)
    moody.joined.probability["b"][spoilt] = rng.permutation(moody.joined.probability["b"][spoilt])
    errors = [one.pairs["auroc"][0].difference.standard_error for one in (steady, moody)]
    assert errors[1] > 2 * errors[0]
    wide, narrow = (one.intervals["b"]["auroc"].half_width for one in (moody, steady))
    assert wide > 2 * narrow


def test_a_model_that_calls_nobody_has_no_interval_of_width_zero() -> None:
    results = drawn({"shy": 1.0, "good": 2.0})
    results.joined.probability["shy"][:] *= 0.3
    found = results.intervals["shy"]
    assert isinstance(found["balanced_accuracy"], str)
    assert "called alike" in found["balanced_accuracy"]
    assert isinstance(found["auroc"], Interval)
    assert "balanced_accuracy" not in results.pairs


@pytest.mark.parametrize(
    "settings",
    [
        {"margin": 0.0},
        {"margin": 1.0},
        {"threshold": 1.5},
        {"prevalence": 0.0},
        {"replicates": 10},
    ],
)
def test_odd_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(StatisticsError):
        ComparisonSettings(**settings)
