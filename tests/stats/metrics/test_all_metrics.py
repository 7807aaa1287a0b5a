"""All metrics of predictions of several parts, each part by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as oracle

from melanoscope.errors import StatisticsError
from melanoscope.stats.metrics.all_metrics import ALL_METRICS, all_metrics
from melanoscope.stats.predictions import Predictions

Make = Callable[..., Predictions]


def test_ranked_and_decided_are_means_over_parts_the_rest_is_pooled(make: Make) -> None:
    one = make(parts=3, repeats=2)
    one = replace(one, threshold=0.2 + 0.1 * one.part)
    found = all_metrics(one)
    assert tuple(found) == ALL_METRICS
    called = one.probability >= one.threshold
    parts = [one.part == part for part in range(6)]
    for metric, score in (
        ("auroc", oracle.roc_auc_score),
        ("auprc", oracle.average_precision_score),
    ):
        each = [score(one.target[m], one.probability[m]) for m in parts]
        assert found[metric] == pytest.approx(np.mean(each), abs=1e-10)
        assert found[metric] != pytest.approx(score(one.target, one.probability), abs=1e-4)
    for metric, score in (
        ("accuracy", oracle.accuracy_score),
        ("balanced_accuracy", oracle.balanced_accuracy_score),
        ("f1", oracle.f1_score),
    ):
        each = [score(one.target[m], called[m]) for m in parts]
        assert found[metric] == pytest.approx(np.mean(each), abs=1e-10)
    assert found["sensitivity"] == pytest.approx(oracle.recall_score(one.target, called))
    assert found["specificity"] == pytest.approx(
        oracle.recall_score(one.target, called, pos_label=0)
    )
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(one.target, one.probability))


def test_one_class_in_a_part_and_constant_scores_are_refused(make: Make) -> None:
    one = make()
    with pytest.raises(StatisticsError, match="both melanomas and others"):
        all_metrics(one.where((one.part > 0) | (one.target == 0)))
    with pytest.raises(StatisticsError, match="probabilities that differ"):
        all_metrics(one.with_probability(np.full(one.target.size, 0.5)))
