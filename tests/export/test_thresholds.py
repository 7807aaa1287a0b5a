"""Thresholds keep what they were chosen for, and are measured by counting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from melanoscope.errors import StatisticsError
from melanoscope.export.evaluation import evaluate
from melanoscope.export.thresholds import (
    RULES,
    ChosenThreshold,
    choose_thresholds,
    evaluate_thresholds,
)
from melanoscope.stats.metrics.thresholds import (
    highest_f1,
    percent_at_least,
    threshold_for_sensitivity,
)
from melanoscope.stats.reference.physicians import DERMATOLOGISTS
from melanoscope.target import MELANOMA

from .holdouts import holdout_of

LOGITS = st.lists(
    st.tuples(st.floats(-30, 30, width=32), st.booleans()), min_size=4, max_size=60
).filter(lambda rows: 0 < sum(hit for _, hit in rows) < len(rows))


@given(LOGITS)
@settings(max_examples=200)
def test_thresholds_keep_what_they_were_chosen_for(rows):
    logit, target = np.array([x for x, _ in rows]), np.array([hit for _, hit in rows], int)
    chosen = choose_thresholds(holdout_of(logit, target), MELANOMA)
    found = {key: one.logit for key, one in chosen.items()}
    assert (logit >= found["sensitivity_95"])[target == 1].mean() >= 0.95
    spared = (logit < found["specificity_dermatologists"])[target == 0].mean()
    assert spared >= DERMATOLOGISTS.specificity - 1e-12
    # Also where a sigmoid would round neighbours together, the F1 is the best there is.
    called = logit >= found["highest_f1"]
    f1 = 2 * (called & (target == 1)).sum() / (called.sum() + target.sum())
    every = [logit >= t for t in logit]
    best = max(2 * (c & (target == 1)).sum() / (c.sum() + target.sum()) for c in every)
    assert f1 == pytest.approx(best)


def test_the_guarantee_is_that_of_the_groups(holdout):
    """The highest logit whose Clopper-Pearson bound over groups reaches 0.95, or the lowest."""
    chosen = choose_thresholds(holdout, MELANOMA)["sensitivity_95"]
    found = threshold_for_sensitivity(holdout.target, expit(holdout.logit), holdout.group)
    assert expit(chosen.logit) == pytest.approx(found.threshold)
    promised = percent_at_least(min(found.guaranteed, 0.95))
    assert chosen.name == f"at least {promised} sensitivity"
    assert f"at least {promised} of the melanomas, with 95 % confidence" in chosen.meaning


def test_too_few_melanomas_are_said():
    logit, target = np.linspace(-2, 2, 80), np.repeat([0, 1], 40)
    chosen = choose_thresholds(holdout_of(logit, target), MELANOMA)["sensitivity_95"]
    assert chosen.logit == logit[40]
    assert chosen.name == "at least 86 % sensitivity"  # 20 groups of two: 0.05 ** (1 / 20)
    assert "too few for 95 %" in chosen.meaning
    many = choose_thresholds(holdout_of(np.tile(logit, 4), np.tile(target, 4)), MELANOMA)[
        "sensitivity_95"
    ]
    assert many.name == "at least 95 % sensitivity"
    assert "too few" not in many.meaning


def test_nan_logits_choose_no_threshold():
    with pytest.raises(StatisticsError, match="1 that are NaN"):
        choose_thresholds(holdout_of([0.0, np.nan, 1.0, 2.0], [0, 0, 1, 1]), MELANOMA)


def test_highest_f1_decides_as_on_probabilities(holdout):
    ours = holdout.logit >= choose_thresholds(holdout, MELANOMA)["highest_f1"].logit
    theirs = expit(holdout.logit) >= highest_f1(holdout.target, expit(holdout.logit))
    assert (ours == theirs).all()


def test_thresholds_are_measured_by_counting(holdout):
    tested = evaluate(holdout, 1.0, replicates=200)
    chosen = {
        rule.key: ChosenThreshold(at, "", "")
        for rule, at in zip(RULES, (-1.0, 0.5, 2.0), strict=True)
    }
    for found in evaluate_thresholds(tested, chosen, 0.02):
        called, hit = holdout.logit >= found.logit, holdout.target == 1
        sensitivity, specificity = called[hit].mean(), 1 - called[~hit].mean()
        assert found.sensitivity.estimate == pytest.approx(sensitivity)
        assert found.specificity.estimate == pytest.approx(specificity)
        ppv = 0.02 * sensitivity / (0.02 * sensitivity + 0.98 * (1 - specificity))
        assert found.ppv.estimate == pytest.approx(ppv)
        assert found.sensitivity.low < sensitivity < found.sensitivity.high
